//! Exit codes: 0 done, 1 failed while it ran, 2 refused before anything was started.

use std::error::Error;
use std::process::ExitCode;

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

/// The exit code of an outcome; what went wrong is printed.
pub fn code(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Refused(why)) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
        Err(Failure::Failed(why)) => {
            eprintln!("error: {why}");
            ExitCode::from(1)
        }
    }
}
