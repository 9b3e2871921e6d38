//! Runs claims in order. All of them share one cluster and one operator, so each namespace is a
//! lane: its claims run one after another and build on one another, while other lanes run
//! concurrently. A claim that fails ends its lane.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use crate::diagnosis;

/// How many characters of a failure's message the summary shows. The message may contain whole
/// objects.
const MESSAGE: usize = 1_000;

/// A statement that should be true, with a function that checks it and panics if it is false.
#[derive(Clone, Copy)]
pub struct Statement {
    /// Name of the function, which is the statement.
    pub name: &'static str,
    /// The function that checks the statement.
    pub check: fn(),
}

/// Turns functions into claims.
#[macro_export]
macro_rules! claims {
    ($($check:path),* $(,)?) => {
        vec![$($crate::lanes::Statement { name: stringify!($check), check: $check }),*]
    };
}

/// Claims that run one after another and build on one another.
pub struct Lane {
    /// Name of the lane.
    pub name: &'static str,
    /// Namespaces whose state is reported if a claim fails.
    pub namespaces: &'static [&'static str],
    /// The claims in their order.
    pub claims: Vec<Statement>,
}

/// A claim that is false.
struct FailedStatement {
    claim: String,
    reason: String,
}

/// The results of claims.
#[derive(Default)]
pub struct Tally {
    held: usize,
    failed: Vec<FailedStatement>,
    skipped: usize,
}

impl Tally {
    /// Prints the results, with the failures and their reasons at the end, and returns the exit
    /// code of the test program.
    pub fn conclude(&self, began: Instant) -> ExitCode {
        let Self {
            held,
            failed,
            skipped,
        } = self;
        let took = seconds(began.elapsed());
        println!(
            "\n{held} claims hold, {} failed, {skipped} not looked at, in {took}",
            failed.len()
        );
        for FailedStatement { claim, reason } in failed {
            println!("failed: {claim}: {reason}");
        }
        if failed.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    pub fn is_bad(&self) -> bool {
        !self.failed.is_empty()
    }

    /// Adds the results of another tally.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.held += other.held;
        self.failed.extend(other.failed);
        self.skipped += other.skipped;
        self
    }
}

/// Whether words from the command line choose this lane, because one is a part of its name or of
/// the name of one of its claims. Without words every lane is chosen.
pub fn is_chosen(lane: &Lane, words: &[String]) -> bool {
    let named = |word: &String| {
        let mut claims = lane.claims.iter();
        lane.name.contains(word.as_str()) || claims.any(|claim| claim.name.contains(word.as_str()))
    };
    words.is_empty() || words.iter().any(named)
}

/// Runs lanes concurrently, and returns the results of all.
pub fn run(lanes: &[Lane]) -> Tally {
    thread::scope(|scope| {
        let running: Vec<_> = lanes
            .iter()
            .map(|lane| scope.spawn(move || run_lane(lane)))
            .collect();
        running
            .into_iter()
            .map(|lane| lane.join().unwrap())
            .fold(Tally::default(), Tally::and)
    })
}

fn run_lane(lane: &Lane) -> Tally {
    let mut tally = Tally::default();
    for claim in &lane.claims {
        if tally.is_bad() {
            tally.skipped += 1;
            continue;
        }
        match check(lane, claim) {
            Ok(()) => tally.held += 1,
            Err(failure) => tally.failed.push(failure),
        }
    }
    tally
}

fn check(lane: &Lane, claim: &Statement) -> Result<(), FailedStatement> {
    let began = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(claim.check));
    let mark = if outcome.is_ok() { "ok" } else { "FAILED" };
    let name = full_name(lane, claim);
    println!("{name} … {mark} ({})", seconds(began.elapsed()));
    outcome.map_err(|panic| {
        println!("{}", diagnosis::of(lane.namespaces));
        FailedStatement {
            claim: name,
            reason: message(panic.as_ref()),
        }
    })
}

/// The beginning of a panic's message.
fn message(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
    let said = said.unwrap_or("a panic without words");
    said.chars().take(MESSAGE).collect()
}

fn full_name(lane: &Lane, claim: &Statement) -> String {
    let claim = claim.name.rsplit("::").next().unwrap_or(claim.name);
    format!("{}::{claim}", lane.name)
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f32())
}
