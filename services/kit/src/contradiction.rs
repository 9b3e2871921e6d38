//! What a PATCH says beside its command, held against the row: whoever names another row, or other money, does not mean this one.

use innkeeper_contracts::{Field, PublicIds, Words};

use crate::entity::{Entity, State};
use crate::json::Object;
use crate::rejection::{Fault, Rejection, pointer_to};
use crate::request::found;

/// Refuses a PATCH whose ids, amount or currency are not those of its row. An id that the row does not know yet contradicts nothing; money
/// that it does not have does.
pub fn check<S: State>(words: &Words, change: &Object, row: &Entity<S>) -> Result<(), Rejection> {
    check_ids(words, change, row)?;
    let faults: Vec<Fault> = amount(words, change, row)
        .into_iter()
        .chain(currencies(words, change, row))
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Rejection::Invalid(faults))
    }
}

fn check_ids<S: State>(words: &Words, change: &Object, row: &Entity<S>) -> Result<(), Rejection> {
    let PublicIds {
        booking,
        payment,
        fulfillment,
    } = row.snapshot.ids;
    let own = change.get("id").map(|value| ("id", value));
    let said = [
        (own, Some(row.id)),
        (found(words, change, Field::Booking), booking),
        (found(words, change, Field::Payment), payment),
        (found(words, change, Field::Fulfillment), fulfillment),
    ];
    for (member, id) in said {
        if let (Some((name, value)), Some(id)) = (member, id)
            && value.integer() != Ok(id)
        {
            return Err(Rejection::Conflict(format!(
                "the request names another {name}: here it is {id}"
            )));
        }
    }
    Ok(())
}

fn amount<S: State>(words: &Words, change: &Object, row: &Entity<S>) -> Option<Fault> {
    let (name, value) = found(words, change, Field::Amount)?;
    match row.snapshot.amount {
        Some(amount) if value.integer() == Ok(amount) => None,
        amount => Some(contradicts(name, amount)),
    }
}

fn currencies<S: State>(words: &Words, change: &Object, row: &Entity<S>) -> Vec<Fault> {
    let currency = row.snapshot.currency.as_deref();
    words
        .names_of(Field::Currency)
        .filter(|name| {
            let said = change.get(name);
            said.is_some_and(|value| currency.is_none() || value.text() != currency)
        })
        .map(|name| contradicts(name, currency))
        .collect()
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
