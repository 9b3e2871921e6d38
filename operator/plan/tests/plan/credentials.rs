//! Which values `innkeeper validate` warns of, and which it does not.

use innkeeper_plan::read;

use super::fixtures::{example, example_with};

/// The field paths that are warned of if the view has this configuration.
fn warned(config: &str) -> Vec<String> {
    let text = example_with("env: { PROFILE: docker }", config);
    let file = read(&text).expect("nothing is refused").platforms.remove(0);
    let warnings = file.credentials();
    for warning in &warnings {
        assert!(!warning.to_string().contains("s3cret"), "{warning}");
    }
    warnings
        .into_iter()
        .map(|warning| warning.field_path)
        .collect()
}

#[test]
fn a_variable_that_looks_like_a_credential_is_warned_of() {
    for variable in [
        "DB_PWD: s3cret",
        "PASSPHRASE: one s3cret two",
        "API_KEY: s3cret",
        "DB_PASSWORD: '4711'",
        "PWD: s3cret",
        "DATABASE_URL: 'postgres://kim:s3cret@db/app'",
        "BROKERS: 'kim:s3cret@kafka:9092'",
        "DSN: 'host=db password=s3cret'",
        "JDBC: 'jdbc:postgresql://db/app?user=kim&password=s3cret'",
        "KEY: \"-----BEGIN EC PRIVATE KEY-----\\ns3cret\\n-----END EC PRIVATE KEY-----\"",
        "AWS: AKIAIOSFODNN7EXAMPLE",
        "GH: ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "SESSION: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJraW0ifQ.c2ln",
    ] {
        let name = variable.split(':').next().unwrap();
        let field_path = format!("spec.services[4].config.env.{name}");
        assert_eq!(
            warned(&format!("env: {{ {variable} }}")),
            [field_path],
            "{variable}"
        );
    }
}

#[test]
fn a_variable_that_only_speaks_of_credentials_is_not() {
    for variable in [
        "TOKEN_TTL: 60s",
        "PASSWORD_MIN_LENGTH: '8'",
        "SECRET_NAME: innkeeper-database",
        "PWD: /app",
        "OLDPWD: /",
        "DB_PASSWORD: ''",
        "REQUIRE_PASSWORD: 'true'",
        "DB_PASSWORD: $(FROM_SECRET)",
        "DATABASE_URL: 'postgres://kim:$(DB_PASSWORD)@db/app'",
        "DATABASE_URL: 'postgres://kim@db/app'",
        "IMAGE: 'redis:7@sha256:0123456789abcdef'",
        "MAIL: kim@example.com",
        "MONKEY: banana",
        "CERTIFICATE: '-----BEGIN CERTIFICATE-----'",
    ] {
        assert_eq!(
            warned(&format!("env: {{ {variable} }}")),
            [""; 0],
            "{variable}"
        );
    }
}

#[test]
fn a_file_that_holds_a_credential_is_warned_of() {
    for (file, text, expected) in [
        (
            "app.properties",
            "spring.datasource.password=s3cret\\n",
            true,
        ),
        (
            "app.yaml",
            "db:\\n  user: kim\\n  password: 's3cret'\\n",
            true,
        ),
        ("app.json", "{\\\"apiKey\\\": \\\"s3cret\\\"}", true),
        ("password.txt", "s3cret\\n", true),
        ("id_rsa", "-----BEGIN PRIVATE KEY-----\\ns3cret\\n", true),
        (
            "app.yaml",
            "db:\\n  password: ${DB_PASSWORD}\\n  tokenTtl: 60\\n",
            false,
        ),
        (
            "app.properties",
            "password.required=true\\nauth.password=${PASSWORD}\\n",
            false,
        ),
        (
            "help.txt",
            "Password: the word that you were given\\n",
            false,
        ),
    ] {
        let field_path = format!("spec.services[4].config.files.{file}");
        let expected: Vec<String> = expected.then_some(field_path).into_iter().collect();
        assert_eq!(
            warned(&format!("files: {{ {file}: \"{text}\" }}")),
            expected,
            "{text}"
        );
    }
}

#[test]
fn a_password_anywhere_in_the_file_is_warned_of_with_its_line() {
    let text = example_with(
        "  services:\n",
        "  messaging: { bootstrapServers: 'kim:s3cret@kafka:9092' }\n  services:\n",
    );
    let file = read(&text).unwrap().platforms.remove(0);
    let said: Vec<_> = file.credentials().iter().map(ToString::to_string).collect();
    let expected = "line 8: spec.messaging.bootstrapServers: this looks like a credential";
    assert!(said.len() == 1 && said[0].starts_with(expected), "{said:?}");
    assert!(said[0].contains("put it into a Secret"), "{said:?}");
}

#[test]
fn the_example_has_none() {
    let file = read(&example()).unwrap().platforms.remove(0);
    assert_eq!(file.credentials(), []);
}

#[test]
fn a_refusal_repeats_no_password() {
    for config in [
        "env: { 'postgres://kim:s3cret@db': x }",
        "env: { DB_PASSWORD: 0o17 }",
        "files: { 'kim:s3cret@db/x': x }",
        "environment: { URL: 'postgres://kim:s3cret@db' }",
        "env: { PIN: 0471 }",
    ] {
        let text = example_with("env: { PROFILE: docker }", config);
        let refused = match read(&text) {
            Ok(mut contents) => {
                let platform = contents.platforms.remove(0).platform;
                innkeeper_plan::validate(&platform, &super::fixtures::cluster()).unwrap_err()
            }
            Err(refused) => refused,
        };
        let said = refused.to_string();
        for secret in ["s3cret", "0o17", "0471"] {
            assert!(!said.contains(secret), "{config}: {said}");
        }
    }
}
