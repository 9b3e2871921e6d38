//! The parts of a cluster, and where they come from. Each part is built or fetched once and kept in
//! the cache.

pub mod debian;
pub mod go;
pub mod kafka;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::command::CommandError;
use crate::folders;
use crate::progress::Progress;

/// Why a part is not available.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// The command that builds or fetches the part failed.
    #[error("cannot make {part}")]
    Make {
        /// Name of the part.
        part: String,
        /// The error of the command.
        source: CommandError,
    },
    /// A file or folder of the cache could not be used.
    #[error("cannot use {path}")]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Packages are missing, and only root may install them.
    #[error(
        "missing Debian packages; install them with:\n  sudo apt-get install --no-install-recommends {packages}"
    )]
    Packages {
        /// Names of the packages, separated by spaces.
        packages: String,
    },
    /// A program is missing that no package provides.
    #[error("`{program}` is missing, which {part} needs: {remedy}")]
    Program {
        /// Name of the program.
        program: &'static str,
        /// Name of the part that needs it.
        part: &'static str,
        /// How to install it.
        remedy: &'static str,
    },
}

/// The programs of a cluster, and Helm.
#[derive(Debug, Clone)]
pub struct Programs {
    /// All components of Kubernetes in one program, whose first argument is the component.
    pub kubernetes: PathBuf,
    /// The DNS server of the cluster.
    pub coredns: PathBuf,
    /// The server of resource metrics.
    pub metrics_server: PathBuf,
    /// The client that installs charts.
    pub helm: PathBuf,
    /// The program of the container that holds the namespaces of a pod.
    pub pause: PathBuf,
}

impl Programs {
    /// The paths of the programs in the cache, whether or not they exist yet.
    pub fn cached() -> Self {
        let program = |part: Part| part.folder().join(part.name);
        Self {
            kubernetes: program(go::KUBERNETES),
            coredns: program(go::COREDNS),
            metrics_server: program(go::METRICS_SERVER),
            helm: program(go::HELM),
            pause: program(go::PAUSE),
        }
    }

    /// Builds the programs that do not exist yet, one after another, because each build uses every
    /// core.
    pub fn ensure(progress: Progress) -> Result<Self, PartError> {
        let packages = [debian::KUBERNETES, debian::KAFKA, debian::POSTGRES].concat();
        progress.step("Debian packages", || debian::ensure(&packages))?;
        let parts: [(Part, Ensure); 6] = [
            (kafka::KAFKA, kafka::ensure),
            (go::KUBERNETES, go::ensure_kubernetes),
            (go::PAUSE, go::ensure_pause),
            (go::COREDNS, go::ensure_coredns),
            (go::METRICS_SERVER, go::ensure_metrics_server),
            (go::HELM, go::ensure_helm),
        ];
        for (part, ensure) in parts
            .into_iter()
            .filter(|(part, _)| !part.folder().exists())
        {
            progress.step(&format!("building {} {}", part.name, part.version), ensure)?;
        }
        Ok(Self::cached())
    }
}

/// A function that returns one part, and makes it first if it does not exist.
type Ensure = fn() -> Result<PathBuf, PartError>;

/// A part in the cache, identified by name and version.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Name of the part.
    pub name: &'static str,
    /// Version of the part.
    pub version: &'static str,
}

impl Part {
    /// The folder of the part in the cache, whether or not it exists yet.
    pub fn folder(self) -> PathBuf {
        folders::cache()
            .join("parts")
            .join(self.name)
            .join(self.version)
    }

    /// Path of the log of the last build.
    pub fn log(self) -> PathBuf {
        folders::cache()
            .join("parts")
            .join(format!("{}-{}.log", self.name, self.version))
    }

    /// Returns the folder of the part. If it does not exist, `make` fills it first. Several
    /// processes may call this concurrently.
    pub fn ensure(
        self,
        make: impl FnOnce(&Path) -> Result<(), PartError>,
    ) -> Result<PathBuf, PartError> {
        let folder = self.folder();
        if folder.exists() {
            return Ok(folder);
        }
        let _lock = self.lock()?;
        if !folder.exists() {
            self.make(&folder, make)?;
        }
        Ok(folder)
    }

    /// Fills a temporary folder, which becomes the final one when it is complete.
    fn make(
        self,
        folder: &Path,
        make: impl FnOnce(&Path) -> Result<(), PartError>,
    ) -> Result<(), PartError> {
        let partial = folder.with_file_name(format!("{}.partial", self.version));
        let _ = fs::remove_dir_all(&partial);
        let _ = fs::remove_file(self.log());
        fs::create_dir_all(&partial).map_err(|source| cache_error(&partial, source))?;
        make(&partial)?;
        fs::rename(&partial, folder).map_err(|source| cache_error(folder, source))
    }

    fn lock(self) -> Result<File, PartError> {
        let path = folders::cache()
            .join("parts")
            .join(format!("{}.lock", self.name));
        let parent = folders::cache().join("parts");
        let locked = fs::create_dir_all(parent)
            .and_then(|()| File::create(&path))
            .and_then(|file| {
                file.lock()?;
                Ok(file)
            });
        locked.map_err(|source| cache_error(&path, source))
    }

    /// The error for a failed command that makes this part.
    pub(crate) fn failed(self, source: CommandError) -> PartError {
        PartError::Make {
            part: format!("{} {}", self.name, self.version),
            source,
        }
    }
}

/// The error for a path of the cache that could not be used.
pub(crate) fn cache_error(path: &Path, source: io::Error) -> PartError {
    PartError::Cache {
        path: path.to_path_buf(),
        source,
    }
}
