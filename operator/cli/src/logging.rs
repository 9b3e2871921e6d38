//! Logs on standard error, as readable text or as JSON lines. Passwords are masked in both, and in
//! the messages of panics.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal, Write};
use std::panic::{self, PanicHookInfo};
use std::thread;

use clap::ValueEnum;
use innkeeper_contracts::secret::masked;
use tracing_subscriber::EnvFilter;

/// The environment variable with the log filter, such as `info` or `innkeeper_runtime=debug`.
const FILTER: &str = "INNKEEPER_LOG";

/// How logs are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Format {
    /// One readable line each.
    Text,
    /// One JSON object each.
    Json,
}

/// Starts logging. From then on the messages of panics are masked as well.
pub fn start(format: Format) {
    panic::set_hook(Box::new(|panic| eprint!("{}", told(panic))));
    let filter = EnvFilter::builder().with_env_var(FILTER).try_from_env();
    let filter = filter.unwrap_or_else(|_| {
        EnvFilter::new("info,librdkafka=error,refinery_core=warn,kube_runtime=error")
    });
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Masking(io::stderr()));
    match format {
        Format::Text => builder
            .compact()
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .init(),
        Format::Json => builder.json().flatten_event(true).init(),
    }
}

/// The message of a panic as Rust prints it, with secrets masked.
fn told(panic: &PanicHookInfo<'_>) -> String {
    let thread = thread::current();
    let name = thread.name().unwrap_or("<unnamed>");
    let trace = Backtrace::capture();
    let trace = match trace.status() {
        BacktraceStatus::Captured => trace.to_string(),
        _ => String::new(),
    };
    masked(&format!("thread '{name}' {panic}\n{trace}")).into_owned()
}

/// Masks secrets in what it writes. The subscriber writes each event with one call.
struct Masking<W>(W);

impl<W: Write> Write for Masking<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        self.0.write_all(masked(&text).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, mpsc};

    use super::*;

    /// What a subscriber with this format writes for an event.
    fn logged(format: Format) -> String {
        #[derive(Clone, Default)]
        struct Written(Arc<Mutex<Vec<u8>>>);
        impl Write for Written {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap().write(bytes)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let written = Written::default();
        let target = written.clone();
        let builder = tracing_subscriber::fmt().with_writer(move || Masking(target.clone()));
        let log = || {
            tracing::warn!(
                address = "http://kim:s3cret@pay:8080/",
                "no \"kim:s3cret@kafka:9092\""
            );
        };
        match format {
            Format::Text => tracing::subscriber::with_default(builder.finish(), log),
            Format::Json => tracing::subscriber::with_default(builder.json().finish(), log),
        }
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn no_log_shows_a_password() {
        for format in [Format::Text, Format::Json] {
            let line = logged(format);
            assert!(!line.contains("s3cret") && !line.contains("kim"), "{line}");
            assert!(line.contains("http://***@pay:8080/"), "{line}");
            assert!(line.contains("***@kafka:9092"), "{line}");
        }
        serde_json::from_str::<serde_json::Value>(&logged(Format::Json)).unwrap();
    }

    #[test]
    fn no_panic_shows_a_password() {
        let (said, heard) = mpsc::channel();
        let panicking = thread::Builder::new().name("panicking".to_owned());
        let before = Arc::new(panic::take_hook());
        let others = Arc::clone(&before);
        panic::set_hook(Box::new(move |panic| {
            if thread::current().name() == Some("panicking") {
                said.send(told(panic)).unwrap();
            } else {
                others(panic);
            }
        }));
        let panicking = panicking.spawn(|| panic!("no answer from http://kim:s3cret@pay:8080/"));
        assert!(panicking.unwrap().join().is_err());
        panic::set_hook(Box::new(move |panic| before(panic)));

        let told = heard.recv().unwrap();
        assert!(
            told.starts_with("thread 'panicking' panicked at "),
            "{told}"
        );
        assert!(
            told.contains("no answer from http://***@pay:8080/"),
            "{told}"
        );
    }
}
