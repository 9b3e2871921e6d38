//! A whole platform in this process. It is prepared first, so that nothing starts unless everything
//! can, then started, and finally shut down in order.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use innkeeper_broker::SqliteLog;
use innkeeper_contracts::ServiceSettings;
use innkeeper_contracts::settings::Log;
use innkeeper_host::{Launch, Neighbours, Service, StartError};
use innkeeper_kit::clock::SystemClock;
use innkeeper_kit::{Clock, CrashPlan, log};
use innkeeper_plan::expand::dev_ports;
use innkeeper_plan::{Executor, Facts, LocalDefaults, ValidatedPlatform, expand};
use tokio::net::TcpListener;

/// Why a platform cannot run here. Nothing of it is running then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A service that is to be left out does not exist.
    #[error("there is no service {name} to leave out; the services are {}", known.join(", "))]
    Without {
        /// The unknown name.
        name: String,
        /// The names of the services.
        known: Vec<String>,
    },
    /// A port cannot be bound.
    #[error(
        "{service} cannot listen on port {port}; stop what uses it, or choose another dev.port"
    )]
    Port {
        /// Name of the service.
        service: String,
        /// The port.
        port: u16,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The data folder cannot be created.
    #[error("cannot make the data folder {}", folder.display())]
    Data {
        /// Path of the folder.
        folder: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The log cannot be opened.
    #[error(transparent)]
    Log(#[from] innkeeper_broker::sqlite::SqliteOpenError),
    /// A service cannot start.
    #[error("{service} cannot start")]
    Start {
        /// Name of the service.
        service: String,
        /// Why it cannot start.
        source: StartError,
    },
}

/// How a platform is to run here.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Names of the services to leave out.
    pub without: BTreeSet<String>,
}

/// A platform whose ports are all bound, and that has no other effect yet.
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

/// A running platform.
pub struct Platform {
    /// Name of the platform.
    pub name: String,
    /// The data folder.
    pub data: PathBuf,
    /// The services with their addresses: gateways first, then callees before their callers.
    pub services: Vec<Running>,
}

/// A running service and its address.
pub struct Running {
    /// Address of the business API.
    pub address: SocketAddr,
    /// Path of its resource; empty for a gateway.
    pub path: String,
    /// The service.
    pub service: Service,
}

/// The executor of a platform on this machine. Each platform has a folder of its own below `data`.
pub fn executor(data: &Path, platform: &str) -> Executor {
    Executor::Local(LocalDefaults {
        data: data.join(platform),
        ports: BTreeMap::new(),
    })
}

impl Prepared {
    /// Binds every port that the platform needs.
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

    /// Starts every service. If one cannot start, those that have started are stopped again.
    pub async fn start(self, crash: CrashPlan) -> Result<Platform, Error> {
        std::fs::create_dir_all(&self.data).map_err(|source| Error::Data {
            folder: self.data.clone(),
            source,
        })?;
        let log = open_log(&self.services)?;
        let neighbours = Neighbours::default();
        let mut platform = Platform {
            name: self.name,
            data: self.data,
            services: Vec::new(),
        };
        for bound in self.services {
            match start(bound, log.as_ref(), &neighbours, &crash).await {
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
    /// Waits until every service is ready; `false` if some are not in time.
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

    /// Stops every service, gateways first and callers before their callees, so that each can
    /// finish its running work. `false` if something was not finished in time.
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

/// The port of every service: the executor's if it has one, else the plan's.
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

/// Opens the log that the services share; `None` if no service has one.
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

async fn start(
    bound: Bound,
    log: Option<&SqliteLog>,
    neighbours: &Neighbours,
    crash: &CrashPlan,
) -> Result<Running, Error> {
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
        neighbours: neighbours.clone(),
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
