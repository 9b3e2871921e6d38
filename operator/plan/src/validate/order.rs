//! Orders services so that callees come before their callers.

use super::ValidatedService;
use crate::refusal::Collector;

/// The services in an order in which each one comes after those that it calls; otherwise in the
/// order of the file.
pub(super) fn callees_first(
    mut waiting: Vec<ValidatedService>,
    collector: &mut Collector,
) -> Vec<ValidatedService> {
    let mut ordered: Vec<ValidatedService> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let next = waiting.iter().position(|service| {
            service.calls.iter().all(|call| {
                call.service == service.name
                    || !waiting.iter().any(|other| other.name == call.service)
            })
        });
        let Some(next) = next else {
            collector.refuse("spec.services", circle(&waiting));
            return ordered;
        };
        ordered.push(waiting.remove(next));
    }
    ordered
}

fn circle(waiting: &[ValidatedService]) -> String {
    let names: Vec<&str> = waiting
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    format!(
        "the calls of {} go round in a circle, so that none could start first: remove one",
        names.join(", ")
    )
}
