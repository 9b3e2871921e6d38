//! What cannot run is refused with one clear message and exit code 2, and nothing is started.

use std::fs;
use std::net::TcpListener;

use crate::http::{get, send};
use crate::platform::{Platform, kims_wish};
use crate::process::Innkeeper;

/// The error message of a command that is refused.
async fn refusal(rentcar: &Platform, arguments: &[&str]) -> String {
    let mut innkeeper = Innkeeper::spawn(rentcar.folder(), "refused", arguments);
    let status = innkeeper.ended().await;
    let said = innkeeper.log();
    assert_eq!(
        (status.code(), innkeeper.screen().as_str()),
        (Some(2), ""),
        "{said}"
    );
    said
}

async fn dev(rentcar: &Platform, arguments: &[&str]) -> String {
    let admin = rentcar.admin().to_string();
    let mut all = vec!["dev", "rentcar.yaml", "--admin-port", &admin];
    all.extend(arguments);
    refusal(rentcar, &all).await
}

fn is_one_message(said: &str, parts: &[&str]) {
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("error: "), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part} in {said}");
    }
}

fn nothing_was_made(rentcar: &Platform) {
    assert!(
        !rentcar.folder().join(".innkeeper").exists(),
        "there is a data folder"
    );
}

#[tokio::test]
async fn a_taken_port_is_named_with_its_service() {
    let rentcar = Platform::rentcar();
    let port = rentcar.port("rent");
    let _taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    is_one_message(
        &dev(&rentcar, &[]).await,
        &["rent", &port.to_string(), "dev.port"],
    );
    nothing_was_made(&rentcar);
}

#[tokio::test]
async fn a_data_folder_of_a_file_for_each_service_is_refused_and_left_as_it_is() {
    let rentcar = Platform::rentcar();
    fs::create_dir_all(rentcar.data()).unwrap();
    for name in ["log.1.db", "reservation.1.db"] {
        fs::write(rentcar.data().join(name), "of an earlier release").unwrap();
    }
    let said = dev(&rentcar, &[]).await;
    is_one_message(&said, &["log.1.db", "0.3.0", "rentcar", "--data"]);
    let left = fs::read_dir(rentcar.data()).unwrap();
    assert_eq!(left.count(), 2, "nothing was made");
    rentcar.ready(&["--data", "other"]).await.stop().await;
}

#[tokio::test]
async fn a_taken_admin_port_is_named_with_its_option() {
    let rentcar = Platform::rentcar();
    let _taken = TcpListener::bind(("127.0.0.1", rentcar.admin())).unwrap();
    is_one_message(
        &dev(&rentcar, &[]).await,
        &[&rentcar.admin().to_string(), "--admin-port"],
    );
    nothing_was_made(&rentcar);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_named() {
    let rentcar = Platform::rentcar();
    is_one_message(
        &refusal(&rentcar, &["dev", "missing.yaml"]).await,
        &["missing.yaml", "No such file"],
    );
    fs::write(rentcar.file(), b"\xff\xfe").unwrap();
    is_one_message(&dev(&rentcar, &[]).await, &["rentcar.yaml", "UTF-8"]);
    fs::write(rentcar.file(), "kind: [").unwrap();
    is_one_message(&dev(&rentcar, &[]).await, &["rentcar.yaml:"]);
    nothing_was_made(&rentcar);
}

#[tokio::test]
async fn a_wrong_field_is_named_with_file_line_place_and_what_was_expected() {
    let rentcar = Platform::rentcar().with("startOn: PaymentCaptured", "startOn: Someday");
    let line = 1 + fs::read_to_string(rentcar.file())
        .unwrap()
        .lines()
        .position(|line| line.contains("Someday"))
        .unwrap();
    let parts = [
        "rentcar.yaml",
        &format!("line {line}"),
        "spec.services[3].fulfillment.startOn",
        "PaymentCaptured",
    ];
    is_one_message(&dev(&rentcar, &[]).await, &parts);
    is_one_message(
        &refusal(&rentcar, &["validate", "rentcar.yaml"]).await,
        &parts,
    );
    nothing_was_made(&rentcar);
}

#[tokio::test]
async fn a_field_that_nobody_knows_is_named() {
    let rentcar = Platform::rentcar().with("startAs: InProgress", "startsAs: InProgress");
    is_one_message(&dev(&rentcar, &[]).await, &["rentcar.yaml", "startsAs"]);
    nothing_was_made(&rentcar);
}

#[tokio::test]
async fn a_service_that_is_not_there_cannot_be_left_out() {
    let rentcar = Platform::rentcar();
    is_one_message(
        &dev(&rentcar, &["--without", "bank"]).await,
        &["bank", "pay", "reservation"],
    );
    nothing_was_made(&rentcar);
}

#[tokio::test]
async fn a_second_instance_on_the_same_data_is_refused_and_the_first_goes_on() {
    let first = Platform::rentcar();
    let innkeeper = first.ready(&[]).await;
    let second = Platform::rentcar();
    let data = first.folder().join(".innkeeper");

    let said = dev(&second, &["--data", data.to_str().unwrap()]).await;

    is_one_message(&said, &["in use by another process"]);
    nothing_was_made(&second);
    assert!(
        send(second.gateway(), get("/reservations")).await.is_err(),
        "no port is taken"
    );
    assert_eq!(first.post("/reservations", &kims_wish()).await.status, 201);
    innkeeper.stop().await;
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_made_is_named() {
    let rentcar = Platform::rentcar();
    is_one_message(
        &dev(&rentcar, &["--data", "rentcar.yaml"]).await,
        &["rentcar.yaml/rentcar", "data folder"],
    );
    nothing_was_made(&rentcar);
}

#[tokio::test]
async fn a_valid_file_is_said_to_be_valid_and_nothing_is_touched() {
    let rentcar = Platform::rentcar();
    let mut innkeeper =
        Innkeeper::spawn(rentcar.folder(), "validate", &["validate", "rentcar.yaml"]);
    assert_eq!(
        innkeeper.ended().await.code(),
        Some(0),
        "{}",
        innkeeper.log()
    );
    let said = innkeeper.screen();
    assert!(said.contains("rentcar is valid, with 5 services"), "{said}");
    nothing_was_made(&rentcar);
}
