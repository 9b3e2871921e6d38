//! Closed-loop load by wrk: a number of connections, each of which posts reservations one after
//! another.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::platform::{Platform, reservation};

/// The result of a load.
pub struct Load {
    /// Answers per second.
    pub per_second: f64,
    /// The time that 99 of 100 requests did not exceed, as wrk writes it.
    pub p99: String,
    /// Answers other than 2xx, and requests without an answer.
    pub failures: u64,
}

impl Load {
    /// Puts the platform under load for a while.
    pub fn run(
        platform: &Platform,
        folder: &Path,
        connections: u32,
        length: Duration,
    ) -> Result<Self, Box<dyn Error>> {
        let script = folder.join("post.lua");
        fs::write(&script, script_text())?;
        let output = Command::new("wrk")
            .args([
                "--threads",
                "1",
                "--latency",
                "--connections",
                &connections.to_string(),
            ])
            .args(["--duration", &length.as_secs().to_string(), "--script"])
            .arg(&script)
            .arg(format!("{}/reservations", platform.gateway))
            .output()
            .map_err(|error| {
                format!("wrk cannot be run ({error}); install it with: apt-get install wrk")
            })?;
        Self::parse(&String::from_utf8(output.stdout)?)
    }

    fn parse(report: &str) -> Result<Self, Box<dyn Error>> {
        let field = |label: &str| {
            report
                .lines()
                .find_map(|line| line.trim().strip_prefix(label))
                .map(str::trim)
        };
        let per_second = field("Requests/sec:")
            .ok_or("wrk reported no rate")?
            .parse()?;
        let p99 = field("99%").ok_or("wrk reported no latency")?.to_owned();
        let refused = field("Non-2xx or 3xx responses:").map_or(Ok(0), str::parse::<u64>)?;
        let broken = field("Socket errors:").map_or(0, sum_of_numbers);
        Ok(Self {
            per_second,
            p99,
            failures: refused + broken,
        })
    }
}

fn sum_of_numbers(text: &str) -> u64 {
    text.split(|letter: char| !letter.is_ascii_digit())
        .filter_map(|number| number.parse::<u64>().ok())
        .sum()
}

fn script_text() -> String {
    let body = reservation().to_string();
    format!(
        "wrk.method = 'POST'\nwrk.body = '{body}'\nwrk.headers['Content-Type'] = 'application/json'\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_of_wrk_is_read() {
        let report = "  Latency Distribution\n     50%    1.00ms\n     99%   12.34ms\n  \
            Socket errors: connect 0, read 1, write 0, timeout 2\n  Non-2xx or 3xx responses: 4\nRequests/sec:   1234.56\n";
        let load = Load::parse(report).unwrap();
        assert_eq!((load.p99.as_str(), load.failures), ("12.34ms", 7));
        assert!((load.per_second - 1234.56).abs() < f64::EPSILON);
    }
}
