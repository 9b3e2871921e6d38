//! What is wanted of the figures, and whether a run has it.

use super::figure::{Figure, Run, Unit};

/// Commits of one row and one event each, on one connection and nothing else on the machine.
pub const CEILING: &str = "raw SQLite commits of one row and one event, WAL, synchronous=FULL";
/// Processor time of the server for each reservation, user and system.
pub const CPU: &str = "server CPU a reservation at 64 connections";
/// From the answer to the row of the view, while half the reservations of 64 connections arrive.
pub const VIEW_AT_HALF_LOAD: &str = "201 to the view's row at half load, p99";
/// Reservations that the platform had taken when its memory and its disk were looked at.
pub const RESERVATIONS: &str = "reservations made";
/// The most memory that the server ever had.
pub const PEAK_MEMORY: &str = "peak memory";
/// The growth of the data folder, for each reservation.
pub const DISK: &str = "disk a reservation";

/// What is wanted of a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// At most this value.
    AtMost(f64),
    /// At most this value, once there were so many reservations.
    AtMostAfter(f64, f64),
    /// At least this share of another figure of the same run.
    ShareOf(f64, &'static str),
}

/// Whether a run has what is wanted.
#[derive(Clone, Debug, PartialEq)]
pub enum GoalResult {
    Reached,
    Missed,
    /// The run cannot tell, for this reason.
    Open(String),
}

/// The goals, by the name of their figure.
pub const GOALS: [(&str, Goal); 7] = [
    (AT_16, Goal::ShareOf(0.6, CEILING)),
    (AT_64, Goal::ShareOf(1.0, CEILING)),
    (AT_256, Goal::ShareOf(0.9, AT_64)),
    (CPU, Goal::AtMost(200.0)),
    (VIEW_AT_HALF_LOAD, Goal::AtMost(10.0)),
    (PEAK_MEMORY, Goal::AtMostAfter(120.0, 300_000.0)),
    (DISK, Goal::AtMost(2.5)),
];

const AT_16: &str = "reservations at 16 connections";
const AT_64: &str = "reservations at 64 connections";
const AT_256: &str = "reservations at 256 connections";

/// The name of the rate of reservations at a number of connections.
pub fn at_connections(connections: u32) -> String {
    format!("reservations at {connections} connections")
}

/// What is wanted of a figure, if anything is.
pub fn goal(name: &str) -> Option<Goal> {
    let mut goals = GOALS.iter();
    goals.find(|(figure, _)| *figure == name).map(|it| it.1)
}

impl Goal {
    /// The goal as people read it; `unit` is that of its figure.
    pub fn show(self, unit: Unit) -> String {
        match self {
            Self::AtMost(most) => format!("at most {}", unit.show(most)),
            Self::AtMostAfter(most, reservations) => {
                format!(
                    "at most {} after {reservations} reservations",
                    unit.show(most)
                )
            }
            Self::ShareOf(share, CEILING) => format!("at least {} of the ceiling", percent(share)),
            Self::ShareOf(share, other) => {
                format!("at least {} of {other}", percent(share))
            }
        }
    }

    /// The figure that the goal is a share of.
    pub fn base(self, run: &Run) -> Option<&Figure> {
        match self {
            Self::ShareOf(_, other) => run.find(other),
            Self::AtMost(_) | Self::AtMostAfter(..) => None,
        }
    }

    /// Whether a figure of a run reaches the goal.
    pub fn result(self, figure: &Figure, run: &Run) -> GoalResult {
        match self {
            Self::AtMost(most) => reached(figure.value <= most),
            Self::AtMostAfter(most, _) if figure.value > most => GoalResult::Missed,
            Self::AtMostAfter(_, wanted) => match run.find(RESERVATIONS) {
                None => GoalResult::Open("reservations were not counted".to_owned()),
                Some(made) if made.value < wanted => {
                    GoalResult::Open(format!("after {} of {wanted} reservations", made.value))
                }
                Some(_) => GoalResult::Reached,
            },
            Self::ShareOf(share, other) => match run.find(other) {
                None => GoalResult::Open(format!("{other}: not measured")),
                Some(base) => reached(figure.value >= share * base.value),
            },
        }
    }
}

const fn reached(is_reached: bool) -> GoalResult {
    if is_reached {
        GoalResult::Reached
    } else {
        GoalResult::Missed
    }
}

/// A share in per cent.
pub fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(figures: &[(&str, f64)]) -> Run {
        let figures = figures.iter();
        Run {
            commit: String::new(),
            figures: figures
                .map(|(name, value)| Figure::new(*name, *value, Unit::PerSecond))
                .collect(),
        }
    }

    fn result(run: &Run, name: &str) -> GoalResult {
        goal(name).unwrap().result(run.find(name).unwrap(), run)
    }

    #[test]
    fn the_rates_of_a_run_have_the_names_that_goals_know() {
        let names = [16, 64, 256].map(at_connections);
        assert_eq!(names, [AT_16, AT_64, AT_256]);
    }

    #[test]
    fn rates_are_judged_by_the_ceiling_of_the_same_run() {
        let slow_machine = run(&[(CEILING, 4000.0), (AT_16, 2400.0), (AT_64, 4000.0)]);
        assert_eq!(result(&slow_machine, AT_16), GoalResult::Reached);
        assert_eq!(result(&slow_machine, AT_64), GoalResult::Reached);
        let fast_machine = run(&[(CEILING, 8000.0), (AT_16, 2400.0), (AT_64, 4000.0)]);
        assert_eq!(result(&fast_machine, AT_16), GoalResult::Missed);
        assert_eq!(result(&fast_machine, AT_64), GoalResult::Missed);
    }

    #[test]
    fn many_connections_are_judged_by_64() {
        assert_eq!(
            result(&run(&[(AT_64, 1000.0), (AT_256, 900.0)]), AT_256),
            GoalResult::Reached
        );
        assert_eq!(
            result(&run(&[(AT_64, 1000.0), (AT_256, 899.0)]), AT_256),
            GoalResult::Missed
        );
    }

    #[test]
    fn a_share_of_what_was_not_measured_is_open() {
        let result = result(&run(&[(AT_256, 900.0)]), AT_256);
        assert_eq!(result, GoalResult::Open(format!("{AT_64}: not measured")));
    }

    #[test]
    fn what_may_be_at_most_is_reached_at_exactly_that() {
        assert_eq!(result(&run(&[(CPU, 200.0)]), CPU), GoalResult::Reached);
        assert_eq!(result(&run(&[(CPU, 200.1)]), CPU), GoalResult::Missed);
    }

    #[test]
    fn memory_is_missed_at_once_and_reached_only_after_all_reservations() {
        let after = |made, memory| run(&[(RESERVATIONS, made), (PEAK_MEMORY, memory)]);
        assert_eq!(result(&after(10.0, 121.0), PEAK_MEMORY), GoalResult::Missed);
        assert_eq!(
            result(&after(300_000.0, 120.0), PEAK_MEMORY),
            GoalResult::Reached
        );
        let early = GoalResult::Open("after 10 of 300000 reservations".to_owned());
        assert_eq!(result(&after(10.0, 120.0), PEAK_MEMORY), early);
    }
}
