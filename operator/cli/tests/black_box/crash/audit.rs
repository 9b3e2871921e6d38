//! Compares what clients were told with what is stored, once nothing is under way any more.

use std::collections::{BTreeMap, BTreeSet};

use super::clients::{Heard, Manner, Saga};
use super::stored::{Row, Stored};

/// The least number of reservations. With fewer, hardly anything was under way when processes died.
/// Some requests are refused while processes restart, so the number varies.
const ENOUGH: usize = 12;

/// Everything that is not as it must be, as lines of text.
pub fn faults(sagas: &[Saga], manner: Manner, stored: &Stored) -> Vec<String> {
    let mut faults = Vec::new();
    for saga in sagas {
        faults.extend(of_saga(saga, manner, stored).err());
    }
    faults.extend(of_payments(stored));
    faults.extend(of_fulfillments(stored));
    if stored.dead_letters > 0 {
        faults.push(format!("{} dead letters", stored.dead_letters));
    }
    let made = sagas.iter().filter(|saga| saga.status() == Some(201));
    let made = made.count();
    if made < ENOUGH {
        faults.push(format!("only {made} reservations were made"));
    }
    faults
}

fn of_saga(saga: &Saga, manner: Manner, stored: &Stored) -> Result<(), String> {
    let of_it = |row: &&Row| row.customer == saga.customer;
    let bookings: Vec<&Row> = stored.bookings.iter().filter(of_it).collect();
    match (&bookings[..], manner) {
        ([booking], _) => {
            of_answer(saga, booking, stored)?;
            saga.key
                .as_deref()
                .map_or(Ok(()), |key| of_key(key, saga, booking, stored))
        }
        ([], Manner::GivesUp) if saga.placed.is_none() => Ok(()),
        _ => Err(format!("{saga:?} has {bookings:?}")),
    }
}

/// A key has one booking, and its stored answer is the one that the client got.
fn of_key(key: &str, saga: &Saga, booking: &Row, stored: &Stored) -> Result<(), String> {
    let found = stored.keys.iter().find(|row| row.text == key);
    let same = found.is_some_and(|found| {
        found.saga == booking.saga
            && found.status == saga.status().map(i64::from)
            && found.location == saga.reservation()
    });
    same.then_some(())
        .ok_or_else(|| format!("{saga:?} is {booking:?}, but its key says {found:?}"))
}

/// What a client was told is true: a booking with a 201 exists, in its first state or in the one
/// that the client asked for later.
fn of_answer(saga: &Saga, booking: &Row, stored: &Stored) -> Result<(), String> {
    let expected: &[&str] = match (saga.status(), saga.cancelled) {
        (Some(201), Heard::NeverAsked) => &["confirmed"],
        (Some(201), Heard::Nothing) => &["confirmed", "cancelled"],
        (Some(201), Heard::Status(200)) => &["cancelled"],
        (Some(402), _) => &["rejected"],
        (Some(409), _) => &["expired"],
        (None, _) => &["confirmed", "rejected", "expired"],
        (Some(_), _) => &[],
    };
    let placed = saga.reservation().is_none_or(|id| id == booking.id);
    let (live, payment) = live_payments(booking, stored);
    let owed = usize::from(booking.state == "confirmed");
    let paid = match saga.paid {
        Heard::NeverAsked => payment != Some("captured"),
        Heard::Nothing => true,
        Heard::Status(200) => live == 0 || payment == Some("captured"),
        Heard::Status(_) => false,
    };
    let right = placed && paid && live == owed && expected.contains(&booking.state.as_str());
    right.then_some(()).ok_or_else(|| {
        format!("{saga:?} is {booking:?} with {live} live payments, one of them {payment:?}")
    })
}

/// How many payments of a booking are live, by its correlation id or public id, and the state of
/// one of them.
fn live_payments<'a>(booking: &Row, stored: &'a Stored) -> (usize, Option<&'a str>) {
    let of_it = |row: &&Row| row.saga == booking.saga || row.booking == Some(booking.id);
    let live: Vec<&Row> = stored
        .payments
        .iter()
        .filter(of_it)
        .filter(|row| row.is_live())
        .collect();
    (live.len(), live.first().map(|row| row.state.as_str()))
}

/// No money is reserved without a confirmed booking.
fn of_payments(stored: &Stored) -> Vec<String> {
    let confirmed: BTreeSet<&str> = confirmed(stored).collect();
    let live = stored.payments.iter().filter(|row| row.is_live());
    live.filter(|row| !confirmed.contains(row.saga.as_str()))
        .map(|row| format!("no confirmed booking has {row:?}"))
        .collect()
}

fn confirmed(stored: &Stored) -> impl Iterator<Item = &str> {
    let confirmed = stored
        .bookings
        .iter()
        .filter(|row| row.state == "confirmed");
    confirmed.map(|row| row.saga.as_str())
}

/// Every paid booking is delivered once, and no other.
fn of_fulfillments(stored: &Stored) -> Vec<String> {
    let paid = stored.payments.iter().filter(|row| row.state == "captured");
    let paid = counts(paid);
    let running = stored.fulfillments.iter();
    let running = counts(running.filter(|row| row.state == "inProgress"));
    if paid == running {
        return Vec::new();
    }
    vec![format!("paid is {paid:?}, delivered is {running:?}")]
}

fn counts<'a>(rows: impl Iterator<Item = &'a Row>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(row.saga.as_str()).or_default() += 1;
    }
    counts
}
