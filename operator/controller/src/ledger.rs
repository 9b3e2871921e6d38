//! Remembers what was written of each object, besides the hash recorded in it, in order to notice
//! who changes it back. A new operator starts with an empty ledger: it writes objects without a
//! matching hash once, and restores three times what others change back.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use innkeeper_plan::ownership::comparison::Comparison;
use innkeeper_plan::ownership::contested::{Contest, Contests};
use innkeeper_plan::ownership::managers::BEFORE_FIRST_APPLY;
use jiff::Timestamp;

/// How long an object is remembered after its last reconciliation.
const REMEMBERED: Duration = Duration::from_hours(1);

/// What to do about an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum WriteDecision {
    /// Write nothing, because the object is as it was applied.
    Keep,
    /// Write nothing for now, because others have changed the object back too often.
    Leave,
    /// Apply the object, to change it or to restore what others changed.
    Write,
}

/// The memories of all objects, by their uids.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<HashMap<String, Memory>>);

/// What is remembered of an object.
#[derive(Debug, Default)]
struct Memory {
    looked: Timestamp,
    /// The hash of the object that was sent last, and the hash of the fields that we owned then.
    sent: Option<(String, Option<String>)>,
    contests: Contests,
    /// The hash of the status that was sent last, and the hash of the status that the API server
    /// returned.
    status: Option<(String, String)>,
}

impl Ledger {
    /// Decides what to do about an object of ours, by its comparison.
    pub(crate) fn decide(
        &self,
        uid: &str,
        comparison: &Comparison,
        now: Timestamp,
    ) -> WriteDecision {
        self.with(uid, now, |memory| memory.decide(comparison, now))
    }

    /// Remembers an object that was sent, and the hash of the fields that we own since.
    pub(crate) fn remember_sent(
        &self,
        uid: &str,
        comparison: &Comparison,
        owned: Option<String>,
        now: Timestamp,
    ) {
        self.with(uid, now, |memory| {
            memory.sent = Some((comparison.wanted.hash.clone(), owned));
            memory.contests.put_back();
        });
    }

    /// The fields of an object that are contested.
    pub(crate) fn contested(&self, uid: &str, now: Timestamp) -> Vec<Contest> {
        self.with(uid, now, |memory| memory.contests.contested(now))
    }

    /// Remembers a status that was sent, and the one that the API server returned; both as hashes.
    pub(crate) fn remember_sent_status(
        &self,
        uid: &str,
        sent: String,
        seen: String,
        now: Timestamp,
    ) {
        self.with(uid, now, |memory| memory.status = Some((sent, seen)));
    }

    /// Whether this status was sent before, and the present status is the one that the API server
    /// returned then; all as hashes.
    pub(crate) fn is_sent_status(
        &self,
        uid: &str,
        wanted: &str,
        seen: &str,
        now: Timestamp,
    ) -> bool {
        self.with(uid, now, |memory| {
            let before = memory.status.as_ref();
            before.is_some_and(|(sent, came)| sent == wanted && came == seen)
        })
    }

    fn with<T>(&self, uid: &str, now: Timestamp, act: impl FnOnce(&mut Memory) -> T) -> T {
        let mut memories = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !memories.contains_key(uid) {
            memories
                .retain(|_, memory| now.duration_since(memory.looked).unsigned_abs() < REMEMBERED);
        }
        let memory = memories.entry(uid.to_owned()).or_default();
        memory.looked = now;
        act(memory)
    }
}

impl Memory {
    fn decide(&mut self, comparison: &Comparison, now: Timestamp) -> WriteDecision {
        let sent = self.sent.as_ref();
        let was_sent = sent.filter(|(hash, _)| *hash == comparison.wanted.hash);
        // We own the same fields as right after the write. If one is missing, admission has removed
        // it.
        let is_untouched = was_sent.is_some_and(|(_, owned)| *owned == comparison.owned);
        let mut taken = comparison.left();
        // This comes from the API server, when we apply an object whose fields had no recorded
        // owner.
        taken.retain(|_, manager| manager != BEFORE_FIRST_APPLY);
        if !is_untouched {
            taken.extend(comparison.lost.clone());
        }
        if !comparison.is_recorded && was_sent.is_none() {
            return WriteDecision::Write;
        }
        if self.contests.lose(&taken, now) {
            WriteDecision::Write
        } else if !taken.is_empty() {
            WriteDecision::Leave
        } else if comparison.takeover.is_some() || !(comparison.is_recorded || is_untouched) {
            WriteDecision::Write
        } else {
            WriteDecision::Keep
        }
    }
}

#[cfg(test)]
mod tests {
    use innkeeper_plan::Rendered;
    use innkeeper_plan::ownership::comparison::{self, entries};
    use innkeeper_plan::ownership::{DesiredObject, Ownership};
    use k8s_openapi::api::core::v1::Service;
    use kube::api::DynamicObject;
    use serde_json::{Value, json};

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn rendered(kind: &str) -> Rendered {
        let service: Service = serde_json::from_value(json!({
            "metadata": { "name": "pay" },
            "spec": { "type": kind },
        }))
        .unwrap();
        Rendered::of(&service)
    }

    /// An object as it is after it was applied, with a change.
    fn live(change: impl FnOnce(&mut Value)) -> DynamicObject {
        let wanted = innkeeper_plan::ownership::hash::Wanted::of(&rendered("ClusterIP"));
        let mut object = wanted.value();
        object["metadata"]["uid"] = json!("7");
        object["metadata"]["managedFields"] = json!([{
            "manager": "innkeeper",
            "operation": "Apply",
            "apiVersion": "v1",
            "fieldsV1": {
                "f:metadata": { "f:annotations": { "f:innkeeper.dev/applied": {} } },
                "f:spec": { "f:type": {} },
            },
        }]);
        change(&mut object);
        serde_json::from_value(object).unwrap()
    }

    fn desired(kind: &str, live: DynamicObject) -> DesiredObject {
        DesiredObject {
            rendered: rendered(kind),
            ownership: Ownership::Ours("7".to_owned()),
            live: Some(live),
        }
    }

    fn decide(ledger: &Ledger, desired: &DesiredObject, second: i64) -> WriteDecision {
        ledger.decide("7", &Comparison::of(desired), at(second))
    }

    fn sent(ledger: &Ledger, desired: &DesiredObject, second: i64) {
        let owned = comparison::owned(desired, entries(desired.live.as_ref().unwrap()));
        ledger.remember_sent("7", &Comparison::of(desired), owned, at(second));
    }

    /// Makes somebody else the owner of the type, as the object's managed fields show.
    fn taken(object: &mut Value) {
        let ours = &mut object["metadata"]["managedFields"][0]["fieldsV1"];
        ours.as_object_mut().unwrap().remove("f:spec");
        let theirs = json!({
            "manager": "k9s",
            "operation": "Update",
            "apiVersion": "v1",
            "fieldsV1": { "f:spec": { "f:type": {} } },
        });
        let entries = object["metadata"]["managedFields"].as_array_mut();
        entries.unwrap().push(theirs);
    }

    #[test]
    fn a_new_operator_keeps_an_object_that_is_as_it_was_applied() {
        let kept = desired("ClusterIP", live(|_| {}));
        assert_eq!(decide(&Ledger::default(), &kept, 0), WriteDecision::Keep);
    }

    #[test]
    fn a_value_that_admission_rewrote_is_kept() {
        let rewritten = live(|object| object["spec"]["type"] = json!("NodePort"));
        let kept = desired("ClusterIP", rewritten);
        assert_eq!(decide(&Ledger::default(), &kept, 0), WriteDecision::Keep);
    }

    #[test]
    fn an_object_that_should_differ_now_is_written() {
        let changed = desired("NodePort", live(|_| {}));
        assert_eq!(
            decide(&Ledger::default(), &changed, 0),
            WriteDecision::Write
        );
    }

    #[test]
    fn an_object_of_an_older_release_is_written_once() {
        let older = live(|object| {
            object["metadata"]["annotations"] = json!({});
            object["metadata"]["managedFields"][0]["fieldsV1"]["f:metadata"] = json!({});
        });
        let older = desired("ClusterIP", older);
        assert_eq!(decide(&Ledger::default(), &older, 0), WriteDecision::Write);
    }

    #[test]
    fn a_field_that_somebody_takes_is_restored_twice_and_then_left_for_a_while() {
        let ledger = Ledger::default();
        let lost = desired("ClusterIP", live(taken));
        for second in 0..2 {
            assert_eq!(decide(&ledger, &lost, second), WriteDecision::Write);
            sent(&ledger, &desired("ClusterIP", live(|_| {})), second);
        }
        assert_eq!(decide(&ledger, &lost, 2), WriteDecision::Leave);
        let contested = ledger.contested("7", at(2));
        assert_eq!(contested[0].field, "spec.type");
        assert_eq!(contested[0].manager, "k9s");
        assert_eq!(decide(&ledger, &lost, 33), WriteDecision::Write);
    }

    #[test]
    fn somebody_who_also_changes_the_recorded_hash_is_noticed() {
        let ledger = Ledger::default();
        let undone = desired(
            "ClusterIP",
            live(|object| {
                taken(object);
                object["metadata"]["annotations"]["innkeeper.dev/applied"] = json!("former");
            }),
        );
        let mut decisions = Vec::new();
        for second in 0..4 {
            decisions.push(decide(&ledger, &undone, second));
            sent(&ledger, &desired("ClusterIP", live(|_| {})), second);
        }
        assert_eq!(
            decisions,
            [
                WriteDecision::Write,
                WriteDecision::Write,
                WriteDecision::Write,
                WriteDecision::Leave
            ]
        );
    }

    #[test]
    fn a_record_that_admission_does_not_let_through_is_written_once() {
        let ledger = Ledger::default();
        let stripped = desired(
            "ClusterIP",
            live(|object| object["metadata"]["annotations"] = json!({})),
        );
        assert_eq!(decide(&ledger, &stripped, 0), WriteDecision::Write);
        sent(&ledger, &stripped, 0);
        assert_eq!(decide(&ledger, &stripped, 1), WriteDecision::Keep);
    }

    #[test]
    fn a_field_without_a_recorded_owner_is_written_and_not_contested() {
        let ledger = Ledger::default();
        let unowned = live(|object| {
            let entries = object["metadata"]["managedFields"].as_array_mut().unwrap();
            entries.push(json!({
                "manager": "before-first-apply",
                "operation": "Update",
                "apiVersion": "v1",
                "fieldsV1": { "f:spec": { "f:type": {} } },
            }));
        });
        let unowned = desired("ClusterIP", unowned);
        for second in 0..9 {
            assert_eq!(decide(&ledger, &unowned, second), WriteDecision::Write);
            sent(&ledger, &desired("ClusterIP", live(|_| {})), second);
        }
    }

    #[test]
    fn a_status_that_admission_rewrote_is_not_sent_again() {
        let ledger = Ledger::default();
        let is_sent = |wanted: &str, seen: &str| ledger.is_sent_status("7", wanted, seen, at(1));
        assert!(!is_sent("ready", "nothing"));
        ledger.remember_sent_status("7", "ready".to_owned(), "rewritten".to_owned(), at(0));
        assert!(is_sent("ready", "rewritten"));
        assert!(!is_sent("ready", "someone's"));
        assert!(!is_sent("stalled", "rewritten"));
    }
}
