//! What is masked in a text, and what is left of it.

use innkeeper_contracts::secret::{holds_credential, is_placeholder, masked};
use proptest::prelude::*;

#[test]
fn user_info_is_hidden_and_the_rest_of_a_url_stays() {
    for (text, shown) in [
        (
            "db=postgresql://kim:s3cret@a-svc:15432/dune",
            "db=postgresql://***@a-svc:15432/dune",
        ),
        (
            "postgres://kim:pass@word@host:5432/app?foo=b@r",
            "postgres://***@host:5432/app?foo=b@r",
        ),
        (
            "postgres://kim:s3cret@db:5432/app",
            "postgres://***@db:5432/app",
        ),
        ("POSTGRES://kim:s3cret@db/app", "POSTGRES://***@db/app"),
        ("https://kim@example.com/x", "https://***@example.com/x"),
        ("redis://:s3cret@cache:6379/0", "redis://***@cache:6379/0"),
        ("http://kim:@host/", "http://***@host/"),
        (
            "amqps://kim:s3%40cre%2Ft@mq/%2Fapp",
            "amqps://***@mq/%2Fapp",
        ),
        ("postgres://kim:s3@cr@et@db/app", "postgres://***@db/app"),
        ("postgres://kim:s3/cr#e?t@db/app", "postgres://***@db/app"),
        ("postgres://kim:s3@c/ret@db/app", "postgres://***@db/app"),
        ("postgres://kim:12/34@db/app", "postgres://***@db/app"),
        ("https://kim:s3/cret@host/x", "https://***@host/x"),
        (r"postgres://kim:s3\cret@db/app", "postgres://***@db/app"),
        ("postgres://kim:s3'cr:et@db/app", "postgres://***@db/app"),
        ("postgres://kim:s3 cret@db/app", "postgres://***@db/app"),
        ("postgres://kim:s3<cr>et@db/app", "postgres://***@db/app"),
        (
            "postgres://kim:s3cret@[2001:db8::1]:5432/app",
            "postgres://***@[2001:db8::1]:5432/app",
        ),
        (
            "http://kim:s3cret@[fe80::1%25eth0]/",
            "http://***@[fe80::1%25eth0]/",
        ),
        (
            "mongodb://kim:s3cret@a:27017,b:27017/app?w=1",
            "mongodb://***@a:27017,b:27017/app?w=1",
        ),
        (
            "jdbc:postgresql://kim:s3cret@db/app",
            "jdbc:postgresql://***@db/app",
        ),
        (r"https:\/\/kim:s3cret@host\/x", r"https:\/\/***@host\/x"),
        (
            r#"{\"url\":\"https://kim:s3cret@host/x\"}"#,
            r#"{\"url\":\"https://***@host/x\"}"#,
        ),
        (
            "http://pay/?next=https%3A%2F%2Fkim%3As3cret%40host%2F",
            "http://pay/?next=https%3A%2F%2F***%40host%2F",
        ),
        (
            "postgres://kim:s3cret@db/app?mail=kim@example.com",
            "postgres://***@db/app?mail=kim@example.com",
        ),
        (
            "postgres://kim:s3@?A=cret@db:5432/app",
            "postgres://***@db:5432/app",
        ),
        (
            "postgres://kim:s3@b/c?A=cret@db/app",
            "postgres://***@db/app",
        ),
        ("postgres://kim:s3://cret@db/app", "postgres://***@db/app"),
        ("postgres://kim:s3?a://cret@db/app", "postgres://***@db/app"),
        (
            "http://db:80/a?b=http://kim:s3cret@host/x",
            "http://db:80/a?b=http://***@host/x",
        ),
        ("a://:\"@@b", "a://***@b"),
        ("//kim:s3cret@host/x", "//***@host/x"),
        ("kim:s3cret@db:5432/app", "***@db:5432/app"),
        ("kim:s3cret@tcp(db:3306)/app", "***@tcp(db:3306)/app"),
        ("kim:s3@cr/et@db", "***@db"),
        (":s3cret@cache:6379", "***@cache:6379"),
        ("kim:s3cret@[::1]:5432", "***@[::1]:5432"),
        ("URL=kim:s3cret@db", "URL=***@db"),
        (
            "jdbc:oracle:thin:kim/s3cret@//db:1521/app",
            "***@//db:1521/app",
        ),
        (
            "http://a:b@h1/x,http://c:d@h2/y",
            "http://***@h1/x,http://***@h2/y",
        ),
        (
            "from ftp://a:b@h1 to http://h2/x or (sftp://c:d@h3)",
            "from ftp://***@h1 to http://h2/x or (sftp://***@h3)",
        ),
        (
            "cannot parse \"http://a:b@h\": no",
            "cannot parse \"http://***@h\": no",
        ),
        (
            "a: <http://a:b@h>, b: `http://c:d@h`",
            "a: <http://***@h>, b: `http://***@h`",
        ),
    ] {
        assert_eq!(masked(text), shown, "{text}");
    }
}

#[test]
fn what_is_no_user_info_stays() {
    for text in [
        "",
        "no broker at kafka.messaging:9092,kafka-1:9092 answers",
        "http://pay:8080/pays/1",
        "http://pay:8080/users/kim@example.com",
        "https://social.example/@kim?x=1",
        "http://pay/?mail=kim@example.com",
        "http://[::1]:9090/x@y",
        "postgres://db:5432/app?user=kim",
        "postgres://[::1]:5432/app",
        "kafka://a:9092,b:9092",
        "the address x of pay is not of the form http://host:port",
        "ask kim@example.com",
        "mailto:kim@example.com",
        "git@github.com:kim/app.git",
        "s3://bucket/key@v1",
        "innkeeper.dev/innkeeper:0.1.0@sha256:0123456789abcdef",
        "redis:7@sha256:0123456789abcdef",
        "line 3: spec.services[0].config.env: ZONE cannot name an environment variable",
        "check that it runs, that the database exists, and the credentials",
        "the database's Secret must have the keys username and password",
        "FATAL: password authentication failed for user \"kim\"",
        "secret \"innkeeper-database\" not found",
        "unknown field \"spec.secret\": expected one of services, image",
        "unexpected token: the word x",
        "2026-11-25T01:30:00Z INFO serving address=0.0.0.0:8080",
        "tokenTtl=60 password.min.length=8 maxTokens=4096",
        "-----BEGIN CERTIFICATE-----MIIB-----END CERTIFICATE-----",
        "basic authentication, bearer of bad news",
        "cannot read the password: permission denied",
        "cannot read the password: timeout",
        "the password: it must have a digit",
        "invalid token: expected a comma",
        "secret: not found",
        "Credentials: whoever may read the platform",
        "unknown field \"spec.secret\": expected one of services",
        "innkeeper_contracts::secret::url: no host",
        "registry/token:latest, registry/secret:v2",
        "secret://vault/path",
        "the keys: username",
        "\"token\": null, \"password\": true",
        "password: ${DB_PASSWORD}",
        "which secret: \n1 of 2",
    ] {
        assert_eq!(masked(text), text);
    }
}

#[test]
fn what_stands_under_a_secret_name_is_hidden() {
    for (text, shown) in [
        (
            "host=db user=kim password=s3cret dbname=app",
            "host=db user=kim password=*** dbname=app",
        ),
        (
            "host=db password = s3cret sslmode=off",
            "host=db password = *** sslmode=off",
        ),
        (
            "host=db password='s3 cr\\'et' user=kim",
            "host=db password='***' user=kim",
        ),
        ("host=db password=a&b;c@d,e", "host=db password=***"),
        (
            "Server=db;Password=s3&cr,et;Database=app",
            "Server=db;Password=***;Database=app",
        ),
        (
            "Server=db;Pwd=\"s3;cr\"\"et\";Uid=kim",
            "Server=db;Pwd=\"***\";Uid=kim",
        ),
        (
            "jdbc:postgresql://db/app?user=kim&password=s3cret&ssl=true",
            "jdbc:postgresql://db/app?user=kim&password=***&ssl=true",
        ),
        (
            "https://host/x?access_token=s3cret",
            "https://host/x?access_token=***",
        ),
        (
            "LoginModule required username=\"kim\" password=\"s3cret\";",
            "LoginModule required username=\"kim\" password=\"***\";",
        ),
        ("sasl.password=s3cret", "sasl.password=***"),
        (
            r#"{"user":"kim","password":"s3\"cret","port":1}"#,
            r#"{"user":"kim","password":"***","port":1}"#,
        ),
        (
            r#"{"pin":1,"password": 4711}"#,
            r#"{"pin":1,"password": ***}"#,
        ),
        (r#"{\"apiKey\": \"s3cret\"}"#, r#"{\"apiKey\": \"***\"}"#),
        (
            r#"Config { password: "s3cret", port: 1 }"#,
            r#"Config { password: "***", port: 1 }"#,
        ),
        ("password='never closed", "password='***"),
        ("password=postgres://kim:s3cret@db", "password=***"),
        ("password=ä s3", "password=*** s3"),
    ] {
        assert_eq!(masked(text), shown, "{text}");
    }
}

#[test]
fn a_value_behind_a_colon_is_hidden_in_running_text_too() {
    for (text, shown) in [
        ("password: hunter2", "password: ***"),
        ("Password : hunter2", "Password : ***"),
        ("password:hunter2", "password:***"),
        ("password: swordfish", "password: ***"),
        (
            "db:\n  password: swordfish\n  port: 1",
            "db:\n  password: ***\n  port: 1",
        ),
        (
            "login of kim with password: hunter2 was refused",
            "login of kim with password: *** was refused",
        ),
        ("bad password: hunter2: denied", "bad password: ***: denied"),
        (
            "{ user: kim, password: swordfish, port: 1 }",
            "{ user: kim, password: ***, port: 1 }",
        ),
        (
            "user: kim password: swordfish port: 1",
            "user: kim password: *** port: 1",
        ),
        (
            r#"Config { token: Some("swordfish"), secret: a$b }"#,
            r#"Config { token: Some("***"), secret: *** }"#,
        ),
        ("(passphrase: sword-fish)", "(passphrase: ***)"),
        (
            "no access with API key: a1b2c3.",
            "no access with API key: ***.",
        ),
        (
            "client_secret: swordfish scope: all",
            "client_secret: *** scope: all",
        ),
        ("\"PGPASSWORD: swordfish\"", "\"PGPASSWORD: ***\""),
        ("password: geheimnisvoll-ü", "password: ***"),
        ("token: ***, password: ***", "token: ***, password: ***"),
    ] {
        assert_eq!(masked(text), shown, "{text}");
    }
}

#[test]
fn keys_and_tokens_of_known_forms_are_hidden() {
    let pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----";
    for (text, shown) in [
        (pem, "***"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEow", "***"),
        ("key AKIAIOSFODNN7EXAMPLE.", "key ***."),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "***"),
        (
            "https://ghp_0123456789abcdefghij@github.com/x",
            "https://***@github.com/x",
        ),
        (
            "jwt=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJraW0ifQ.c2ln",
            "jwt=***",
        ),
        (
            "Authorization: Basic a2ltOnMzY3JldA==",
            "Authorization: Basic ***",
        ),
        ("bearer 0123456789abcdef", "bearer ***"),
    ] {
        assert_eq!(masked(text), shown, "{text}");
        assert!(holds_credential(text), "{text}");
    }
}

#[test]
fn a_value_that_a_parser_did_not_expect_is_hidden() {
    let said = |json: &str| {
        serde_json::from_str::<std::collections::BTreeMap<String, u8>>(json)
            .unwrap_err()
            .to_string()
    };
    for json in [r#"{"a":"s3\"cr\\et"}"#, r#"{"a":4711}"#, r#"{"a":47.11}"#] {
        let (said, shown) = (said(json), masked(&said(json)).into_owned());
        assert!(said.contains("cr") || said.contains("47"), "{said}");
        assert!(!shown.contains("cr") && !shown.contains("47"), "{shown}");
        assert!(shown.contains("expected u8 at line 1"), "{shown}");
    }
}

#[test]
fn a_user_name_and_a_reference_are_no_credentials() {
    for text in [
        "https://kim@example.com/",
        "http://kim:@host/",
        "postgres://kim:$(DB_PASSWORD)@db/app",
        "postgres://kim:${DB_PASSWORD}@db/app",
        "host=db password=$PGPASSWORD",
        "password={{ db.password }}",
        "postgres://***@db",
        "redis:7@sha256:0123",
        "require.password=true",
        "password=",
    ] {
        assert!(!holds_credential(text), "{text}");
    }
    for text in [
        "postgres://kim:pa$$word@db",
        "kim:s3cret@db",
        "password=$ecret",
        "a password=b",
    ] {
        assert!(holds_credential(text), "{text}");
    }
    assert!(!is_placeholder("$ecret") && !is_placeholder("${a}b${c}"));
}

proptest! {
    #[test]
    fn no_part_of_a_password_is_shown(password in "[!#-;=?-_a-~]{1,12}", scheme in "(postgres|https|jdbc:mysql|kafka)") {
        let url = format!("cannot reach {scheme}://kim:QqQ{password}QqQ@db:5432/app");
        let shown = masked(&url).into_owned();
        prop_assert!(!shown.contains("QqQ"), "{} became {}", url, shown);
        prop_assert!(shown.starts_with("cannot reach "));
        prop_assert_eq!(masked(&shown), shown.as_str());
    }

    #[test]
    fn any_text_can_be_masked_again(text in "\\PC{0,80}", more in "[a-z:/@='\"\\\\ {]{0,40}") {
        let once = masked(&text).into_owned() + &masked(&more);
        let once = masked(&once).into_owned();
        prop_assert_eq!(masked(&once), once.as_str());
    }
}
