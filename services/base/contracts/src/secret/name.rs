//! Decides by the words of a name whether its value is secret: `DB_PWD` is, `TOKEN_TTL` is not.

/// Words that mark a secret, also as the end of a longer word, such as `PGPASSWORD`.
const SECRET: [&str; 9] = [
    "apikey",
    "credential",
    "credentials",
    "passphrase",
    "passwd",
    "password",
    "pwd",
    "secret",
    "token",
];

/// Words that mark a secret when `key` follows them.
const OF_KEYS: [&str; 8] = [
    "access",
    "api",
    "auth",
    "encryption",
    "master",
    "private",
    "secret",
    "signing",
];

/// Last words that mean a property of the secret and not the secret itself, such as `TOKEN_TTL`.
const ABOUT: [&str; 54] = [
    "age",
    "alg",
    "algorithm",
    "attempts",
    "audience",
    "bucket",
    "class",
    "cost",
    "count",
    "days",
    "dir",
    "enabled",
    "endpoint",
    "expiration",
    "expires",
    "expiry",
    "field",
    "file",
    "format",
    "header",
    "host",
    "hours",
    "id",
    "interval",
    "issuer",
    "kind",
    "length",
    "lifetime",
    "limit",
    "max",
    "min",
    "minutes",
    "ms",
    "name",
    "names",
    "parameter",
    "path",
    "pattern",
    "policy",
    "prefix",
    "provider",
    "rate",
    "ref",
    "regex",
    "required",
    "retries",
    "rotation",
    "rounds",
    "seconds",
    "size",
    "timeout",
    "ttl",
    "type",
    "url",
];

/// Whether the value under a name is a secret.
pub fn is_secret_name(name: &str) -> bool {
    let words = words(name);
    let about = words
        .last()
        .is_some_and(|last| ABOUT.contains(&last.as_str()));
    !about
        && words.iter().enumerate().any(|(index, word)| {
            let next = words.get(index + 1).map(String::as_str);
            says_secret(word)
                || (OF_KEYS.contains(&word.as_str()) && matches!(next, Some("key" | "keys")))
                || (word == "pass" && index > 0 && next.is_none())
        })
}

fn says_secret(word: &str) -> bool {
    let working_folder = word == "oldpwd";
    !working_folder && SECRET.iter().any(|secret| word.ends_with(secret))
}

/// The words of a name in lower case, split at punctuation and where a capital follows a small
/// letter.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in name.chars() {
        let begins = was_lower && letter.is_uppercase();
        was_lower = letter.is_lowercase() || letter.is_ascii_digit();
        if !letter.is_alphanumeric() || begins {
            words.push(String::new());
        }
        if letter.is_alphanumeric() {
            words
                .last_mut()
                .expect("there is always a word")
                .extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::is_secret_name;

    #[test]
    fn a_name_is_judged_by_its_words() {
        for name in [
            "PASSWORD",
            "DB_PWD",
            "PASSPHRASE",
            "db.password",
            "dbPassword",
            "DBPassword",
            "PGPASSWORD",
            "PASSWD",
            "SMTP_PASS",
            "CLIENT_SECRET",
            "clientSecret",
            "JWT_SECRET",
            "SECRET_KEY",
            "GITHUB_TOKEN",
            "accessToken",
            "APIKEY",
            "API_KEY",
            "x-api-key",
            "AWS_SECRET_ACCESS_KEY",
            "ACCESS_KEY",
            "PRIVATE_KEY",
            "signing_key",
            "CREDENTIALS",
            "GOOGLE_CREDENTIAL",
            "TOKEN",
            "PASSWORD_1",
            "PASSWORD_OLD",
            "DB_PASSWORD_PROD",
            "PASSWORD_HASH",
            "SECRET_VALUE",
            "spring.datasource.password",
            "REDIS_AUTH_KEY",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn what_is_said_about_a_secret_is_none() {
        for name in [
            "TOKEN_TTL",
            "PASSWORD_MIN_LENGTH",
            "PASSWORD_LENGTH",
            "SECRET_NAME",
            "secretName",
            "OLDPWD",
            "TOKEN_URL",
            "PASSWORD_FILE",
            "TOKEN_BUCKET_RATE",
            "MAX_TOKENS",
            "AWS_ACCESS_KEY_ID",
            "API_KEY_HEADER",
            "PASS_THROUGH",
            "BYPASS",
            "COMPASS",
            "PASS",
            "KEY",
            "MONKEY",
            "KEYBOARD",
            "PRIMARY_KEY",
            "PARTITION_KEY",
            "USERNAME",
            "SECRETARY",
            "TOKENIZER",
            "AUTHOR",
            "PROFILE",
            "passwordPolicy",
            "credentialsDir",
            "",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
