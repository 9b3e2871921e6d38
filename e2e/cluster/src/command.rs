//! Runs commands to their end. Their output is kept, and shown if they fail.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// How many of the last lines of a log an error shows.
const TAIL_LINES: usize = 25;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The program could not be started.
    #[error("cannot start `{command}`")]
    Start {
        /// The program and its arguments, as one line.
        command: String,
        /// The error of the system.
        source: io::Error,
    },
    /// The program ended with an error.
    #[error("`{command}` failed ({status})\n{tail}")]
    Failed {
        /// The program and its arguments, as one line.
        command: String,
        /// The exit code or signal.
        status: String,
        /// The last lines of its output.
        tail: String,
    },
    /// The log file could not be written.
    #[error("cannot write the log {log}")]
    Log {
        log: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

/// Runs a command with its output in a log file. If the command fails, the error contains the last
/// lines of the log.
pub fn run_logged(command: &mut Command, log: &Path) -> Result<(), CommandError> {
    let (out, err) = log_streams(log).map_err(|source| CommandError::Log {
        log: log.to_path_buf(),
        source,
    })?;
    let status = command
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .status();
    let status = status.map_err(|source| CommandError::Start {
        command: line(command),
        source,
    })?;
    if status.success() {
        return Ok(());
    }
    let tail = format!("the last lines of {}:\n{}", log.display(), read_tail(log));
    Err(CommandError::Failed {
        command: line(command),
        status: status.to_string(),
        tail,
    })
}

/// Runs a command and returns its standard output.
pub fn read_output(command: &mut Command) -> Result<String, CommandError> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|source| CommandError::Start {
        command: line(command),
        source,
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(failed(command, &output))
}

/// Runs a command for its effect. The output is shown only if it fails.
pub fn run(command: &mut Command) -> Result<(), CommandError> {
    read_output(command).map(drop)
}

/// Reads the last lines of a log file; empty if there is none.
pub fn read_tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    tail_lines(&String::from_utf8_lossy(&text))
}

/// Opens a log file twice for appending: once for each output of a process.
pub(crate) fn log_streams(log: &Path) -> io::Result<(File, File)> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = File::options().create(true).append(true).open(log)?;
    Ok((file.try_clone()?, file))
}

/// The command line as a person would type it.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

fn failed(command: &Command, output: &Output) -> CommandError {
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    CommandError::Failed {
        command: line(command),
        status: output.status.to_string(),
        tail: tail_lines(&said),
    }
}

fn tail_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
