//! A whole platform in this process. It is prepared first, so that nothing starts unless everything
//! can, then started, and finally shut down in order.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use innkeeper_contracts::ServiceSettings;
use innkeeper_contracts::settings::Log;
use innkeeper_host::{Backing, Launch, Listener, Neighbours, Service, StartError};
use innkeeper_kit::clock::SystemClock;
use innkeeper_kit::{Clock, CrashPlan};
use innkeeper_plan::expand::dev_ports;
use innkeeper_plan::{Executor, Facts, LocalDefaults, ValidatedPlatform, expand};
use innkeeper_storage::{OpenError, PlatformFile, PlatformOptions, PlatformService};

use crate::leftovers;

/// Why a platform cannot run here. Nothing of it is running then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A service that is to be left out does not exist.
    #[error("there is no service {name} to leave out; the services are {}", known.join(", "))]
    Without {
        /// The name that no service has.
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
    /// The data folder is that of a release before 0.3.0.
    #[error(
        "{} was written by a release before 0.3.0, which had a file for each service; run that release to go on with it, or move {} away, or choose another --data, to begin anew",
        file.display(),
        folder.display()
    )]
    Earlier {
        /// Path of the folder.
        folder: PathBuf,
        /// A file in it.
        file: PathBuf,
    },
    /// The file of the platform cannot be opened.
    #[error(transparent)]
    File(#[from] OpenError),
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
    /// Names of all services of the platform, with those that do not run.
    all: Vec<String>,
    services: Vec<Bound>,
}

struct Bound {
    settings: ServiceSettings,
    listener: Listener,
    address: SocketAddr,
}

pub struct Platform {
    /// Name of the platform.
    pub name: String,
    pub data: PathBuf,
    /// The services with their addresses: gateways first, then callees before their callers.
    pub services: Vec<Running>,
    /// The file with their rows and events; `None` if no service has any.
    file: Option<PlatformFile>,
}

/// A running service and its address.
pub struct Running {
    /// Address of the business API.
    pub address: SocketAddr,
    /// Path of its resource; empty for a gateway.
    pub path: String,
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
        let all = platform.services.iter().map(|it| it.name.clone());
        Ok(Self {
            name: platform.name.clone(),
            data,
            all: all.collect(),
            services,
        })
    }

    /// Starts every service. If one cannot start, those that have started are stopped again.
    pub async fn start(self, crash: CrashPlan) -> Result<Platform, Error> {
        std::fs::create_dir_all(&self.data).map_err(|source| Error::Data {
            folder: self.data.clone(),
            source,
        })?;
        refuse_earlier_layout(&self.data)?;
        let neighbours = Neighbours::default();
        let file = open_file(&self.services, &crash).await?;
        if let Some(file) = &file {
            leftovers::warn(file, &self.all, self.services.iter().map(|it| &it.settings)).await;
        }
        let mut platform = Platform {
            name: self.name,
            data: self.data,
            services: Vec::new(),
            file,
        };
        for bound in self.services {
            let backing = platform.backing(&bound.settings);
            match start(bound, backing, &neighbours, &crash).await {
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
        if let Some(file) = self.file {
            file.close().await;
        }
        finished
    }

    fn backing(&self, settings: &ServiceSettings) -> Option<Backing> {
        let file = self.file.as_ref()?;
        match &settings.log {
            Some(Log::Sqlite(log)) => Some(Backing::Shared {
                store: file.store(&settings.service)?,
                log: file.log(&log.group),
            }),
            _ => None,
        }
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
    let listener = Listener::bind_loopback(port).await.map_err(port_error)?;
    let address = listener.local_addr().map_err(port_error)?;
    Ok(Bound {
        settings,
        listener,
        address,
    })
}

/// Refuses a folder in which a release before 0.3.0 has kept a file for each service.
fn refuse_earlier_layout(data: &Path) -> Result<(), Error> {
    let folder_error = |source| Error::Data {
        folder: data.to_owned(),
        source,
    };
    for entry in std::fs::read_dir(data).map_err(folder_error)? {
        let name = entry.map_err(folder_error)?.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".db") && !name.starts_with("platform.") {
            return Err(Error::Earlier {
                folder: data.to_owned(),
                file: data.join(&*name),
            });
        }
    }
    Ok(())
}

/// Opens the file that the services share; `None` if no service has rows and events.
async fn open_file(services: &[Bound], crash: &CrashPlan) -> Result<Option<PlatformFile>, Error> {
    let shares = |bound: &Bound| match &bound.settings.log {
        Some(Log::Sqlite(log)) => Some((
            log.clone(),
            PlatformService {
                name: bound.settings.service.clone(),
                group: log.group.clone(),
            },
        )),
        _ => None,
    };
    let (logs, services): (Vec<_>, Vec<_>) = services.iter().filter_map(shares).unzip();
    let Some(log) = logs.first() else {
        return Ok(None);
    };
    let options = PlatformOptions {
        crash: crash.clone(),
        ..PlatformOptions::new(log.topic.clone(), services)
    };
    Ok(Some(PlatformFile::open(&log.file, options).await?))
}

async fn start(
    bound: Bound,
    backing: Option<Backing>,
    neighbours: &Neighbours,
    crash: &CrashPlan,
) -> Result<Running, Error> {
    let Bound {
        settings,
        listener,
        address,
    } = bound;
    let (name, path) = (settings.service.clone(), settings.path.clone());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let launch = Launch {
        settings,
        listener,
        backing,
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
