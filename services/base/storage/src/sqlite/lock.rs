//! The lock that keeps other processes out of a database file.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::OpenError;

/// A file lock. It is released when it is dropped, or when the process ends in any way.
pub struct FileLock {
    _file: Flock<File>,
}

/// Takes the lock of a database file, or fails at once.
pub fn take(database: &Path) -> Result<FileLock, OpenError> {
    let path = path_of(database);
    let file_error = |source| OpenError::File {
        file: path.clone(),
        source,
    };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(file_error)?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(file) => Ok(FileLock { _file: file }),
        Err((_, Errno::EWOULDBLOCK)) => Err(OpenError::InUse {
            file: database.to_owned(),
        }),
        Err((_, errno)) => Err(file_error(errno.into())),
    }
}

fn path_of(database: &Path) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(".lock");
    name.into()
}
