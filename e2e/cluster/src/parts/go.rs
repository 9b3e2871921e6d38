//! Programs that are built from Go modules: Kubernetes, `CoreDNS`, metrics-server, Helm and the
//! pause container.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Part, PartError, cache_error};
use crate::command::run_logged;

/// Kubernetes: all components in one program, whose first argument is the component.
pub const KUBERNETES: Part = Part {
    name: "kubernetes",
    version: "1.34.4",
};

/// The DNS server of the cluster.
pub const COREDNS: Part = Part {
    name: "coredns",
    version: "1.12.4",
};

/// The server of resource metrics. Version 0.8.0 fails the check of its checksum.
pub const METRICS_SERVER: Part = Part {
    name: "metrics-server",
    version: "0.9.0",
};

/// The client that installs charts.
pub const HELM: Part = Part {
    name: "helm",
    version: "3.19.5",
};

/// The program of the container that holds the namespaces of a pod.
pub const PAUSE: Part = Part {
    name: "pause",
    version: "1",
};

/// Returns the path of the Kubernetes program, and builds it first if it does not exist.
pub fn ensure_kubernetes() -> Result<PathBuf, PartError> {
    let sources = [
        ("main.go", include_str!("../../kubernetes/main.go")),
        ("go.mod", include_str!("../../kubernetes/go.mod")),
        ("go.sum", include_str!("../../kubernetes/go.sum")),
    ];
    ensure_built(KUBERNETES, &sources, &kubernetes_version())
}

/// Returns the path of the pause program, and builds it first if it does not exist.
pub fn ensure_pause() -> Result<PathBuf, PartError> {
    let sources = [
        ("main.go", include_str!("../../pause/main.go")),
        ("go.mod", "module innkeeper.dev/pause\n\ngo 1.24.0\n"),
    ];
    ensure_built(PAUSE, &sources, "")
}

/// Returns the path of `CoreDNS`, and builds it first if it does not exist.
pub fn ensure_coredns() -> Result<PathBuf, PartError> {
    ensure_installed(COREDNS, "github.com/coredns/coredns")
}

/// Returns the path of metrics-server, and builds it first if it does not exist.
pub fn ensure_metrics_server() -> Result<PathBuf, PartError> {
    ensure_installed(
        METRICS_SERVER,
        "sigs.k8s.io/metrics-server/cmd/metrics-server",
    )
}

/// Returns the path of Helm, and builds it first if it does not exist.
pub fn ensure_helm() -> Result<PathBuf, PartError> {
    ensure_installed(HELM, "helm.sh/helm/v3/cmd/helm")
}

fn ensure_installed(part: Part, module: &str) -> Result<PathBuf, PartError> {
    let folder = part.ensure(|folder| {
        let mut go = go(part)?;
        go.args(["install", "-trimpath", "-ldflags=-s -w"])
            .arg(format!("{module}@v{}", part.version));
        go.env("GOBIN", folder).env("CGO_ENABLED", "0");
        run_logged(&mut go, &part.log()).map_err(|source| part.failed(source))
    })?;
    Ok(folder.join(part.name))
}

fn ensure_built(
    part: Part,
    sources: &[(&str, &str)],
    linker_flags: &str,
) -> Result<PathBuf, PartError> {
    let folder = part.ensure(|folder| {
        write_sources(&folder.join("source"), sources)?;
        let mut go = go(part)?;
        go.current_dir(folder.join("source"));
        go.args(["build", "-trimpath", "-buildvcs=false"])
            .arg(format!("-ldflags=-s -w {linker_flags}"));
        go.arg("-o").arg(folder.join(part.name)).arg(".");
        run_logged(&mut go, &part.log()).map_err(|source| part.failed(source))
    })?;
    Ok(folder.join(part.name))
}

fn write_sources(folder: &Path, sources: &[(&str, &str)]) -> Result<(), PartError> {
    fs::create_dir_all(folder).map_err(|source| cache_error(folder, source))?;
    sources.iter().try_for_each(|(name, text)| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|source| cache_error(&path, source))
    })
}

/// The linker flags with the version of Kubernetes. Without them the components report v0.0.0, and
/// the API machinery assumes the wrong features.
fn kubernetes_version() -> String {
    let packages = [
        "k8s.io/component-base/version",
        "k8s.io/client-go/pkg/version",
    ];
    let set = |package| {
        format!("-X {package}.gitVersion=v1.34.4 -X {package}.gitMajor=1 -X {package}.gitMinor=34")
    };
    packages.map(set).join(" ")
}

/// A `go` command with low priority, because these builds use every core for minutes.
fn go(part: Part) -> Result<Command, PartError> {
    let found = Command::new("go").arg("version").output();
    if found.is_err() {
        let remedy = "install Go 1.26 or later, see https://go.dev/dl/";
        return Err(PartError::Program {
            program: "go",
            part: part.name,
            remedy,
        });
    }
    let mut command = Command::new("nice");
    command.args(["-n", "15", "go"]).env("GOTOOLCHAIN", "local");
    Ok(command)
}
