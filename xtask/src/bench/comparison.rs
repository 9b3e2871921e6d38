//! What changed between two runs.

use super::figure::{Better, Figure, Run};
use super::goals::{Goal, goal, percent};

/// Runs on one machine differ by this share without any change of the code.
const NOISE: f64 = 0.1;

/// The table of what changed since an earlier run, in Markdown. A rate that has a goal is compared
/// by its share of the ceiling, since the machine itself is faster on some days.
pub fn comparison(before: &Run, now: &Run) -> String {
    let head = format!(
        "| figure | before ({}) | now ({}) | change |\n|---|---|---|---|\n",
        before.commit, now.commit
    );
    let rows = now.figures.iter().map(|figure| row(figure, before, now));
    let gone = before
        .figures
        .iter()
        .filter(|figure| now.find(&figure.name).is_none())
        .map(|figure| {
            format!(
                "| {} | {} | – | not measured |\n",
                figure.name,
                figure.show()
            )
        });
    rows.chain(gone).fold(head, |table, row| table + &row)
}

fn row(figure: &Figure, before: &Run, now: &Run) -> String {
    let name = &figure.name;
    let Some(earlier) = before.find(name) else {
        return format!("| {name} | – | {} | new |\n", show(figure, now));
    };
    format!(
        "| {name} | {} | {} | {} |\n",
        show(earlier, before),
        show(figure, now),
        change(
            earlier,
            figure,
            share(earlier, before).zip(share(figure, now))
        )
    )
}

/// A value, and its share where its goal is one.
fn show(figure: &Figure, run: &Run) -> String {
    match share(figure, run) {
        Some(share) => format!("{} ({})", figure.show(), percent(share)),
        None => figure.show(),
    }
}

fn share(figure: &Figure, run: &Run) -> Option<f64> {
    let base = goal(&figure.name).and_then(|goal: Goal| goal.base(run))?;
    (base.value > 0.0).then(|| figure.value / base.value)
}

fn change(earlier: &Figure, figure: &Figure, shares: Option<(f64, f64)>) -> String {
    let (from, to) = shares.unwrap_or((earlier.value, figure.value));
    let is_more = to > from;
    let better = match figure.unit.better() {
        Better::Neither => return String::new(),
        Better::Higher => is_more,
        Better::Lower => !is_more,
    };
    if from <= 0.0 {
        return if is_more { "worse" } else { "the same" }.to_owned();
    }
    let ratio = to / from - 1.0;
    if ratio.abs() < NOISE {
        return format!("{} (noise)", signed_percent(ratio));
    }
    format!(
        "{} {}",
        signed_percent(ratio),
        if better { "better" } else { "worse" }
    )
}

fn signed_percent(ratio: f64) -> String {
    format!("{:+.0} %", ratio * 100.0)
}

#[cfg(test)]
mod tests {
    use super::super::figure::Unit;
    use super::super::goals::{CEILING, PEAK_MEMORY};
    use super::*;

    const AT_64: &str = "reservations at 64 connections";

    fn run(commit: &str, figures: &[(&str, f64, Unit)]) -> Run {
        let figures = figures.iter();
        Run {
            commit: commit.to_owned(),
            figures: figures
                .map(|(name, value, unit)| Figure::new(*name, *value, *unit))
                .collect(),
        }
    }

    fn rows(before: &[(&str, f64, Unit)], now: &[(&str, f64, Unit)]) -> Vec<String> {
        let table = comparison(&run("old", before), &run("new", now));
        table.lines().skip(2).map(ToOwned::to_owned).collect()
    }

    #[test]
    fn less_memory_and_a_higher_rate_are_better() {
        let before = [
            (PEAK_MEMORY, 100.0, Unit::Megabytes),
            ("any rate", 100.0, Unit::PerSecond),
        ];
        let now = [
            (PEAK_MEMORY, 80.0, Unit::Megabytes),
            ("any rate", 80.0, Unit::PerSecond),
        ];
        assert_eq!(
            rows(&before, &now),
            [
                "| peak memory | 100 MB | 80 MB | -20 % better |",
                "| any rate | 100/s | 80/s | -20 % worse |",
            ]
        );
    }

    #[test]
    fn a_rate_with_a_goal_is_compared_by_its_share_of_the_ceiling() {
        let before = [
            (CEILING, 4000.0, Unit::PerSecond),
            (AT_64, 4000.0, Unit::PerSecond),
        ];
        let now = [
            (CEILING, 8000.0, Unit::PerSecond),
            (AT_64, 4000.0, Unit::PerSecond),
        ];
        assert_eq!(
            rows(&before, &now)[1],
            "| reservations at 64 connections | 4000/s (100 %) | 4000/s (50 %) | -50 % worse |"
        );
    }

    #[test]
    fn what_the_machine_alone_may_do_is_noise() {
        let before = [("any delay", 10.0, Unit::Milliseconds)];
        let now = [("any delay", 10.9, Unit::Milliseconds)];
        assert_eq!(
            rows(&before, &now),
            ["| any delay | 10.0 ms | 10.9 ms | +9 % (noise) |"]
        );
    }

    #[test]
    fn a_figure_of_one_run_alone_is_shown_as_such() {
        let before = [("old figure", 10.0, Unit::Milliseconds)];
        let now = [("new figure", 5.0, Unit::Milliseconds)];
        assert_eq!(
            rows(&before, &now),
            [
                "| new figure | – | 5.0 ms | new |",
                "| old figure | 10.0 ms | – | not measured |",
            ]
        );
    }

    #[test]
    fn failures_where_there_were_none_are_worse() {
        let before = [("failures", 0.0, Unit::Failures)];
        assert_eq!(
            rows(&before, &[("failures", 3.0, Unit::Failures)]),
            ["| failures | 0 | 3 | worse |"]
        );
        assert_eq!(rows(&before, &before), ["| failures | 0 | 0 | the same |"]);
    }
}
