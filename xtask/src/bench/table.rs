//! The one table of a run: figure, value, goal, ceiling of this run, result.

use super::figure::{Figure, Run};
use super::goals::{GOALS, Goal, GoalResult, goal, percent};

/// What stands where there is nothing to say.
const NOTHING: &str = "–";

/// The table of a run, in Markdown.
pub fn table(run: &Run) -> String {
    let head = "| figure | value | goal | ceiling of this run | result |\n|---|---|---|---|---|\n";
    let rows = run.figures.iter().map(|figure| row(figure, run));
    rows.fold(head.to_owned(), |table, row| table + &row + "\n")
}

fn row(figure: &Figure, run: &Run) -> String {
    let goal = goal(&figure.name);
    let shown = goal.map(|goal| goal.show(figure.unit));
    let base = goal.and_then(|goal| goal.base(run));
    let result = goal.map(|goal| result(goal, figure, run));
    let or_nothing = |cell: Option<String>| cell.unwrap_or_else(|| NOTHING.to_owned());
    format!(
        "| {} | {} | {} | {} | {} |",
        figure.name,
        figure.show(),
        or_nothing(shown),
        or_nothing(base.map(Figure::show)),
        or_nothing(result)
    )
}

fn result(goal: Goal, figure: &Figure, run: &Run) -> String {
    let share = goal
        .base(run)
        .map(|base| percent(figure.value / base.value));
    let share = share.map_or_else(String::new, |share| format!(": {share}"));
    match goal.result(figure, run) {
        GoalResult::Reached => format!("reached{share}"),
        GoalResult::Missed => format!("**missed**{share}"),
        GoalResult::Open(reason) => format!("open: {reason}"),
    }
}

/// The goals that a run does not reach, or of which it does not tell, one a line.
pub fn misses(run: &Run) -> Vec<String> {
    GOALS
        .iter()
        .filter_map(|(name, goal)| miss(name, *goal, run))
        .collect()
}

fn miss(name: &str, goal: Goal, run: &Run) -> Option<String> {
    let Some(figure) = run.find(name) else {
        return Some(format!("{name}: not measured"));
    };
    match goal.result(figure, run) {
        GoalResult::Reached => None,
        GoalResult::Missed | GoalResult::Open(_) => Some(format!(
            "{name}: {}, wanted {} ({})",
            figure.show(),
            goal.show(figure.unit),
            result(goal, figure, run)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::figure::Unit;
    use super::super::goals::{CEILING, CPU, PEAK_MEMORY};
    use super::*;

    fn run() -> Run {
        Run {
            commit: String::new(),
            figures: vec![
                Figure::new(CEILING, 8000.0, Unit::PerSecond),
                Figure::new("reservations at 64 connections", 3600.0, Unit::PerSecond),
                Figure::new("reservations at 256 connections", 3500.0, Unit::PerSecond),
                Figure::new(CPU, 180.0, Unit::Microseconds),
                Figure::new(PEAK_MEMORY, 114.0, Unit::Megabytes),
            ],
        }
    }

    #[test]
    fn a_row_says_figure_goal_ceiling_and_result() {
        let table = table(&run());
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                &format!("| {CEILING} | 8000/s | – | – | – |"),
                "| reservations at 64 connections | 3600/s | at least 100 % of the ceiling | 8000/s | **missed**: 45 % |",
                "| reservations at 256 connections | 3500/s | at least 90 % of reservations at 64 connections | 3600/s | reached: 97 % |",
                "| server CPU a reservation at 64 connections | 180 µs | at most 200 µs | – | reached |",
                "| peak memory | 114 MB | at most 120 MB after 300000 reservations | – | open: reservations were not counted |",
            ]
        );
    }

    #[test]
    fn every_goal_that_is_not_reached_is_a_miss() {
        let misses = misses(&run());
        assert_eq!(
            misses,
            [
                "reservations at 16 connections: not measured",
                "reservations at 64 connections: 3600/s, wanted at least 100 % of the ceiling (**missed**: 45 %)",
                "201 to the view's row at half load, p99: not measured",
                "peak memory: 114 MB, wanted at most 120 MB after 300000 reservations (open: reservations were not counted)",
                "disk a reservation: not measured",
            ]
        );
    }
}
