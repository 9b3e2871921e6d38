//! `--crash-after POINT[:PASSING]`: dies by SIGKILL at a crash point. Tests use it to prove that a
//! crash there does no harm.

use innkeeper_kit::{CrashPlan, CrashPoint};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Parses `POINT[:PASSING]`; the passing is 1 if it is left out.
pub fn parse(text: &str) -> Result<(CrashPoint, u32), String> {
    let (point, passing) = text.split_once(':').unwrap_or((text, "1"));
    let known = CrashPoint::ALL.map(CrashPoint::name).join(", ");
    let point = CrashPoint::parse(point)
        .ok_or_else(|| format!("no such crash point; there are {known}"))?;
    let passing = passing.parse().ok().filter(|passing| *passing > 0);
    Ok((point, passing.ok_or("the passing must be a number from 1")?))
}

/// The plan to die at a crash point; without one, never.
pub fn plan(at: Option<(CrashPoint, u32)>) -> CrashPlan {
    let Some((point, passing)) = at else {
        return CrashPlan::default();
    };
    CrashPlan::at(point, passing, || {
        // A process may always signal itself, and nothing after this line runs.
        let _ = kill(Pid::this(), Signal::SIGKILL);
        loop {
            std::thread::park();
        }
    })
}
