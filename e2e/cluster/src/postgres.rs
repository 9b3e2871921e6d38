//! Runs `PostgreSQL` as one server with one administrator.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::geteuid;

use crate::command::{CommandError, read_output, run, run_logged};
use crate::daemon::{Daemon, DaemonError};
use crate::folders::RunFolder;
use crate::network_namespace::NetworkNamespace;
use crate::parts::{PartError, debian};

/// The folder in which Debian installs the programs of the server.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// The user that Debian's package creates, because the server refuses to run as root.
const SYSTEM_USER: &str = "postgres";

/// How long a server may take to accept connections.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How long a server may take to stop.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// Name of the administrator, and of the database that exists from the start.
pub const ADMINISTRATOR: &str = "postgres";

/// Password of the administrator. The server is reachable only on loopback or in the network
/// namespace of a cluster.
pub const PASSWORD: &str = "innkeeper";

/// Why `PostgreSQL` does not run.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The packages could not be installed.
    #[error("PostgreSQL is not available")]
    Part(#[from] PartError),
    /// A file in the run folder, or a free port, was not available.
    #[error("cannot prepare PostgreSQL in {folder}")]
    Prepare {
        folder: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The data folder could not be created or removed.
    #[error("cannot set up PostgreSQL's data")]
    Data(#[source] CommandError),
    /// The server did not start or did not stop.
    #[error("PostgreSQL does not run")]
    Run(#[from] DaemonError),
}

#[derive(Debug)]
pub struct Postgres {
    pub address: SocketAddr,
    process: Daemon,
}

/// A server that stops when this value is dropped. Its data is removed then.
#[derive(Debug)]
pub struct LocalPostgres {
    postgres: Postgres,
    folder: RunFolder,
}

impl LocalPostgres {
    /// Connection string of the administrator: `postgres://user:password@127.0.0.1:port/database`.
    pub fn url(&self) -> String {
        self.postgres.url()
    }

    pub fn address(&self) -> SocketAddr {
        self.postgres.address
    }
}

impl Drop for LocalPostgres {
    fn drop(&mut self) {
        // A failure could not be reported here; the process list in the folder names what still
        // runs.
        let _ = self.postgres.stop();
        let _ = remove_data(&self.folder);
    }
}

impl Postgres {
    /// Starts a server on a free loopback port, with its process list and logs in `folder`. It
    /// stops when the returned value is dropped.
    pub fn start_local(folder: &Path) -> Result<LocalPostgres, PostgresError> {
        let free = free_address().map_err(|source| prepare_error(&RunFolder::at(folder), source));
        Self::start_local_at(folder, free?)
    }

    /// The same at this address of the network that this process is in.
    pub fn start_local_at(
        folder: &Path,
        address: SocketAddr,
    ) -> Result<LocalPostgres, PostgresError> {
        let folder = RunFolder::at(folder);
        Ok(LocalPostgres {
            postgres: Self::start(&folder, &NetworkNamespace::Host, address)?,
            folder,
        })
    }

    /// Starts a server on a free loopback port. It runs until it is stopped through the process
    /// list of the folder.
    pub fn start_on_loopback(folder: &RunFolder) -> Result<Self, PostgresError> {
        let address = free_address().map_err(|source| prepare_error(folder, source))?;
        Self::start(folder, &NetworkNamespace::Host, address)
    }

    /// Starts a server at this address, records it in the process list of the folder, and returns
    /// when it accepts connections.
    pub fn start(
        folder: &RunFolder,
        network: &NetworkNamespace,
        address: SocketAddr,
    ) -> Result<Self, PostgresError> {
        debian::ensure(debian::POSTGRES)?;
        folder
            .create()
            .map_err(|source| prepare_error(folder, source))?;
        let data = create_data(folder)?;
        // SIGTERM would wait until every client has disconnected.
        let command = &mut server(network, &data, address);
        let process = Daemon::start_stopped_by(Signal::SIGINT, folder, "postgres", command)?;
        process.await_ready(folder, READY_WITHIN, || check_accepts(network, address))?;
        Ok(Self { address, process })
    }

    /// Connection string of the administrator.
    pub fn url(&self) -> String {
        format!(
            "postgres://{ADMINISTRATOR}:{PASSWORD}@{}/{ADMINISTRATOR}",
            self.address
        )
    }

    /// Stops the server immediately: it disconnects its clients and flushes its data.
    pub fn stop(&self) -> Result<(), PostgresError> {
        Ok(self.process.stop(STOP_GRACE)?)
    }
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr())
}

/// Removes the data of a folder's server, if there is any. The server must have stopped.
pub fn remove_data(folder: &RunFolder) -> Result<(), PostgresError> {
    let Ok(data) = fs::read_to_string(data_link(folder)) else {
        return Ok(());
    };
    let mut remove = Command::new("rm");
    remove.args(["--recursive", "--force", "--"]).arg(data);
    run(&mut remove).map_err(PostgresError::Data)
}

/// The file that contains the path of the data folder.
fn data_link(folder: &RunFolder) -> PathBuf {
    folder.join("postgres-data")
}

/// Creates the data folder. If this process is root it is in a temporary folder of the server's
/// user, who could not enter root's home; otherwise it is in the run folder.
fn create_data(folder: &RunFolder) -> Result<PathBuf, PostgresError> {
    remove_data(folder)?;
    let base = if geteuid().is_root() {
        Path::new("/var/lib/postgresql")
    } else {
        folder.path()
    };
    let mut mktemp = as_server(&NetworkNamespace::Host, "mktemp");
    mktemp
        .arg("--directory")
        .arg(format!("--tmpdir={}", base.display()))
        .arg("innkeeper-XXXXXXXX");
    let made = read_output(&mut mktemp).map_err(PostgresError::Data)?;
    let data = PathBuf::from(made.trim_end());
    let password = data.join("password");
    let written = fs::write(data_link(folder), made.trim_end())
        .and_then(|()| fs::write(&password, PASSWORD))
        .and_then(|()| fs::set_permissions(&password, Permissions::from_mode(0o644)));
    written.map_err(|source| prepare_error(folder, source))?;
    initdb(folder, &data, &password)?;
    admit_everyone(&data).map_err(|source| prepare_error(folder, source))?;
    Ok(data)
}

fn initdb(folder: &RunFolder, data: &Path, password: &Path) -> Result<(), PostgresError> {
    let mut initdb = as_server(&NetworkNamespace::Host, &format!("{PROGRAMS}/initdb"));
    initdb.args([
        "--no-sync",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--auth=scram-sha-256",
    ]);
    initdb
        .args(["--username", ADMINISTRATOR, "--pwfile"])
        .arg(password)
        .arg("--pgdata")
        .arg(data.join("data"));
    run_logged(&mut initdb, &folder.log("postgres-initdb")).map_err(PostgresError::Data)
}

/// Accepts connections from pods, too, with a password, and not only from the server's own address.
fn admit_everyone(data: &Path) -> io::Result<()> {
    let mut rules = File::options()
        .append(true)
        .open(data.join("data/pg_hba.conf"))?;
    writeln!(rules, "host all all all scram-sha-256")
}

fn server(network: &NetworkNamespace, data: &Path, address: SocketAddr) -> Command {
    let mut server = as_server(network, &format!("{PROGRAMS}/postgres"));
    server.arg("-D").arg(data.join("data"));
    let settings = [
        format!("listen_addresses={}", address.ip()),
        format!("port={}", address.port()),
        format!("unix_socket_directories={}", data.display()),
        "max_connections=400".to_owned(),
        "log_line_prefix=%m [%p] %q%u@%d ".to_owned(),
    ];
    for setting in settings {
        server.arg("-c").arg(setting);
    }
    server
}

fn as_server(network: &NetworkNamespace, program: &str) -> Command {
    if geteuid().is_root() {
        network.command_as(SYSTEM_USER, program)
    } else {
        network.command(program)
    }
}

fn check_accepts(network: &NetworkNamespace, address: SocketAddr) -> Result<(), String> {
    let mut probe = network.command(format!("{PROGRAMS}/pg_isready"));
    probe.args([
        "--quiet",
        "--host",
        &address.ip().to_string(),
        "--port",
        &address.port().to_string(),
    ]);
    run(&mut probe).map_err(|error| error.to_string())
}

fn prepare_error(folder: &RunFolder, source: io::Error) -> PostgresError {
    PostgresError::Prepare {
        folder: folder.path().to_path_buf(),
        source,
    }
}
