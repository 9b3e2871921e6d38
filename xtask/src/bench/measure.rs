//! The steps of a run, in their order: the ceiling, the platform without load, under load, at half
//! load, after many reservations, and the ceiling again.

use std::error::Error;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::Arguments;
use super::ceiling::measure_commits_per_second;
use super::delay::{Delays, measure_until_view};
use super::figure::{Figure, Unit};
use super::goals::{self, at_connections};
use super::load::{Load, LoadResult};
use super::platform::Platform;
use super::tail::Tail;

/// How long raw commits are made, each time.
const CEILING_LENGTH: Duration = Duration::from_secs(3);
/// How many reservations are followed from their 201 to the row of the view without load.
const FOLLOWED: usize = 500;
/// Connections at half load. There are many, with long pauses, so that slow answers hold up few
/// other reservations.
const AT_HALF_LOAD: u32 = 256;
/// How long reservations are made, at most, until there are as many as were asked for.
const FILL_WITHIN: Duration = Duration::from_mins(10);

/// Measures all figures; `folder` is empty, and gets the data of the platform and of the ceiling.
pub fn measure(
    binary: &Path,
    folder: &Path,
    arguments: &Arguments,
) -> Result<Vec<Figure>, Box<dyn Error>> {
    let length = Duration::from_secs(arguments.seconds);
    progress("raw commits");
    let before = measure_commits_per_second(&folder.join("before.db"), CEILING_LENGTH)?;
    progress("start, and reservations without load");
    let (platform, first_answer) = Platform::start(binary, folder)?;
    let measurement = Measurement {
        platform: &platform,
        folder,
    };
    let disk_before = platform.read_disk_bytes()?;
    let mut figures = measurement.measure_start(first_answer)?;
    let mut tail = Tail::new();
    figures.extend(measurement.measure_without_load(&mut tail)?);
    let (under_load, rate) = measurement.measure_under_load(length)?;
    figures.extend(under_load);
    figures.extend(measurement.measure_at_half_load(&mut tail, rate, length)?);
    figures.extend(measurement.measure_after(arguments.reservations, rate, disk_before)?);
    platform.stop()?;
    progress("raw commits once more");
    let after = measure_commits_per_second(&folder.join("after.db"), CEILING_LENGTH)?;
    let ceiling = Figure::new(goals::CEILING, before.max(after), Unit::PerSecond);
    figures.insert(0, ceiling);
    Ok(figures)
}

struct Measurement<'a> {
    platform: &'a Platform,
    folder: &'a Path,
}

impl Measurement<'_> {
    fn measure_start(&self, first_answer: Duration) -> Result<Vec<Figure>, Box<dyn Error>> {
        Ok(vec![
            Figure::new(
                "start of `innkeeper dev` to the first 201",
                millis(first_answer),
                Unit::Milliseconds,
            ),
            Figure::new(
                "memory of all five services after the first 201",
                self.platform.read_resident_megabytes()?,
                Unit::Megabytes,
            ),
        ])
    }

    fn measure_without_load(&self, tail: &mut Tail) -> Result<Vec<Figure>, Box<dyn Error>> {
        let mut reservations = 0..FOLLOWED;
        let delays = measure_until_view(self.platform, tail, || reservations.next().is_some())?;
        Ok(view_figures(
            &delays,
            "201 to the view's row, p50",
            "201 to the view's row, p99",
        ))
    }

    /// Figures at full load, and the rate at 64 connections.
    fn measure_under_load(&self, length: Duration) -> Result<(Vec<Figure>, f64), Box<dyn Error>> {
        let mut figures = Vec::new();
        let mut rate = 0.0;
        for connections in [16, 64, 256] {
            progress(&format!("{connections} connections"));
            let cpu_before = self.platform.read_cpu_time()?;
            let result = Load::full(connections, length).run(self.platform, self.folder)?;
            self.platform.wait_until_idle()?;
            let cpu = self.platform.read_cpu_time()?.saturating_sub(cpu_before);
            figures.extend(load_figures(connections, &result));
            if connections == 64 {
                rate = result.per_second;
                let cpu = micros(cpu) / as_float(result.reservations.max(1));
                figures.push(Figure::new(goals::CPU, cpu, Unit::Microseconds));
            }
        }
        Ok((figures, rate))
    }

    fn measure_at_half_load(
        &self,
        tail: &mut Tail,
        full_rate: f64,
        length: Duration,
    ) -> Result<Vec<Figure>, Box<dyn Error>> {
        progress("half load");
        tail.catch_up(self.platform)?;
        let load = Load {
            connections: AT_HALF_LOAD,
            length,
            pause: Duration::from_secs_f64(f64::from(AT_HALF_LOAD) * 2.0 / full_rate.max(1.0)),
        };
        thread::scope(|scope| {
            let loading = scope.spawn(|| {
                let result = load.run(self.platform, self.folder);
                result.map_err(|error| error.to_string())
            });
            let delays = measure_until_view(self.platform, tail, || !loading.is_finished())?;
            let result = loading.join().map_err(|_| "the load ended early")??;
            let mut figures = vec![Figure::new(
                "reservations at half load",
                result.per_second,
                Unit::PerSecond,
            )];
            figures.extend(view_figures(
                &delays,
                "201 to the view's row at half load, p50",
                goals::VIEW_AT_HALF_LOAD,
            ));
            Ok(figures)
        })
    }

    /// Makes reservations until there are as many as `wanted`, and looks at memory and disk.
    fn measure_after(
        &self,
        wanted: u32,
        rate: f64,
        disk_before: u64,
    ) -> Result<Vec<Figure>, Box<dyn Error>> {
        let made = self.fill(wanted, rate)?;
        self.platform.wait_until_idle()?;
        let disk = self.platform.read_disk_bytes()?.saturating_sub(disk_before);
        let memory = self.platform.read_peak_megabytes()?;
        Ok(vec![
            Figure::new(goals::RESERVATIONS, as_float(made), Unit::Reservations),
            Figure::new(goals::PEAK_MEMORY, memory, Unit::Megabytes),
            Figure::new(
                goals::DISK,
                as_float(disk) / as_float(made.max(1)) / 1_000.0,
                Unit::Kilobytes,
            ),
        ])
    }

    /// Makes reservations for a bounded time, and returns how many there are. Ids are given in
    /// turn, so that the last one is their number.
    fn fill(&self, wanted: u32, rate: f64) -> Result<u64, Box<dyn Error>> {
        let began = Instant::now();
        loop {
            let made = u64::try_from(self.platform.reserve()?)?;
            let missing = u64::from(wanted).saturating_sub(made);
            if missing == 0 || began.elapsed() > FILL_WITHIN {
                return Ok(made);
            }
            progress(&format!("{made} of {wanted} reservations"));
            let seconds = (as_float(missing) / rate.max(1.0)).clamp(1.0, 10.0);
            Load::full(64, Duration::from_secs_f64(seconds)).run(self.platform, self.folder)?;
        }
    }
}

fn load_figures(connections: u32, result: &LoadResult) -> [Figure; 3] {
    [
        Figure::new(
            at_connections(connections),
            result.per_second,
            Unit::PerSecond,
        ),
        Figure::new(
            format!("p99 of a reservation at {connections} connections"),
            result.p99_ms,
            Unit::Milliseconds,
        ),
        Figure::new(
            format!("answers other than 201 at {connections} connections"),
            as_float(result.failures),
            Unit::Failures,
        ),
    ]
}

fn view_figures(delays: &Delays, median: &str, p99: &str) -> Vec<Figure> {
    vec![
        Figure::new(median, millis(delays.median), Unit::Milliseconds),
        Figure::new(p99, millis(delays.p99), Unit::Milliseconds),
    ]
}

fn progress(step: &str) {
    eprintln!("measuring: {step}");
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000_000.0
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts and sizes are far below 2^52"
)]
const fn as_float(number: u64) -> f64 {
    number as f64
}
