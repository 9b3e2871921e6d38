//! `innkeeper dev FILE…`: runs platforms on this machine, in one process.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use innkeeper_contracts::pod;
use innkeeper_contracts::secret::masked;
use innkeeper_local::platform::{Options, Platform, Prepared, executor};
use innkeeper_local::screen::screen;
use innkeeper_plan::ValidatedPlatform;
use innkeeper_runtime::lifecycle::Lifecycle;
use innkeeper_runtime::server::{self, Limits, Listener, Unrouted};
use innkeeper_runtime::shutdown::EndSignals;

use crate::exit::Failure;
use crate::files::{self, PlatformFile};
use crate::process::{self, CrashArguments};

/// How long the first screen waits for services to become ready.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// The arguments of `innkeeper dev`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Platform files; - is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where data is kept; each platform has a folder of its own in it.
    #[arg(long, value_name = "FOLDER", default_value = ".innkeeper")]
    data: PathBuf,
    /// Leave a service out; may be given several times.
    #[arg(long, value_name = "SERVICE")]
    without: Vec<String>,
    /// Port of probes, metrics, settings, dead letters and parked events, below /PLATFORM/SERVICE.
    #[arg(long, value_name = "PORT", default_value_t = pod::ADMIN_PORT)]
    admin_port: u16,
    #[command(flatten)]
    crash: CrashArguments,
}

/// Runs platforms until Ctrl-C or SIGTERM.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut plans = Vec::new();
    let files = files::read(&arguments.files)?;
    // Each has a folder of its name on this machine, whatever its namespace.
    files::refuse_twins(&files, PlatformFile::name)?;
    for file in files {
        let executor = executor(&arguments.data, file.name());
        let plan = file.validate(&executor).map_err(Failure::Refused)?;
        file.warn();
        plans.push((plan, executor));
    }
    let options = Options {
        without: arguments.without.iter().cloned().collect::<BTreeSet<_>>(),
    };
    process::run_beside_writer(|signals| develop(arguments, &plans, &options, signals))
}

async fn develop(
    arguments: &Arguments,
    plans: &[(ValidatedPlatform, innkeeper_plan::Executor)],
    options: &Options,
    mut signals: EndSignals,
) -> Result<(), Failure> {
    let mut prepared = Vec::new();
    for (plan, executor) in plans {
        let bound = Prepared::bind(plan, executor, options).await;
        prepared.push(bound.map_err(|error| Failure::refused(&error))?);
    }
    let (admin_listener, admin_address) = listen_admin(arguments.admin_port).await?;
    let crash = arguments.crash.plan();
    let mut platforms: Vec<Platform> = Vec::new();
    for bound in prepared {
        match bound.start(crash.clone()).await {
            Ok(platform) => platforms.push(platform),
            Err(error) => {
                stop(platforms).await;
                return Err(Failure::refused(&error));
            }
        }
    }
    let admin = Lifecycle::new();
    admin.spawn(
        "admin server",
        server::serve(
            admin_listener,
            admin_router(&platforms),
            admin.clone(),
            Limits::default(),
            Unrouted::default(),
        ),
    );
    for ((plan, _), platform) in plans.iter().zip(&platforms) {
        platform.wait_until_ready(READY_WITHIN).await;
        let screen = screen(platform, plan, options, admin_address);
        print!("{}", masked(&screen));
    }

    signals.next().await;
    let finished = stop(platforms).await;
    admin.stop();
    process::ended(finished)
}

async fn stop(platforms: Vec<Platform>) -> bool {
    let mut finished = true;
    for platform in platforms {
        finished &= platform.stop().await;
    }
    finished
}

async fn listen_admin(port: u16) -> Result<(Listener, SocketAddr), Failure> {
    let refused = |error: std::io::Error| {
        let what = "probes, metrics and settings cannot be served on port";
        Failure::Refused(format!(
            "{what} {port}: {error}; stop what uses it, or choose another --admin-port"
        ))
    };
    let listener = Listener::bind_loopback(port).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}

/// One admin API for all services, each below `/PLATFORM/SERVICE`, with a page that lists their
/// paths.
fn admin_router(platforms: &[Platform]) -> Router {
    let mut router = Router::new();
    let mut listing = String::new();
    for platform in platforms {
        for running in &platform.services {
            let prefix = format!("/{}/{}", platform.name, running.service.name);
            for path in [
                pod::LIVEZ,
                pod::READYZ,
                pod::STARTUPZ,
                pod::METRICS,
                pod::SETTINGS,
            ] {
                listing.extend([&prefix, path, "\n"]);
            }
            if running.service.has_dead_letters() {
                listing.extend([&prefix, pod::DEAD_LETTERS, "\n"]);
            }
            if running.service.has_parked_events() {
                listing.extend([&prefix, pod::PARKED_EVENTS, "\n"]);
            }
            router = router.nest(&prefix, running.service.admin.clone());
        }
    }
    router.route("/", axum::routing::get(async move || listing))
}
