//! A script in a real browser, on a site of its own, calls the gateway.

use std::process::Stdio;

use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use innkeeper_testkit::patience::in_time;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::platform::Platform;

/// Reserves a car, reads the tag of the answer and what it points to, and cancels under that tag.
/// What came of it is told to the site. `GATEWAY` stands for the gateway's address.
const PAGE: &str = r#"<!DOCTYPE html>
<script type="module">
  const call = (path, init) => fetch('GATEWAY' + path, init);
  const told = {};
  try {
    const made = await call('/reservations', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'from a browser' },
      body: JSON.stringify({ userName: 'kim', userHp: '010-1234-5678', carId: '7', price: 50000 }),
    });
    told.made = [made.status, made.headers.get('location')];
    const tag = made.headers.get('etag');
    const shown = await call(made.headers.get('location'), { headers: { 'If-None-Match': tag } });
    told.shown = shown.status;
    const cancelled = await call('/reservations/1', {
      method: 'PATCH',
      headers: { 'Content-Type': 'application/json', 'If-Match': tag },
      body: JSON.stringify({ status: 'canceled' }),
    });
    told.cancelled = [cancelled.status, (await cancelled.json()).status];
    const nowhere = await call('/nowhere');
    told.nowhere = [nowhere.status, (await nowhere.json()).status];
  } catch (error) {
    told.error = String(error);
  }
  await fetch('/told', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(told),
  });
</script>
"#;

/// Serves a site with this page until its script tells something.
async fn serve(site: TcpListener, page: String) -> Value {
    let (tell, mut told) = mpsc::unbounded_channel();
    let tell = async move |Json(it): Json<Value>| tell.send(it).unwrap();
    let router = Router::new()
        .route("/", get(async || Html(page)))
        .route("/told", post(tell));
    let told = tokio::select! {
        ended = axum::serve(site, router) => panic!("the site ended: {ended:?}"),
        told = told.recv() => told,
    };
    told.unwrap()
}

/// A browser without a window that opens an address. It ends when it is dropped.
fn browse(address: &str, profile: &TempDir) -> Child {
    Command::new("chromium")
        // Root may not use the sandbox, and small machines have little shared memory.
        .args(["--headless", "--no-sandbox", "--disable-dev-shm-usage"])
        .args(["--disable-gpu", "--no-first-run", "--disable-extensions"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--remote-debugging-port=0", address])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("chromium starts; install it with: apt-get install chromium")
}

/// What the script tells that calls a platform, and how many reservations there are then.
async fn told_of(platform: &Platform) -> (Value, usize) {
    let innkeeper = platform.ready(&[]).await;
    let gateway = format!("http://127.0.0.1:{}", platform.gateway());
    let site = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = site.local_addr().unwrap().port();
    let profile = TempDir::new().unwrap();
    let mut browser = browse(&format!("http://localhost:{port}/"), &profile);
    let told = serve(site, PAGE.replace("GATEWAY", &gateway));
    let told = in_time("what the script tells", told).await;
    browser.kill().await.unwrap();
    let reservations = platform.items("/reservations").await.len();
    innkeeper.stop().await;
    (told, reservations)
}

#[tokio::test]
async fn a_script_of_another_site_books_a_car_and_reads_every_answer() {
    let expected = json!({
        "made": [201, "/reservations/1"],
        "shown": 304,
        "cancelled": [200, "canceled"],
        "nowhere": [404, 404],
    });
    assert_eq!(told_of(&Platform::rentcar()).await, (expected, 1));
}

#[tokio::test]
async fn a_script_of_another_site_reads_nothing_unless_the_file_allows_it() {
    let cors = r#", cors: { allowOrigins: ["*"] }"#;
    let told = told_of(&Platform::rentcar().with(cors, "")).await;
    assert_eq!(told, (json!({ "error": "TypeError: Failed to fetch" }), 0));
}
