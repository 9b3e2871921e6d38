//! No secret is shown on a screen, in a log, or by the admin API.

use std::fs;

use serde_json::{Value, json};

use crate::http::{get, send};
use crate::platform::Platform;
use crate::process::Innkeeper;

const CREDENTIALS: &str = "env: { DATABASE_URL: 'postgres://kim:s3cret@db/app', DB_PWD: s3cret, PASSPHRASE: s3cret, PLAIN: s3cret }";

fn rentcar_with_credentials() -> Platform {
    Platform::rentcar().with("env: { PROFILE: docker }", CREDENTIALS)
}

/// The exit code, output and log of a command.
async fn outcome(rentcar: &Platform, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut innkeeper = Innkeeper::spawn(rentcar.folder(), "outcome", arguments);
    let code = innkeeper.ended().await.code();
    (code, innkeeper.screen(), innkeeper.log())
}

fn warns_of_three(said: &str) {
    let warnings: Vec<_> = said
        .lines()
        .filter(|line| line.starts_with("warning: "))
        .collect();
    assert_eq!(warnings.len(), 3, "{said}");
    for (warning, name) in warnings
        .iter()
        .zip(["DATABASE_URL", "DB_PWD", "PASSPHRASE"])
    {
        let field_path = format!("spec.services[4].config.env.{name}: ");
        assert!(
            warning.contains("rentcar.yaml: line ") && warning.contains(&field_path),
            "{warning}"
        );
        assert!(warning.contains("Secret"), "{warning}");
    }
    assert!(!said.contains("s3cret"), "{said}");
}

#[tokio::test]
async fn validate_warns_of_credentials_and_takes_the_file() {
    let (code, screen, log) =
        outcome(&rentcar_with_credentials(), &["validate", "rentcar.yaml"]).await;
    assert_eq!(code, Some(0), "{log}");
    assert!(
        screen.contains("rentcar is valid, with 5 services"),
        "{screen}"
    );
    warns_of_three(&log);
    let (_, _, log) = outcome(&Platform::rentcar(), &["validate", "rentcar.yaml"]).await;
    assert_eq!(log, "");
}

#[tokio::test]
async fn plan_prints_objects_whole() {
    let (code, screen, log) = outcome(&rentcar_with_credentials(), &["plan", "rentcar.yaml"]).await;
    assert_eq!((code, log.as_str()), (Some(0), ""));
    assert!(
        screen.contains("DATABASE_URL: postgres://kim:s3cret@db/app"),
        "{screen}"
    );
    assert!(!screen.contains("***"), "{screen}");
}

#[tokio::test]
async fn dev_warns_of_credentials_once_and_shows_none() {
    let rentcar = rentcar_with_credentials();
    let innkeeper = rentcar.ready(&[]).await;
    warns_of_three(&innkeeper.log());
    assert!(
        !innkeeper.screen().contains("s3cret"),
        "{}",
        innkeeper.screen()
    );
    let settings = send(rentcar.admin(), get("/rentcar/myreservation/settings"))
        .await
        .unwrap();
    assert!(!settings.text.contains("s3cret"), "{}", settings.text);
    let names = json!(["DATABASE_URL", "DB_PWD", "PASSPHRASE", "PLAIN"]);
    assert_eq!(settings.json()["config"]["env"], names);
    innkeeper.stop().await;
}

#[tokio::test]
async fn a_refusal_shows_no_password() {
    let rentcar = Platform::rentcar();
    let settings = |change: fn(&mut Value)| {
        let mut settings = json!({
            "namespace": "n", "platform": "p", "service": "gateway",
            "component": { "gateway": { "routes": [{
                "service": "pay", "paths": ["/pays"], "address": "https://kim:s3cret@pay:8080",
            }] } },
        });
        change(&mut settings);
        fs::write(rentcar.folder().join("settings.json"), settings.to_string()).unwrap();
    };
    let serve = [
        "serve",
        "gateway",
        "--settings",
        "settings.json",
        "--listen",
        "127.0.0.1:0",
        "--listen-admin",
        "127.0.0.1:0",
    ];

    settings(|_| ());
    let (code, _, log) = outcome(&rentcar, &serve).await;
    assert_eq!(code, Some(1), "{log}");
    assert!(
        log.contains("the address https://***@pay:8080 of pay"),
        "{log}"
    );

    for secret in [json!(471_108), json!({ "a": "s3cret" }), json!(["s3cret"])] {
        settings(|settings| settings["config"] = json!({ "PIN": null }));
        let file = rentcar.folder().join("settings.json");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("null", &secret.to_string())).unwrap();
        let (code, _, log) = outcome(&rentcar, &serve).await;
        assert_eq!(code, Some(2), "{log}");
        assert!(log.contains("settings.json: invalid type"), "{log}");
        assert!(!log.contains("471108") && !log.contains("s3cret"), "{log}");
    }

    for words in [
        ["validate", "https://kim:s3cret@host/rentcar.yaml"],
        ["dev", "--admin-port=kim:s3cret@host"],
    ] {
        let (code, _, log) = outcome(&rentcar, &words).await;
        assert_eq!(code, Some(2), "{log}");
        assert!(log.contains("***@host") && !log.contains("s3cret"), "{log}");
    }
}
