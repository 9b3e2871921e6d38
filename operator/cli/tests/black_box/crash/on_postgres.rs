//! Each service in a process of its own, two of them for bookings on one database, on a real
//! PostgreSQL and a real Kafka. At every crash point one process dies and comes back while the
//! others go on. Clients book all the while, at both booking processes in turn.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use futures::join;
use innkeeper_contracts::ServiceSettings;
use innkeeper_contracts::pod::LIVEZ;
use innkeeper_contracts::settings::{Database, Log};
use innkeeper_local::platform::executor;
use innkeeper_plan::{ClusterDefaults, Executor, Facts, expand, read, validate};
use innkeeper_testkit::kafka::bootstrap_servers;
use innkeeper_testkit::patience::until;
use innkeeper_testkit::postgres::{Schema, server};
use nix::sys::signal::Signal;
use uuid::Uuid;

use super::clients::{Doors, Manner, Saga, book};
use super::kafka::Topic;
use super::postgres::{Schemas, database};
use super::quiet::quiet;
use super::stored::{Observable, Progress, Stored};
use super::{audit, replay, view};
use crate::http::{get, send};
use crate::platform::{Platform, free_port};
use crate::process::Innkeeper;

/// The pause of a client between two reservations.
const REST: Duration = Duration::from_millis(250);

const PENDING_TIMEOUT: &str = "3s";

/// The processes: each has a name, and the name of its service.
const PROCESSES: [(&str, &str); 6] = [
    ("pay", "pay"),
    (FIRST, "reservation"),
    (SECOND, "reservation"),
    ("rent", "rent"),
    ("myreservation", "myreservation"),
    ("gateway", "gateway"),
];
const FIRST: &str = "reservation";
const SECOND: &str = "reservation-2";

#[tokio::test]
async fn clients_that_retry_lose_and_double_nothing_wherever_a_process_dies() {
    survives(Manner::Retries).await;
}

#[tokio::test]
async fn clients_that_give_up_lose_and_double_nothing_wherever_a_process_dies() {
    survives(Manner::GivesUp).await;
}

/// Lets clients book until every process has died at all its crash points and is running again.
async fn survives(manner: Manner) {
    let site = Site::make().await;
    let _gateway = site.start("gateway", None);
    let over = Cell::new(false);
    let deaths = async {
        let processes = site.deaths().await;
        over.set(true);
        processes
    };
    let traffic = async {
        site.listens().await;
        let wants_more = async |_| {
            tokio::time::sleep(REST).await;
            !over.get()
        };
        book(&site.doors(), manner, "client", wants_more).await
    };
    let (_processes, sagas) = join!(deaths, traffic);
    site.audited(&sagas, manner).await;
}

/// A platform whose services are separate processes. The test stops them before it drops this
/// value.
pub struct Site {
    ports: BTreeMap<&'static str, Ports>,
    schemas: Schemas,
    topic: Topic,
    rentcar: Platform,
}

struct Ports {
    business: u16,
    admin: u16,
}

impl Site {
    pub async fn make() -> Self {
        let name = format!("crash-{}", &Uuid::now_v7().simple().to_string()[16..]);
        let found = "metadata:\n  name: rentcar";
        let rentcar = Platform::rentcar()
            .with(found, &format!("metadata:\n  name: {name}"))
            .with_pending_timeout(PENDING_TIMEOUT);
        let settings = all_settings(&rentcar, &name);
        let consumers: Vec<_> = settings.iter().filter_map(kafka).collect();
        Self {
            ports: ports(&rentcar),
            schemas: Schemas::new(settings.iter().filter_map(schema).collect()),
            topic: Topic::make(&consumers).await,
            rentcar,
        }
    }

    /// The platform file and the ports. Requests through the gateway go to the first process of
    /// each service.
    pub const fn rentcar(&self) -> &Platform {
        &self.rentcar
    }

    pub fn start_all(&self) -> Vec<Innkeeper> {
        let all = PROCESSES.iter().map(|(name, _)| self.start(name, None));
        all.collect()
    }

    /// Lets all processes die concurrently, and returns the processes that run in the end.
    async fn deaths(&self) -> Vec<Innkeeper> {
        let (pay, rent, view, bookings) = join!(
            self.dies("pay", &["log-appended:4", "effect-committed:4"]),
            self.dies("rent", &["effect-committed:2"]),
            self.dies("myreservation", &["effect-committed:6"]),
            self.bookings_die(),
        );
        [pay, rent, view].into_iter().chain(bookings).collect()
    }

    /// Lets a process die at one crash point after another.
    async fn dies(&self, name: &str, crash_points: &[&str]) -> Innkeeper {
        for crash_point in crash_points {
            self.start(name, Some(crash_point)).killed().await;
        }
        self.start(name, None)
    }

    /// Lets the second process die while the first one relays. Then each of them dies while it
    /// relays, and the other takes over.
    async fn bookings_die(&self) -> [Innkeeper; 2] {
        let mut first = self.start(FIRST, None);
        answers(self.ports[FIRST].admin, LIVEZ).await;
        self.wait_for_a_later_lease(0).await;
        let placing = [
            "pending-committed:3",
            "authorized:3",
            "confirmed-committed:3",
        ];
        for crash_point in placing {
            self.start(SECOND, Some(crash_point)).killed().await;
        }
        let mut second = self.start(SECOND, Some("log-appended:3"));
        answers(self.ports[SECOND].admin, LIVEZ).await;
        first.signal(Signal::SIGKILL);
        first.killed().await;
        second.killed().await;
        let before = self.schemas.relayed_until().await;
        let mut first = self.start(FIRST, Some("outbox-sending:3"));
        self.wait_for_a_later_lease(before).await;
        let second = self.start(SECOND, None);
        first.killed().await;
        let before = self.schemas.relayed_until().await;
        self.wait_for_a_later_lease(before).await;
        [self.start(FIRST, None), second]
    }

    /// Waits until a lease on relaying lasts longer than `before`.
    async fn wait_for_a_later_lease(&self, before: i64) {
        until("another process relays", async || {
            let now = self.schemas.relayed_until().await;
            let later = now > before;
            later.then_some(()).ok_or(format!("{now}, as before"))
        })
        .await;
    }

    async fn audited(&self, sagas: &[Saga], manner: Manner) {
        let doors = self.doors();
        quiet(self).await;
        let mut faults = replay::faults(&doors, sagas).await;
        let stored = quiet(self).await;
        faults.extend(audit::faults(sagas, manner, &stored));
        faults.extend(view::faults(doors.gateway).await);
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    /// Starts a process, with an optional crash point.
    fn start(&self, name: &str, crash_point: Option<&str>) -> Innkeeper {
        let service = service_of(name);
        let ports = &self.ports[name];
        let listen = format!("127.0.0.1:{}", ports.business);
        let listen_admin = format!("127.0.0.1:{}", ports.admin);
        let file = format!("{service}.json");
        let mut arguments = vec!["serve", component(service), "--settings", &file];
        arguments.extend(["--listen", &listen, "--listen-admin", &listen_admin]);
        arguments.extend(["--leave-for", "0"]);
        arguments.extend(
            crash_point
                .iter()
                .flat_map(|point| ["--crash-after", point]),
        );
        Innkeeper::spawn(self.rentcar.folder(), name, &arguments)
    }

    /// Waits until reservations and payments can be read.
    pub async fn listens(&self) {
        for path in ["/reservations", "/pays"] {
            answers(self.ports["gateway"].business, path).await;
        }
    }

    /// What is stored once nothing is under way.
    pub async fn quiet(&self) -> Stored {
        quiet(self).await
    }

    fn doors(&self) -> Doors {
        Doors {
            bookings: vec![self.ports[FIRST].business, self.ports[SECOND].business],
            gateway: self.ports["gateway"].business,
        }
    }
}

async fn answers(port: u16, path: &str) {
    until("an answer", async || match send(port, get(path)).await {
        Ok(answer) if answer.status == 200 => Ok(()),
        other => Err(format!("{port}{path}: {other:?}")),
    })
    .await;
}

impl Observable for Site {
    async fn stored(&self) -> Stored {
        self.schemas.stored().await
    }

    async fn log(&self) -> Progress {
        self.topic.progress()
    }
}

fn service_of(process: &str) -> &'static str {
    let found = PROCESSES.iter().find(|(name, _)| *name == process);
    found.unwrap().1
}

fn component(service: &str) -> &'static str {
    match service {
        "reservation" => "booking",
        "pay" => "payment",
        "rent" => "fulfillment",
        "myreservation" => "view",
        _ => "gateway",
    }
}

/// The first process of a service has the port of the file; the second has a free one.
fn ports(rentcar: &Platform) -> BTreeMap<&'static str, Ports> {
    let ports = PROCESSES.map(|(process, service)| {
        let business = if process == service {
            rentcar.port(service)
        } else {
            free_port()
        };
        let admin = free_port();
        (process, Ports { business, admin })
    });
    ports.into_iter().collect()
}

/// Writes the settings of every service to the folder and returns them: databases and topic as on a
/// cluster, addresses as on this machine.
fn all_settings(rentcar: &Platform, platform: &str) -> Vec<ServiceSettings> {
    let on_cluster = Executor::Cluster(ClusterDefaults {
        bootstrap_servers: Some(bootstrap_servers()),
        database: Some(database()),
        ..ClusterDefaults::default()
    });
    let here = executor(rentcar.folder(), platform);
    let addressed = planned(rentcar, &here);
    let backed = planned(rentcar, &on_cluster).into_iter().zip(addressed);
    let all = backed.map(|(backed, addressed)| ServiceSettings {
        component: addressed.component,
        database: backed
            .database
            .map(|database| with_credentials(rentcar, database)),
        ..backed
    });
    all.inspect(|settings| save(rentcar, settings)).collect()
}

fn planned(rentcar: &Platform, executor: &Executor) -> Vec<ServiceSettings> {
    let text = fs::read_to_string(rentcar.file()).unwrap();
    let mut platform = read(&text).unwrap().platforms.remove(0).platform;
    platform.metadata.namespace = Some("default".to_owned());
    let platform = validate(&platform, executor).unwrap();
    let services = expand(&platform, executor, &Facts::default()).services;
    services.into_iter().map(|it| it.spec.settings).collect()
}

fn with_credentials(rentcar: &Platform, database: Database) -> Database {
    let Database::Postgres(mut postgres) = database else {
        return database;
    };
    let server = server();
    postgres.credentials_dir = rentcar.folder().to_owned();
    fs::write(postgres.credentials_dir.join("username"), server.username).unwrap();
    fs::write(postgres.credentials_dir.join("password"), server.password).unwrap();
    Database::Postgres(postgres)
}

fn save(rentcar: &Platform, settings: &ServiceSettings) {
    let file = rentcar.folder().join(format!("{}.json", settings.service));
    fs::write(file, serde_json::to_vec(settings).unwrap()).unwrap();
}

fn schema(settings: &ServiceSettings) -> Option<(String, Schema)> {
    match settings.database.as_ref()? {
        Database::Postgres(postgres) => {
            let name = postgres.schema.clone();
            Some((settings.service.clone(), Schema { name }))
        }
        Database::Sqlite(_) => None,
    }
}

fn kafka(settings: &ServiceSettings) -> Option<innkeeper_contracts::settings::Kafka> {
    match settings.log.as_ref()? {
        Log::Kafka(kafka) => Some(kafka.clone()),
        Log::Sqlite(_) => None,
    }
}
