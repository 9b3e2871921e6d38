//! What a PATCH says beside its command, held against the row: whoever names another row, or other money, does not mean this one.

use innkeeper_contracts::{Field, Words};

use crate::entity::{Entity, State};
use crate::json::{Json, Object};
use crate::rejection::{Fault, Rejection, pointer_to};

/// Refuses a PATCH whose ids, amount or currency are not those of its row, under whichever of their names they come. An id that the row does
/// not know yet contradicts nothing; money that it does not have does.
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
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Rejection::Invalid(faults))
    }
}

fn check_ids<S: State>(words: &Words, change: &Object, row: &Entity<S>) -> Result<(), Rejection> {
    let own = change.get("id");
    if own.is_some_and(|said| said.integer() != Ok(row.id)) {
        return Err(another("id", row.id));
    }
    let ids = row.snapshot.ids;
    for (field, id) in [
        (Field::Booking, ids.booking),
        (Field::Payment, ids.payment),
        (Field::Fulfillment, ids.fulfillment),
    ] {
        let Some(id) = id else { continue };
        let agrees = |said: &Json| said.integer() == Ok(id);
        if let Some(name) = others(words, change, field, agrees).next() {
            return Err(another(name, id));
        }
    }
    Ok(())
}

fn another(name: &str, id: i64) -> Rejection {
    Rejection::Conflict(format!("the request names another {name}: here it is {id}"))
}

/// The names under which a PATCH says something else of a field than is so.
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
