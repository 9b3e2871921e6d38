//! Decides which callees a service has to wait for.

use innkeeper_crds::Condition;

use crate::verdict::{State, holds, ready_condition};

/// A callee that is not ready yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unready {
    /// Name of the callee.
    pub service: String,
    /// Why somebody has to act before it can become ready; `None` while it makes progress by
    /// itself. Naming every state on its way would mean another status to write each time.
    pub why: Option<String>,
}

/// The callee with the reason to wait for it, by its conditions; `None` if it is ready.
/// `conditions` is `None` if there is no such service.
pub fn unready(name: &str, conditions: Option<&[Condition]>) -> Option<Unready> {
    let is_there = conditions.is_some();
    let conditions = conditions.unwrap_or_default();
    if holds(conditions, State::Ready) {
        return None;
    }
    let is_stalled = holds(conditions, State::Stalled);
    let reason = ready_condition(conditions).filter(|_| is_stalled);
    Some(Unready {
        service: name.to_owned(),
        why: if is_there {
            reason.map(|it| it.reason.clone())
        } else {
            Some("there is none yet".to_owned())
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_callee_is_waited_for_until_it_is_ready_or_off_and_named_with_what_stalls_it() {
        let callee = |conditions: serde_json::Value| -> Vec<Condition> {
            serde_json::from_value(conditions).unwrap()
        };
        let condition = |kind: &str, reason: &str| {
            json!([{
                "type": kind,
                "status": "True",
                "reason": reason,
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }])
        };
        let off = callee(condition("Ready", "Off"));
        assert_eq!(unready("pay", Some(&off)), None);
        let why = |callee| unready("pay", callee).unwrap().why;
        let starting = callee(condition("Reconciling", "Progressing"));
        assert_eq!(why(Some(&starting)), None);
        let mut stalled = condition("Stalled", "Refused");
        let ready = json!({
            "type": "Ready",
            "status": "False",
            "reason": "Refused",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        });
        stalled.as_array_mut().unwrap().push(ready);
        let stalled = callee(stalled);
        assert_eq!(why(Some(&stalled)).as_deref(), Some("Refused"));
        assert_eq!(why(None).as_deref(), Some("there is none yet"));
    }
}
