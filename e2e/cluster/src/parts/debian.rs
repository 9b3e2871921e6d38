//! Debian packages. Missing packages are installed if this process is root, else the error names
//! them.

use std::process::Command;

use nix::unistd::geteuid;

use super::PartError;
use crate::command::{read_output, run_logged};
use crate::folders;

/// Packages that Kafka needs.
pub const KAFKA: &[&str] = &["openjdk-17-jre-headless", "maven"];

/// Packages that `PostgreSQL` needs.
pub const POSTGRES: &[&str] = &["postgresql-15", "postgresql-client-15"];

/// Packages that tests of single processes need: a browser, `ip` for networks of their own, and a
/// pooler before PostgreSQL.
pub const BLACK_BOX: &[&str] = &["chromium", "iproute2", "pgbouncer"];

/// Packages that Kubernetes needs.
pub const KUBERNETES: &[&str] = &[
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "etcd-server",
    "iproute2",
    "ipset",
    "iptables",
    "nftables",
    "procps",
    "runc",
    "siege",
];

/// Installs the packages that are missing.
pub fn ensure(packages: &[&str]) -> Result<(), PartError> {
    let missing: Vec<&str> = packages
        .iter()
        .copied()
        .filter(|package| !is_installed(package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !geteuid().is_root() {
        return Err(PartError::Packages {
            packages: missing.join(" "),
        });
    }
    apt_get(&["update"], &missing)?;
    let options = ["install", "--yes", "--no-install-recommends"];
    apt_get(&[&options[..], &missing[..]].concat(), &missing)
}

fn is_installed(package: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat=${Status}", package]);
    read_output(&mut query).is_ok_and(|status| status == "install ok installed")
}

fn apt_get(arguments: &[&str], packages: &[&str]) -> Result<(), PartError> {
    let mut command = Command::new("apt-get");
    // The services of the packages must not start; in run level 1 invoke-rc.d does not start them.
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("RUNLEVEL", "1");
    let log = folders::cache().join("parts").join("apt-get.log");
    run_logged(&mut command, &log).map_err(|source| PartError::Make {
        part: format!("the Debian packages {}", packages.join(", ")),
        source,
    })
}
