//! A `PostgreSQL` server that takes TLS only, but for its administrator.

use std::fs::{self, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::authority::Authority;
use crate::command::{CommandError, read_output, run};
use crate::deadline::{Overdue, until};
use crate::postgres::{LocalPostgres, PASSWORD, Postgres, PostgresError};
use nix::unistd::geteuid;

/// A user who logs in with [`PASSWORD`].
pub const USER: &str = "encrypted";
/// A user who logs in with a certificate.
pub const CERTIFIED: &str = "certified";
/// A user who is let in without TLS only.
pub const PLAIN: &str = "plain";

/// How long the server may take to read its files anew.
const RELOADED_WITHIN: Duration = Duration::from_secs(20);

/// Why the server does not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum TlsPostgresError {
    /// The server does not run.
    #[error(transparent)]
    Server(#[from] PostgresError),
    /// A certificate cannot be made.
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// A file of the server cannot be written.
    #[error("cannot prepare the server's files")]
    File(#[from] io::Error),
    /// A statement or a command failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The server does not take what it is given.
    #[error(transparent)]
    Overdue(#[from] Overdue),
}

/// The server. It stops when this value is dropped.
pub struct TlsPostgres {
    /// The authority of its certificates, and of its clients'.
    pub authority: Authority,
    postgres: LocalPostgres,
    folder: PathBuf,
}

impl TlsPostgres {
    /// Starts a server at an address, with a certificate for it and its files in a folder.
    pub fn start(folder: &Path, address: SocketAddr) -> Result<Self, TlsPostgresError> {
        let server = Self {
            authority: Authority::make("the server's authority")?,
            postgres: Postgres::start_local_at(folder, address)?,
            folder: folder.to_path_buf(),
        };
        // The server's own user reads the certificates there.
        fs::set_permissions(folder, Permissions::from_mode(0o755))?;
        fs::write(server.ca_file(), &server.authority.certificate)?;
        for user in [USER, CERTIFIED, PLAIN] {
            server.query(&format!("CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}'"))?;
            server.query(&format!("GRANT CREATE ON DATABASE postgres TO {user}"))?;
        }
        let file = server.query("SHOW hba_file")?;
        let rules = format!(
            "hostnossl all {USER},{CERTIFIED} all reject\nhostssl all {CERTIFIED} all cert\nhostssl all {PLAIN} all reject\n{}",
            fs::read_to_string(&file)?
        );
        fs::write(&file, rules)?;
        server.show_certificate(&address.ip().to_string(), 2100)?;
        Ok(server)
    }

    /// The file with the certificate of its authority.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.join("ca.crt")
    }

    /// Address of the server.
    pub fn address(&self) -> SocketAddr {
        self.postgres.address()
    }

    /// Lets new connections see a certificate for a name, which is valid until the beginning of a
    /// year.
    pub fn show_certificate(&self, name: &str, end: i32) -> Result<(), TlsPostgresError> {
        let (certificate, key) = self.authority.certify(name, end)?;
        let [certificate_file, key_file] =
            ["server.crt", "server.key"].map(|name| self.folder.join(name));
        fs::write(&certificate_file, certificate)?;
        fs::write(&key_file, key)?;
        fs::set_permissions(&key_file, Permissions::from_mode(0o600))?;
        if geteuid().is_root() {
            run(Command::new("chown").arg("postgres").arg(&key_file))?;
        }
        for (setting, file) in [
            ("ssl_cert_file", certificate_file),
            ("ssl_key_file", key_file),
            ("ssl_ca_file", self.ca_file()),
        ] {
            self.query(&format!(
                "ALTER SYSTEM SET {setting} = '{}'",
                file.display()
            ))?;
        }
        self.query("ALTER SYSTEM SET ssl = on")?;
        self.reload()
    }

    /// Lets the server read its files anew, and waits until it has.
    fn reload(&self) -> Result<(), TlsPostgresError> {
        let loaded = || self.query("SELECT pg_conf_load_time() || current_setting('ssl')");
        let before = loaded()?;
        self.query("SELECT pg_reload_conf()")?;
        until(
            "the server reads its files",
            RELOADED_WITHIN,
            || match loaded().map_err(|error| error.to_string())? {
                now if now != before && now.ends_with("on") => Ok(()),
                now => Err(now),
            },
        )?;
        Ok(())
    }

    /// Runs a statement as the administrator, and returns what it prints, without spaces around it.
    pub fn query(&self, statement: &str) -> Result<String, TlsPostgresError> {
        let mut psql = Command::new("psql");
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .arg(self.postgres.url())
            .args(["--command", statement]);
        Ok(read_output(&mut psql)?.trim().to_owned())
    }

    /// Whether all connections of a service are encrypted; `None` if it has none.
    pub fn is_encrypted(&self, schema: &str) -> Result<Option<bool>, TlsPostgresError> {
        let answer = self.query(&format!(
            "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = '{schema}'"
        ))?;
        Ok((!answer.is_empty()).then(|| answer == "t"))
    }
}
