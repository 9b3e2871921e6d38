//! A whole platform in this process: prepared, so that nothing starts unless everything can, then started, then ended in order.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use innkeeper_broker::SqliteLog;
use innkeeper_contracts::ServiceSettings;
use innkeeper_contracts::settings::Log;
use innkeeper_host::{Launch, Service, StartError};
use innkeeper_kit::clock::SystemClock;
use innkeeper_kit::{Clock, CrashPlan, log};
use innkeeper_plan::expand::dev_ports;
use innkeeper_plan::{Executor, Facts, LocalDefaults, ValidatedPlatform, expand};
use tokio::net::TcpListener;

/// Why a platform cannot run here; nothing of it does.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A service to be left out is not in the file.
    #[error("there is no service {name} to leave out; the services are {}", known.join(", "))]
    Without {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A port cannot be taken.
    #[error(
        "{service} cannot listen on port {port}; stop what uses it, or choose another dev.port"
    )]
    Port {
        /// The service.
        service: String,
        /// Its port.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
    /// The data folder cannot be made.
    #[error("cannot make the data folder {}", folder.display())]
    Data {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The log cannot be opened.
    #[error(transparent)]
    Log(#[from] innkeeper_broker::sqlite::SqliteOpenError),
    /// A service cannot start.
    #[error("{service} cannot start")]
    Start {
        /// Its name.
        service: String,
        /// Why.
        source: StartError,
    },
}

/// How a platform is to run here.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The services to leave out.
    pub without: BTreeSet<String>,
}

/// A platform whose every port is taken, and which has touched nothing else yet.
pub struct Prepared {
    name: String,
    data: PathBuf,
    services: Vec<Bound>,
}

struct Bound {
    settings: ServiceSettings,
    listener: TcpListener,
    address: SocketAddr,
}

/// A platform that runs.
pub struct Platform {
    /// Its name.
    pub name: String,
    /// Its data folder.
    pub data: PathBuf,
    /// Its services with their addresses: gateways, then callees before their callers.
    pub services: Vec<Running>,
}

/// A service that runs, and where.
pub struct Running {
    /// Its address.
    pub address: SocketAddr,
    /// Its path; empty for a gateway.
    pub path: String,
    /// The service.
    pub service: Service,
}

/// The executor of a platform on this machine; each has a folder of its own below `data`.
pub fn executor(data: &Path, platform: &str) -> Executor {
    Executor::Local(LocalDefaults {
        data: data.join(platform),
        ports: BTreeMap::new(),
    })
}

impl Prepared {
    /// Takes every port that the platform needs.
    pub async fn bind(
        platform: &ValidatedPlatform,
        executor: &Executor,
        options: &Options,
    ) -> Result<Self, Error> {
        check_names(platform, options)?;
        let ports = ports(platform, executor);
        let mut services = Vec::new();
        for resource in expand(platform, executor, &Facts::default()).services {
            let settings = resource.spec.settings;
            if !options.without.contains(&settings.service) {
                let port = ports.get(&settings.service).copied().unwrap_or_default();
                services.push(bind(settings, port).await?);
            }
        }
        let data = match executor {
            Executor::Local(local) => local.data.clone(),
            Executor::Cluster(_) => PathBuf::new(),
        };
        Ok(Self {
            name: platform.name.clone(),
            data,
            services,
        })
    }

    /// Starts every service; when one cannot, those that have started are ended again.
    pub async fn start(self, crash: CrashPlan) -> Result<Platform, Error> {
        std::fs::create_dir_all(&self.data).map_err(|source| Error::Data {
            folder: self.data.clone(),
            source,
        })?;
        let log = open_log(&self.services)?;
        let mut platform = Platform {
            name: self.name,
            data: self.data,
            services: Vec::new(),
        };
        for bound in self.services {
            match start(bound, log.as_ref(), &crash).await {
                Ok(running) => platform.services.push(running),
                Err(error) => {
                    platform.stop().await;
                    return Err(error);
                }
            }
        }
        Ok(platform)
    }
}

impl Platform {
    /// Waits until every service wants traffic; false when some do not in time.
    pub async fn wait_until_ready(&self, within: Duration) -> bool {
        let all_ready = async {
            while !self
                .services
                .iter()
                .all(|running| running.service.health.readiness().ok)
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(within, all_ready).await.is_ok()
    }

    /// Ends every service, gateways first and callers before their callees, so that each finishes what it has begun with all that it
    /// needs; false when something had to be left behind.
    pub async fn stop(self) -> bool {
        let (gateways, services): (Vec<_>, Vec<_>) = self
            .services
            .into_iter()
            .partition(|running| running.path.is_empty());
        let mut finished = true;
        for running in gateways.into_iter().chain(services.into_iter().rev()) {
            finished &= running.service.stop(Duration::ZERO).await;
        }
        finished
    }
}

/// The port of every service: what the executor knows, else the plan's.
fn ports(platform: &ValidatedPlatform, executor: &Executor) -> BTreeMap<String, u16> {
    let mut ports = dev_ports(platform);
    if let Executor::Local(local) = executor {
        ports.extend(local.ports.clone());
    }
    ports
}

fn check_names(platform: &ValidatedPlatform, options: &Options) -> Result<(), Error> {
    let known: Vec<String> = platform
        .services
        .iter()
        .map(|service| service.name.clone())
        .collect();
    match options.without.iter().find(|name| !known.contains(name)) {
        Some(name) => Err(Error::Without {
            name: name.clone(),
            known,
        }),
        None => Ok(()),
    }
}

async fn bind(settings: ServiceSettings, port: u16) -> Result<Bound, Error> {
    let port_error = |source| Error::Port {
        service: settings.service.clone(),
        port,
        source,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(port_error)?;
    let address = listener.local_addr().map_err(port_error)?;
    Ok(Bound {
        settings,
        listener,
        address,
    })
}

/// The log that the services share.
fn open_log(services: &[Bound]) -> Result<Option<SqliteLog>, Error> {
    let logs = services
        .iter()
        .filter_map(|bound| bound.settings.log.as_ref());
    for log in logs {
        if let Log::Sqlite(file) = log {
            return Ok(Some(SqliteLog::open(&file.file, &file.topic)?));
        }
    }
    Ok(None)
}

async fn start(bound: Bound, log: Option<&SqliteLog>, crash: &CrashPlan) -> Result<Running, Error> {
    let Bound {
        settings,
        listener,
        address,
    } = bound;
    let (name, path) = (settings.service.clone(), settings.path.clone());
    let log = group_log(&settings, log);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let launch = Launch {
        settings,
        listener,
        log,
        clock,
        crash: crash.clone(),
    };
    let service = Service::start(launch)
        .await
        .map_err(|source| Error::Start {
            service: name,
            source,
        })?;
    Ok(Running {
        address,
        path,
        service,
    })
}

fn group_log(settings: &ServiceSettings, log: Option<&SqliteLog>) -> Option<Arc<dyn log::Log>> {
    match (&settings.log, log) {
        (Some(Log::Sqlite(file)), Some(log)) => Some(log.for_group(&file.group)),
        _ => None,
    }
}
