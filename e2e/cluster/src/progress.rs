//! Shows people the step that is running, and how long it took.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Shows steps on standard error: with a spinner on a terminal, else with one line when a step
/// begins and one when it ends.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    shown: bool,
}

impl Progress {
    /// Progress that is shown.
    pub fn shown() -> Self {
        Self { shown: true }
    }

    /// Progress that is not shown.
    pub fn silent() -> Self {
        Self { shown: false }
    }

    /// Runs a step, and shows its name, how long it took, and whether it succeeded.
    pub fn step<T, E>(self, name: &str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let began = Instant::now();
        let spinner = self.begin(name);
        let outcome = work();
        spinner.finish_and_clear();
        let mark = if outcome.is_ok() { "✓" } else { "✗" };
        self.say(&format!(
            "{mark} {name} ({:.1} s)",
            began.elapsed().as_secs_f32()
        ));
        outcome
    }

    /// Prints a line to stderr, if progress is shown.
    pub fn say(self, line: &str) {
        if self.shown {
            eprintln!("{line}");
        }
    }

    fn begin(self, name: &str) -> ProgressBar {
        if !self.shown {
            return ProgressBar::hidden();
        }
        if !std::io::stderr().is_terminal() {
            self.say(&format!("… {name}"));
            return ProgressBar::hidden();
        }
        let spinner = ProgressBar::new_spinner().with_message(name.to_owned());
        let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})")
            .expect("the template is a constant");
        spinner.set_style(style);
        spinner.enable_steady_tick(Duration::from_millis(100));
        spinner
    }
}
