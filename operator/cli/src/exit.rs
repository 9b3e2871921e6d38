//! Exit codes: 0 done, 1 failed while it ran, 2 refused before anything was started.

use std::error::Error;
use std::process::ExitCode;

use innkeeper_contracts::secret::masked;
use innkeeper_runtime::problem::causes;

/// Why a command ends otherwise than with 0.
#[derive(Debug)]
pub enum Failure {
    /// What the user gave cannot be used; nothing was started.
    Refused(String),
    /// It was started and went wrong.
    Failed(String),
}

impl Failure {
    /// A refusal with all causes of an error.
    pub fn refused(error: &dyn Error) -> Self {
        Self::Refused(causes(error))
    }

    /// A failure with all causes of an error.
    pub fn failed(error: &dyn Error) -> Self {
        Self::Failed(causes(error))
    }
}

/// The exit code of words that make no command, or ask for help.
pub fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        error.exit();
    }
    eprint!("{}", masked(&error.render().to_string()));
    ExitCode::from(2)
}

/// The exit code of an outcome; what went wrong is printed, without what must not be shown.
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
