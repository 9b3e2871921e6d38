//! An example on this machine, in its own folder and on its own ports.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use hyper::Request;
use innkeeper_testkit::patience::{PATIENCE, until, until_within};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{Answer, get, patch, post, send};
use crate::process::Innkeeper;

/// An example: its name, and its services with the ports that it gives them.
struct Example {
    name: &'static str,
    services: [(&'static str, u16); 5],
}

const RENTCAR: Example = Example {
    name: "rentcar",
    services: [
        ("gateway", 8080),
        ("reservation", 8081),
        ("pay", 8082),
        ("rent", 8083),
        ("myreservation", 8084),
    ],
};

const BURGERQUEEN: Example = Example {
    name: "burgerqueen",
    services: [
        ("gateway", 8088),
        ("order", 8084),
        ("payment", 8085),
        ("delivery", 8086),
        ("orderdashboard", 8087),
    ],
};

/// How soon each service knows what happened elsewhere.
pub const SOON: Duration = Duration::from_secs(1);

/// Ports below the system's ephemeral range, so that none is taken while its process is down.
const FIRST_PORT: u16 = 10_000;
const LAST_PORT: u16 = 32_000;

/// The distance between the ports of two test processes that start one after another, so that they
/// can run concurrently.
const APART: u32 = 7_919;

/// An example with changes.
pub struct Platform {
    example: Example,
    folder: TempDir,
    ports: Vec<u16>,
    admin: u16,
}

impl Example {
    fn text(&self) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        fs::read_to_string(folder.join(format!("{}.yaml", self.name))).unwrap()
    }
}

/// The text of the example of a car rental.
pub fn example() -> String {
    RENTCAR.text()
}

/// The text with one passage of it replaced.
pub fn changed(text: &str, found: &str, instead: &str) -> String {
    assert_eq!(text.matches(found).count(), 1, "{found}");
    text.replace(found, instead)
}

/// A port that nobody listens on, and that no other test of this process gets.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let all = LAST_PORT - FIRST_PORT;
    let first = std::process::id().wrapping_mul(APART) % u32::from(all);
    let first = u16::try_from(first).unwrap();
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST_PORT + (first + step % all) % all;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// What a client of S0 sends.
pub fn kims_wish() -> Value {
    json!({ "userName": "kim", "userHp": "010-1234-5678", "carId": "7", "period": "3", "price": "50000" })
}

impl Platform {
    /// The car rental with free ports.
    pub fn rentcar() -> Self {
        Self::of(RENTCAR)
    }

    /// The sauce orders with free ports.
    pub fn burgerqueen() -> Self {
        Self::of(BURGERQUEEN)
    }

    fn of(example: Example) -> Self {
        let mut text = example.text();
        let ports: Vec<u16> = example.services.iter().map(|_| free_port()).collect();
        for ((_, given), port) in example.services.iter().zip(&ports) {
            text = changed(
                &text,
                &format!("port: {given} }}"),
                &format!("port: {port} }}"),
            );
        }
        let folder = TempDir::new().unwrap();
        let file = folder.path().join(format!("{}.yaml", example.name));
        fs::write(file, text).unwrap();
        Self {
            example,
            folder,
            ports,
            admin: free_port(),
        }
    }

    /// The same with one passage of the file replaced.
    pub fn with(self, found: &str, instead: &str) -> Self {
        let text = changed(&fs::read_to_string(self.file()).unwrap(), found, instead);
        fs::write(self.file(), text).unwrap();
        self
    }

    /// The same with another time after which a pending booking is settled.
    pub fn with_pending_timeout(self, timeout: &str) -> Self {
        let found = "payment: { service: pay, when: OnPlacement }";
        self.with(
            found,
            &format!("{found}\n        pendingTimeout: {timeout}"),
        )
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self) -> PathBuf {
        self.folder().join(format!("{}.yaml", self.example.name))
    }

    pub fn data(&self) -> PathBuf {
        self.folder().join(".innkeeper").join(self.example.name)
    }

    pub fn admin(&self) -> u16 {
        self.admin
    }

    pub fn gateway(&self) -> u16 {
        self.port("gateway")
    }

    /// The port of a service.
    pub fn port(&self, service: &str) -> u16 {
        let mut names = self.example.services.iter();
        let index = names.position(|(name, _)| *name == service);
        self.ports[index.unwrap()]
    }

    /// Starts `innkeeper dev` on the file.
    pub fn start(&self, arguments: &[&str]) -> Innkeeper {
        let admin = self.admin.to_string();
        let file = format!("{}.yaml", self.example.name);
        let mut all = vec!["dev", &file, "--admin-port", &admin];
        all.extend(arguments);
        Innkeeper::spawn(self.folder(), "dev", &all)
    }

    /// The same, and waits until every service is ready.
    pub async fn ready(&self, arguments: &[&str]) -> Innkeeper {
        let started = self.start(arguments);
        until("every service is ready", async || {
            let screen = started.screen();
            if screen.contains("Ctrl-C ends it") {
                Ok(())
            } else {
                Err(format!("{screen}{}", started.log()))
            }
        })
        .await;
        started
    }

    /// Sends a request through the gateway.
    pub async fn send(&self, request: Request<String>) -> Answer {
        send(self.gateway(), request).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(get(path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(post(path, body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(patch(path, body)).await
    }

    /// The items of a list's first page.
    pub async fn items(&self, path: &str) -> Vec<Value> {
        items(&self.get(path).await.json(), path)
    }

    /// Waits until the only row of a list has these fields.
    pub async fn shows(&self, list: &str, expected: &Value) {
        self.shows_within(PATIENCE, list, expected).await;
    }

    /// The same, as soon as each service of a platform knows what happened elsewhere.
    pub async fn soon_shows(&self, list: &str, expected: Value) {
        self.shows_within(SOON, list, &expected).await;
    }

    /// The same, with a deadline.
    pub async fn shows_within(&self, within: Duration, list: &str, expected: &Value) {
        let fields = expected.as_object().unwrap();
        until_within(within, "the only row", async || {
            let rows = self.items(list).await;
            let shown = |row: &Value| fields.iter().all(|(name, value)| row[name] == *value);
            match &rows[..] {
                [row] if shown(row) => Ok(()),
                rows => Err(format!("{list} shows {rows:?}, not {expected}")),
            }
        })
        .await;
    }
}

/// The items of a page.
pub fn items(page: &Value, path: &str) -> Vec<Value> {
    let name = path.split(['?', '/']).nth(1).unwrap();
    page["_embedded"][name].as_array().unwrap().clone()
}
