//! Exit codes: 0 for success, 1 for a failure while running, 2 for a refusal before anything was
//! started.

use std::error::Error;
use std::process::ExitCode;

use innkeeper_contracts::secret::masked;
use innkeeper_runtime::problem::causes;

/// Why a command does not end with 0.
#[derive(Debug)]
pub enum Failure {
    /// The user's input cannot be used. Nothing was started.
    Refused(String),
    /// The command was started and failed.
    Failed(String),
}

impl Failure {
    /// A refusal with an error and all its causes.
    pub fn refused(error: &dyn Error) -> Self {
        Self::Refused(causes(error))
    }

    /// A failure with an error and all its causes.
    pub fn failed(error: &dyn Error) -> Self {
        Self::Failed(causes(error))
    }
}

/// The exit code for arguments that cannot be parsed; prints help and version and exits with 0 if
/// they ask for it.
pub fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        error.exit();
    }
    eprint!("{}", masked(&error.render().to_string()));
    ExitCode::from(2)
}

/// The exit code of a command. A failure is printed, with secrets masked.
pub fn code(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Refused(why)) => {
            eprintln!("error: {}", masked(&why));
            ExitCode::from(2)
        }
        Err(Failure::Failed(why)) => {
            eprintln!("error: {}", masked(&why));
            ExitCode::from(1)
        }
    }
}
