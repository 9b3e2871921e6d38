//! Load by wrk: a number of connections, each of which posts one reservation after another, at once
//! or with pauses.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::platform::{Platform, reservation};

/// The load that is put on a platform.
#[derive(Clone, Copy)]
pub struct Load {
    pub connections: u32,
    /// How long the load lasts, in whole seconds.
    pub length: Duration,
    /// Mean pause of a connection between two reservations.
    pub pause: Duration,
}

/// What came of a load.
#[derive(Debug, PartialEq)]
pub struct LoadResult {
    /// Answers per second, whatever their status.
    pub per_second: f64,
    /// The time that 99 of 100 requests did not exceed, in milliseconds.
    pub p99_ms: f64,
    /// Number of answers of 2xx.
    pub reservations: u64,
    /// Answers other than 2xx, and requests without an answer.
    pub failures: u64,
}

impl Load {
    /// Load without pauses between reservations.
    pub const fn full(connections: u32, length: Duration) -> Self {
        Self {
            connections,
            length,
            pause: Duration::ZERO,
        }
    }

    /// Puts the platform under this load; the script for wrk is written to `folder`.
    pub fn run(self, platform: &Platform, folder: &Path) -> Result<LoadResult, Box<dyn Error>> {
        let script = folder.join("post.lua");
        fs::write(&script, self.script())?;
        let output = Command::new("wrk")
            .args(["--threads", "1", "--latency", "--connections"])
            .arg(self.connections.to_string())
            .arg("--duration")
            .arg(self.length.as_secs().max(1).to_string())
            .arg("--script")
            .arg(&script)
            .arg(format!("{}/reservations", platform.gateway))
            .output()
            .map_err(|error| {
                format!("wrk cannot be run ({error}); install it with: apt-get install wrk")
            })?;
        LoadResult::parse(&String::from_utf8(output.stdout)?)
    }

    /// The script for wrk. Pauses are uniformly random, so that connections do not act in step.
    fn script(self) -> String {
        let body = reservation().to_string();
        let longest_ms = self.pause.as_millis() * 2;
        let delay = if longest_ms == 0 {
            String::new()
        } else {
            format!("function delay() return math.random(0, {longest_ms}) end\n")
        };
        format!(
            "wrk.method = 'POST'\nwrk.body = '{body}'\nwrk.headers['Content-Type'] = 'application/json'\n{delay}"
        )
    }
}

impl LoadResult {
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
        let p99_ms = field("99%")
            .and_then(milliseconds)
            .ok_or("wrk reported no latency")?;
        let answers = report
            .lines()
            .find_map(|line| line.trim().split_once(" requests in "))
            .ok_or("wrk reported no number of requests")?;
        let answers: u64 = answers.0.parse()?;
        let refused = field("Non-2xx or 3xx responses:").map_or(Ok(0), str::parse::<u64>)?;
        let broken = field("Socket errors:").map_or(0, sum_of_numbers);
        Ok(Self {
            per_second,
            p99_ms,
            reservations: answers.saturating_sub(refused),
            failures: refused + broken,
        })
    }
}

/// A time as wrk writes it, such as `950.00us`, `12.34ms` or `1.02s`.
fn milliseconds(time: &str) -> Option<f64> {
    let units = [("us", 0.001), ("ms", 1.0), ("s", 1_000.0), ("m", 60_000.0)];
    units.iter().find_map(|(unit, factor)| {
        let number: f64 = time.strip_suffix(unit)?.parse().ok()?;
        Some(number * factor)
    })
}

fn sum_of_numbers(text: &str) -> u64 {
    text.split(|letter: char| !letter.is_ascii_digit())
        .filter_map(|number| number.parse::<u64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_of_wrk_is_read() {
        let report = "  Latency Distribution\n     50%    1.00ms\n     99%   12.34ms\n  \
            12345 requests in 10.00s, 3.94MB read\n  \
            Socket errors: connect 0, read 1, write 0, timeout 2\n  Non-2xx or 3xx responses: 4\nRequests/sec:   1234.50\n";
        let expected = LoadResult {
            per_second: 1234.5,
            p99_ms: 12.34,
            reservations: 12_341,
            failures: 7,
        };
        assert_eq!(LoadResult::parse(report).unwrap(), expected);
    }

    #[test]
    fn times_of_wrk_are_read_in_every_unit() {
        let times = ["500.00us", "12.50ms", "1.50s", "1.00m", "soon"];
        let read = [Some(0.5), Some(12.5), Some(1500.0), Some(60_000.0), None];
        assert_eq!(times.map(milliseconds), read);
    }

    #[test]
    fn only_a_load_with_pauses_delays_its_requests() {
        let full = Load::full(64, Duration::from_secs(1));
        assert!(!full.script().contains("delay"));
        let half = Load {
            pause: Duration::from_millis(20),
            ..full
        };
        assert!(half.script().contains("math.random(0, 40)"));
    }
}
