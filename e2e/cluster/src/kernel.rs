//! The few kernel settings of the host that kubelet changes. They are saved before it starts, and
//! restored at the end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::layout::Layout;

/// The settings below `/proc/sys` that kubelet changes: see `setupKernelTunables` in its container
/// manager.
const SETTINGS: &[&str] = &[
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
];

/// Saves the present settings in the run folder.
pub fn keep_settings(layout: &Layout) -> io::Result<()> {
    let lines = SETTINGS.iter().filter_map(|setting| {
        let value = fs::read_to_string(path_of(setting)).ok()?;
        Some(format!("{setting}={}\n", value.trim()))
    });
    fs::write(kept(layout), lines.collect::<String>())
}

/// Restores the saved settings, if there are any.
pub fn restore_settings(layout: &Layout) -> io::Result<()> {
    let Ok(lines) = fs::read_to_string(kept(layout)) else {
        return Ok(());
    };
    let settings = lines.lines().filter_map(|line| line.split_once('='));
    settings
        .filter(|(setting, _)| SETTINGS.contains(setting))
        .try_for_each(|(setting, value)| {
            let path = path_of(setting);
            let is_changed = fs::read_to_string(&path).is_ok_and(|now| now.trim() != value);
            if is_changed {
                fs::write(path, value)
            } else {
                Ok(())
            }
        })
}

fn path_of(setting: &str) -> PathBuf {
    Path::new("/proc/sys").join(setting)
}

fn kept(layout: &Layout) -> PathBuf {
    layout.folder.join("kernel-settings")
}
