//! What all commands that run until a signal share: how their process starts and ends.

use std::future::Future;
use std::num::NonZero;
use std::thread::available_parallelism;

use innkeeper_kit::{CrashPlan, CrashPoint};
use innkeeper_runtime::shutdown::EndSignals;
use tokio::runtime::Builder;

use crate::crash;
use crate::exit::Failure;

/// The crash point at which the process is to die, in tests.
#[derive(clap::Args)]
pub struct CrashArguments {
    /// Die by SIGKILL at a crash point; for tests.
    #[arg(long, value_name = "POINT[:PASSING]", value_parser = crash::parse, hide = true)]
    crash_after: Option<(CrashPoint, u32)>,
}

impl CrashArguments {
    /// The plan to die at that crash point.
    pub fn plan(&self) -> CrashPlan {
        crash::plan(self.crash_after)
    }
}

/// Runs a command on an async runtime with a worker thread for each core. It listens for signals
/// before the command begins.
pub fn run<F>(command: impl FnOnce(EndSignals) -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    run_on(&mut Builder::new_multi_thread(), command)
}

/// How many tasks a worker thread runs between two looks at what others have woken. The thread that
/// writes wakes everything that waits for a commit, which would wait behind 61 tasks otherwise.
const LOOK_FOR_WOKEN_EVERY: u32 = 8;

/// The same with one worker thread less, since the thread that writes for a platform has a core to
/// itself then. On two cores a request takes a fifth less processor time like this.
pub fn run_beside_writer<F>(command: impl FnOnce(EndSignals) -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let cores = available_parallelism().map_or(1, NonZero::get);
    let workers = (cores - 1).max(1);
    run_on(
        Builder::new_multi_thread()
            .worker_threads(workers)
            .global_queue_interval(LOOK_FOR_WOKEN_EVERY),
        command,
    )
}

fn run_on<F>(builder: &mut Builder, command: impl FnOnce(EndSignals) -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let runtime = builder.enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(&error))?;
    runtime.block_on(async {
        let signals = EndSignals::listen().map_err(|error| Failure::failed(&error))?;
        command(signals).await
    })
}

/// The result of a command whose services have ended.
pub fn ended(all_was_finished: bool) -> Result<(), Failure> {
    if all_was_finished {
        Ok(())
    } else {
        Err(Failure::Failed(
            "some work was not finished in time".to_owned(),
        ))
    }
}
