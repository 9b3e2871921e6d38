//! What the cluster is made of and where each part comes from; everything is made once and kept in the cache.

pub mod debian;
pub mod go;
pub mod kafka;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::command::CommandError;
use crate::folders;
use crate::progress::Progress;

/// Why a part could not be had.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// The command that builds or fetches it failed.
    #[error("cannot make {part}")]
    Make {
        /// The part's name.
        part: String,
        /// What failed.
        source: CommandError,
    },
    /// A file or folder of the cache could not be used.
    #[error("cannot use {path}")]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Packages are missing, and only root may install them.
    #[error(
        "missing Debian packages; install them with:\n  sudo apt-get install --no-install-recommends {packages}"
    )]
    Packages {
        /// Their names, as apt-get takes them.
        packages: String,
    },
    /// A program is missing that no package of ours brings.
    #[error("`{program}` is missing, which {part} needs: {remedy}")]
    Program {
        /// The program's name.
        program: &'static str,
        /// What needs it.
        part: &'static str,
        /// What to do about it.
        remedy: &'static str,
    },
}

/// The programs that a cluster runs, and Helm.
#[derive(Debug, Clone)]
pub struct Programs {
    /// All components of Kubernetes in one; the first argument says which.
    pub kubernetes: PathBuf,
    /// `CoreDNS`.
    pub coredns: PathBuf,
    /// metrics-server.
    pub metrics_server: PathBuf,
    /// Helm.
    pub helm: PathBuf,
    /// What holds a pod's namespaces.
    pub pause: PathBuf,
}

impl Programs {
    /// Where the programs lie in the cache, whether they are there yet or not.
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

    /// Makes what is not there yet, one after the other: each build uses every core.
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

/// Makes one part if it is not there.
type Ensure = fn() -> Result<PathBuf, PartError>;

/// One part in the cache, known by name and version.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// What it is called.
    pub name: &'static str,
    /// Which version of it.
    pub version: &'static str,
}

impl Part {
    /// The part's folder in the cache, whether it is there yet or not.
    pub fn folder(self) -> PathBuf {
        folders::cache()
            .join("parts")
            .join(self.name)
            .join(self.version)
    }

    /// The log of its last build.
    pub fn log(self) -> PathBuf {
        folders::cache()
            .join("parts")
            .join(format!("{}-{}.log", self.name, self.version))
    }

    /// Returns the part's folder, and lets `make` fill it first if it is not there; several processes may ask at once.
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

    /// Fills a folder beside the final one, which appears only when everything is in it.
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

    /// The error that the command which makes this part has failed.
    pub(crate) fn failed(self, source: CommandError) -> PartError {
        PartError::Make {
            part: format!("{} {}", self.name, self.version),
            source,
        }
    }
}

/// The error that a path of the cache could not be used.
pub(crate) fn cache_error(path: &Path, source: io::Error) -> PartError {
    PartError::Cache {
        path: path.to_path_buf(),
        source,
    }
}
