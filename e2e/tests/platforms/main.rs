//! Tests of platforms on a real cluster: what the operator, the chart and the services promise,
//! seen from outside.
//!
//! The operator is installed first and uninstalled last. In between every lane has a namespace of
//! its own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its fixtures too"
)]

mod burgerqueen;
mod changes;
mod defaults;
mod deletion;
mod failures;
mod farewell;
mod installation;
mod kafka_security;
mod manual;
mod namespaces;
mod refusals;
mod rentcar;
mod standstill;
mod tls;
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
    // Two lanes put load on a platform, so they do not run concurrently, and the one that counts
    // lost requests has the machine to itself. The lanes that stop or uninstall the operator run
    // alone.
    let groups = [
        vec![rentcar::lane(), refusals::lane(), topics::lane()],
        vec![changes::lane()],
        vec![
            deletion::lane(),
            verdicts::lane(),
            burgerqueen::lane(),
            failures::lane(),
        ],
        vec![
            webhooks::lane(),
            manual::lane(),
            tls::lane(),
            kafka_security::lane(),
        ],
        vec![standstill::lane()],
        vec![defaults::lane()],
        vec![namespaces::lane()],
        vec![farewell::lane()],
    ];
    let mut tally = first;
    for group in groups {
        tally = tally.and(lanes::run(&chosen(group)));
    }
    tally.conclude(began)
}
