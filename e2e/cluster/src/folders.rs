//! The folders on disk: what is built or fetched stays in the cache, and each running thing has a
//! folder that is removed with it.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The folder for everything that is built or fetched once: `$INNKEEPER_CACHE`, else
/// `~/.cache/innkeeper`.
pub fn cache() -> PathBuf {
    match env::var_os("INNKEEPER_CACHE") {
        Some(folder) => PathBuf::from(folder),
        None => env::home_dir()
            .unwrap_or_else(|| PathBuf::from("/tmp"))
            .join(".cache/innkeeper"),
    }
}

/// The folder of something that runs: its data, sockets, logs, and the list of its processes.
#[derive(Debug, Clone)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// The folder for a kind (`services` or `cluster`) and a name, which may not exist yet.
    pub fn of(kind: &str, name: &str) -> Self {
        Self::at(&cache().join("run").join(format!("{kind}-{name}")))
    }

    /// A folder at any path.
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
        }
    }

    /// Creates the folder, and the folder for logs in it.
    pub fn create(&self) -> io::Result<()> {
        fs::create_dir_all(self.path.join("logs"))
    }

    /// Removes the folder with its contents. Succeeds if there is none.
    pub fn remove(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Path of the folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Path of a file in the folder.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Path of the log with this name.
    pub fn log(&self, name: &str) -> PathBuf {
        self.path.join("logs").join(format!("{name}.log"))
    }
}
