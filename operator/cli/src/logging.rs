//! Logs: readable ones for people, JSON lines for machines, both on standard error.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// The environment variable that says which logs are written, such as `info` or `innkeeper_runtime=debug`.
const FILTER: &str = "INNKEEPER_LOG";

/// How logs are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Format {
    /// One readable line each.
    Text,
    /// One JSON object each.
    Json,
}

/// Starts logging.
pub fn start(format: Format) {
    let filter = EnvFilter::builder().with_env_var(FILTER).try_from_env();
    let filter = filter.unwrap_or_else(|_| {
        EnvFilter::new("info,librdkafka=error,refinery_core=warn,kube_runtime=error")
    });
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        Format::Text => builder
            .compact()
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .init(),
        Format::Json => builder.json().flatten_event(true).init(),
    }
}
