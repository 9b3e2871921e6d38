//! Where things lie: what is built or fetched stays in the cache, what runs has a folder that goes away with it.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The folder of everything that is built or fetched once: `$INNKEEPER_CACHE`, else `~/.cache/innkeeper`.
pub fn cache() -> PathBuf {
    match env::var_os("INNKEEPER_CACHE") {
        Some(folder) => PathBuf::from(folder),
        None => env::home_dir()
            .unwrap_or_else(|| PathBuf::from("/tmp"))
            .join(".cache/innkeeper"),
    }
}

/// The folder of one running thing: its data, sockets, logs and the list of its processes.
#[derive(Debug, Clone)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// The folder of the thing of this kind (`services`, `cluster`) and name, which may not exist yet.
    pub fn of(kind: &str, name: &str) -> Self {
        Self::at(&cache().join("run").join(format!("{kind}-{name}")))
    }

    /// A folder at a path of the caller's choice.
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
        }
    }

    /// Makes the folder and its folder of logs.
    pub fn create(&self) -> io::Result<()> {
        fs::create_dir_all(self.path.join("logs"))
    }

    /// Removes the folder with all that is in it; a missing folder is fine.
    pub fn remove(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The path of the folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of something in the folder.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The log file of the process or chore of this name.
    pub fn log(&self, name: &str) -> PathBuf {
        self.path.join("logs").join(format!("{name}.log"))
    }
}
