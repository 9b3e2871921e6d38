//! `innkeeper serve COMPONENT --settings FILE`: runs one service, as in a pod.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use innkeeper_contracts::{ServiceSettings, pod};
use innkeeper_host::{Backing, Launch, Neighbours, Service};
use innkeeper_kit::clock::SystemClock;
use innkeeper_runtime::lifecycle::Lifecycle;
use innkeeper_runtime::server::{self, Limits, Listener, Unrouted};
use innkeeper_runtime::shutdown::EndSignals;

use crate::exit::Failure;
use crate::process::{self, CrashArguments};

/// The arguments of `innkeeper serve`.
#[derive(clap::Args)]
pub struct Arguments {
    /// What the service is: gateway, booking, payment, fulfillment or view.
    component: String,
    /// File with the settings of the service, as JSON.
    #[arg(long, value_name = "FILE", default_value = pod::SETTINGS_FILE)]
    settings: PathBuf,
    /// Where the business API is served; [::] is every address of both families.
    #[arg(long, value_name = "ADDRESS", default_value_t = everywhere(pod::BUSINESS_PORT))]
    listen: SocketAddr,
    /// Where probes, metrics, settings, dead letters and parked events are served.
    #[arg(long, value_name = "ADDRESS", default_value_t = everywhere(pod::ADMIN_PORT))]
    listen_admin: SocketAddr,
    /// Seconds to serve on after SIGTERM, while the service is taken out of the endpoints.
    #[arg(long, value_name = "SECONDS", default_value_t = pod::LEAVE_FOR.as_secs())]
    leave_for: u64,
    #[command(flatten)]
    crash: CrashArguments,
}

const fn everywhere(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port)
}

/// Runs one service until SIGTERM.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let settings = read_settings(&arguments.settings, &arguments.component)?;
    process::run(|signals| serve(arguments, settings, signals))
}

async fn serve(
    arguments: &Arguments,
    settings: ServiceSettings,
    mut signals: EndSignals,
) -> Result<(), Failure> {
    let listener = listen(arguments.listen).await?;
    let admin_listener = listen(arguments.listen_admin).await?;
    let log = match &settings.log {
        Some(log) => Some(innkeeper_broker::open(log).map_err(|error| Failure::failed(&error))?),
        None => None,
    };
    let launch = Launch {
        settings,
        listener,
        backing: log.map(Backing::Relayed),
        neighbours: Neighbours::default(),
        clock: Arc::new(SystemClock),
        crash: arguments.crash.plan(),
    };
    let started = tokio::select! {
        started = Service::start(launch) => started,
        () = signals.next() => return Ok(()),
    };
    let service = started.map_err(|error| Failure::failed(&error))?;
    let admin = Lifecycle::new();
    let serving = server::serve(
        admin_listener,
        service.admin.clone(),
        admin.clone(),
        Limits::default(),
        Unrouted::default(),
    );
    admin.spawn("admin server", serving);
    tracing::info!(service = service.name, address = %arguments.listen, "serving");

    signals.next().await;
    let startup = service.health.startup();
    let finished = service.stop(Duration::from_secs(arguments.leave_for)).await;
    admin.stop();
    match startup.missing.values().next() {
        Some(waits) => Err(ended_early(waits)),
        None => process::ended(finished),
    }
}

/// Told to end while it was starting, as when a startup probe gives it up: its last words say what
/// it waited for.
fn ended_early(waits: &str) -> Failure {
    Failure::Failed(format!(
        "it was told to end before start-up was over: {waits}"
    ))
}

async fn listen(address: SocketAddr) -> Result<Listener, Failure> {
    let listener = Listener::bind(address).await;
    listener.map_err(|error| Failure::Refused(format!("cannot listen on {address}: {error}")))
}

fn read_settings(file: &Path, component: &str) -> Result<ServiceSettings, Failure> {
    let path = file.display();
    let text = std::fs::read(file)
        .map_err(|error| Failure::Refused(format!("cannot read {path}: {error}")))?;
    let settings: ServiceSettings = serde_json::from_slice(&text)
        .map_err(|error| Failure::Refused(format!("{path}: {error}")))?;
    match settings.component.name() {
        name if name == component => Ok(settings),
        name => Err(Failure::Refused(format!(
            "{path} holds the settings of a {name}, not of a {component}"
        ))),
    }
}
