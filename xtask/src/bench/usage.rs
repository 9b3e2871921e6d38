//! What a process uses, as Linux tells it: <https://man7.org/linux/man-pages/man5/proc.5.html>.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// The unit of processor times in `/proc`, which is the same on all machines that Rust supports.
const TICK: Duration = Duration::from_millis(10);

/// User and system time, from the text of `/proc/PID/stat`.
pub fn cpu_time(stat: &str) -> Option<Duration> {
    // The second field is the name in parentheses, which may itself hold spaces and parentheses.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some(TICK * (user + system))
}

/// A size of memory in MB, from the text of `/proc/PID/status`; `field` ends in a colon.
pub fn megabytes(status: &str, field: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes / 1_024.0)
}

/// Bytes that the files below a folder occupy on disk.
pub fn disk_bytes(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() {
            disk_bytes(&entry.path())?
        } else {
            metadata.blocks() * 512
        };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_whatever_the_name_of_the_program() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 100 1000 10";
        assert_eq!(cpu_time(stat), Some(Duration::from_secs(3)));
        assert_eq!(cpu_time("42 (cut off) S 1"), None);
    }

    #[test]
    fn memory_is_found_by_its_field() {
        let status = "VmPeak:\t 9999 kB\nVmHWM:\t  2048 kB\n";
        assert_eq!(megabytes(status, "VmHWM:"), Some(2.0));
        assert_eq!(megabytes(status, "VmRSS:"), None);
    }

    #[test]
    fn files_of_folders_within_a_folder_count() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("within")).unwrap();
        assert_eq!(disk_bytes(folder.path()).unwrap(), 0);
        fs::write(folder.path().join("within/file"), [1; 10_000]).unwrap();
        let bytes = disk_bytes(folder.path()).unwrap();
        assert!((10_000..100_000).contains(&bytes), "{bytes}");
    }
}
