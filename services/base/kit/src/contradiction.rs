//! Checks the fields of a PATCH besides its command against the row: a client that names another
//! id, amount or currency does not mean this row.

use innkeeper_contracts::{Field, Words};
use serde_json::{Map, Value};

use crate::entity::{Entity, State};
use crate::json::{Json, Object};
use crate::rejection::{Fault, Rejection, pointer_to};
use crate::request::found;

/// Refuses a PATCH whose ids (409), amount or currency (422) differ from those of its row, under
/// any of their names. An id that the row does not know yet is accepted; an amount or currency that
/// the row does not have is refused.
pub fn check<S: State>(words: &Words, change: &Object, row: &Entity<S>) -> Result<(), Rejection> {
    check_ids(words, change, row)?;
    let amount = row.snapshot.amount;
    let currency = row.snapshot.currency.as_deref();
    let amounts = others(words, change, Field::Amount, |said| {
        amount.is_some() && said.integer().ok() == amount
    });
    let currencies = others(words, change, Field::Currency, |said| {
        currency.is_some() && said.text() == currency
    });
    let faults: Vec<Fault> = amounts
        .map(|name| contradicts(name, amount))
        .chain(currencies.map(|name| contradicts(name, currency)))
        .collect();
    Rejection::unless_faultless(faults)
}

/// Refuses a merge patch (RFC 7396) that would change more than the status: nothing in it is
/// ignored. Every other member must be shown, and have the value that is shown.
pub fn check_merge_patch(
    words: &Words,
    patch: &Object,
    shown: &Map<String, Value>,
) -> Result<(), Rejection> {
    let status = found(words, patch, Field::Status).map(|(name, _)| name);
    let others = patch.members().filter(|(name, _)| Some(*name) != status);
    let changes = others.filter(|(name, value)| {
        let shown = shown.get(*name);
        matches!(value, Json::Null) || !shown.is_some_and(|shown| value.is_shown_as(shown))
    });
    let faults: Vec<Fault> = changes
        .map(|(name, _)| Fault {
            pointer: pointer_to(name),
            detail: format!(
                "cannot be changed; what can be is {}",
                words.field(Field::Status)
            ),
        })
        .collect();
    Rejection::unless_faultless(faults)
}

fn check_ids<S: State>(words: &Words, change: &Object, row: &Entity<S>) -> Result<(), Rejection> {
    if let Some(said) = change.get("id") {
        check_id("id", said, row.id)?;
    }
    let ids = row.snapshot.ids;
    for (field, id) in [
        (Field::Booking, ids.booking),
        (Field::Payment, ids.payment),
        (Field::Fulfillment, ids.fulfillment),
    ] {
        let Some(id) = id else { continue };
        for name in words.names_of(field) {
            if let Some(said) = change.get(name) {
                check_id(name, said, id)?;
            }
        }
    }
    Ok(())
}

fn check_id(name: &str, said: &Json, id: i64) -> Result<(), Rejection> {
    match said.id() {
        Some(said) if said == id => Ok(()),
        Some(_) => {
            let detail = format!("the request names another {name}: here it is {id}");
            Err(Rejection::Conflict(detail))
        }
        None => Err(Rejection::invalid(
            pointer_to(name),
            "must be an id: digits alone, without a sign or leading zeros",
        )),
    }
}

/// The names under which a PATCH gives a field another value than the row has.
fn others<'a>(
    words: &'a Words,
    change: &'a Object,
    field: Field,
    agrees: impl Fn(&Json) -> bool + 'a,
) -> impl Iterator<Item = &'a str> {
    words
        .names_of(field)
        .filter(move |name| change.get(name).is_some_and(|said| !agrees(said)))
}

fn contradicts(name: &str, present: Option<impl std::fmt::Display>) -> Fault {
    let detail = present.map_or_else(
        || "must be left out: there is none here".to_owned(),
        |present| format!("is {present} here, and cannot be changed"),
    );
    Fault {
        pointer: pointer_to(name),
        detail,
    }
}
