//! Platforms on a real cluster: what is promised of the operator, the chart and the services, seen from outside.
//!
//! The operator is installed first and removed last; between the two every lane has a namespace of its own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its fixtures too"
)]

mod changes;
mod deletion;
mod farewell;
mod installation;
mod manual;
mod namespaces;
mod refusals;
mod rentcar;
mod standstill;
mod topics;
mod verdicts;
mod webhooks;

use std::process::ExitCode;
use std::time::Instant;

use innkeeper_e2e::lanes::{self, Lane};
use innkeeper_e2e::{namespace, operator};

fn main() -> ExitCode {
    let began = Instant::now();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let chosen = |lanes: Vec<Lane>| -> Vec<Lane> {
        let mut lanes = lanes;
        lanes.retain(|lane| lanes::is_chosen(lane, &words));
        lanes
    };
    namespace::clean();
    let first = lanes::run(&chosen(vec![installation::lane()]));
    if first.is_bad() {
        return first.conclude(began);
    }
    operator::install_whole();
    // Two lanes put load on a platform: they do not run beside each other, and what counts lost requests has the machine
    // to itself. What stops the operator, and then what removes it, is alone with it.
    let groups = [
        vec![rentcar::lane(), refusals::lane(), topics::lane()],
        vec![changes::lane()],
        vec![deletion::lane(), verdicts::lane()],
        vec![webhooks::lane(), manual::lane()],
        vec![standstill::lane()],
        vec![namespaces::lane()],
        vec![farewell::lane()],
    ];
    let mut tally = first;
    for group in groups {
        tally = tally.and(lanes::run(&chosen(group)));
    }
    tally.conclude(began)
}
