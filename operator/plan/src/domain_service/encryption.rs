//! Whether a service's connections to its database and to Kafka are encrypted.

use innkeeper_contracts::ServiceSettings;
use innkeeper_contracts::settings::{Database, Log, Tls};

/// Whether connections are encrypted; `None` if there are none, or as long as nobody knows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Encryption {
    /// Those to the database.
    pub database: Option<bool>,
    /// Whether connections to Kafka are encrypted.
    pub kafka: Option<bool>,
}

impl Encryption {
    /// What the settings tell of pods that run with them.
    pub fn of(settings: &ServiceSettings) -> Self {
        Self {
            database: match &settings.database {
                Some(Database::Postgres(postgres)) => postgres.tls.as_ref().map(Tls::is_on),
                Some(Database::Sqlite(_)) | None => None,
            },
            kafka: match &settings.log {
                Some(Log::Kafka(kafka)) => Some(kafka.tls.as_ref().is_some_and(Tls::is_on)),
                Some(Log::Sqlite(_)) | None => None,
            },
        }
    }
}

/// Whether the server decides, so that only a pod knows whether its connections to the database are
/// encrypted.
pub fn is_for_the_server_to_say(settings: &ServiceSettings) -> bool {
    matches!(&settings.database, Some(Database::Postgres(postgres)) if postgres.tls.is_none())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn settings(database: &Value, log: &Value) -> ServiceSettings {
        let mut service = crate::fixtures::service("pay", &json!({}));
        service.spec.settings.database = serde_json::from_value(database.clone()).unwrap();
        service.spec.settings.log = serde_json::from_value(log.clone()).unwrap();
        service.spec.settings
    }

    #[test]
    fn only_where_the_server_decides_the_settings_tell_nothing() {
        let told = |tls: Value| {
            let database = json!({ "postgres": {
                "host": "db", "database": "d", "schema": "s", "credentialsDir": "/etc", "tls": tls,
            } });
            let log = json!({ "kafka": {
                "bootstrapServers": "kafka:9092", "topic": "t", "group": "g", "tls": tls,
            } });
            let settings = settings(&database, &log);
            let Encryption { database, kafka } = Encryption::of(&settings);
            assert_eq!(is_for_the_server_to_say(&settings), database.is_none());
            (database, kafka)
        };
        assert_eq!(told(Value::Null), (None, Some(false)));
        assert_eq!(told(json!({ "mode": "Require" })), (Some(true), Some(true)));
        let off = told(json!({ "mode": "Disable" }));
        assert_eq!(off, (Some(false), Some(false)));
        let gateway = settings(&Value::Null, &Value::Null);
        assert_eq!(Encryption::of(&gateway), Encryption::default());
    }
}
