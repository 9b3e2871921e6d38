//! The files that are made from others.

use std::path::{Path, PathBuf};

/// One file as it should be.
pub struct Generated {
    /// Its path from the repository's root.
    pub path: PathBuf,
    /// All of its text.
    pub text: String,
}

/// The root of this repository.
pub fn repository() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}
