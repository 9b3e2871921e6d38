//! Compares the view with its sources, through the public API.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::http::{get, send};
use crate::platform::items;

/// What the view shows of a reservation besides ids and status.
const COPIED: [&str; 5] = ["userName", "userHp", "carId", "period", "price"];

/// Every row in which the view differs from its sources.
pub async fn faults(gateway: u16) -> Vec<String> {
    let (pays, rents) = (list(gateway, "/pays").await, list(gateway, "/rents").await);
    let (pays, rents) = (by_reservation(&pays), by_reservation(&rents));
    let mut shown = by_reservation_once(list(gateway, "/myReservations").await);
    let mut faults = Vec::new();
    for reservation in list(gateway, "/reservations").await {
        let id = reservation["id"].as_i64().unwrap();
        let expected = row(&reservation, pays.get(&id), rents.get(&id));
        let row = shown.remove(&id);
        if row.as_ref().is_none_or(|row| differs(row, &expected)) {
            faults.push(format!("{expected:?} is shown as {row:?}"));
        }
    }
    faults.extend(shown.values().map(|row| format!("nothing is behind {row}")));
    faults
}

type Columns = BTreeMap<&'static str, Value>;

/// The row that the sources lead to.
fn row(reservation: &Value, pay: Option<&&Value>, rent: Option<&&Value>) -> Columns {
    let id = |source: Option<&&Value>| source.map_or(Value::Null, |source| source["id"].clone());
    let mut columns: Columns = COPIED
        .iter()
        .map(|name| (*name, reservation[*name].clone()))
        .collect();
    columns.extend([
        ("reservationId", reservation["id"].clone()),
        ("payId", id(pay)),
        ("rentId", id(rent)),
        ("status", status(reservation, pay)),
    ]);
    columns
}

/// The expected status: the end of a reservation stays; otherwise the payment's status is the
/// latest.
fn status(reservation: &Value, pay: Option<&&Value>) -> Value {
    let ended = matches!(
        reservation["status"].as_str(),
        Some("canceled" | "rejected" | "expired")
    );
    let latest = pay.filter(|_| !ended).map(|pay| pay["status"].clone());
    latest.unwrap_or_else(|| reservation["status"].clone())
}

fn differs(row: &Value, expected: &Columns) -> bool {
    expected.iter().any(|(name, value)| row[*name] != *value)
}

fn by_reservation(rows: &[Value]) -> BTreeMap<i64, &Value> {
    let id = |row: &Value| row["reservationId"].as_i64();
    rows.iter()
        .filter_map(|row| Some((id(row)?, row)))
        .collect()
}

fn by_reservation_once(rows: Vec<Value>) -> BTreeMap<i64, Value> {
    let count = rows.len();
    let id = |row: &Value| row["reservationId"].as_i64().unwrap_or_default();
    let rows: BTreeMap<i64, Value> = rows.into_iter().map(|row| (id(&row), row)).collect();
    assert_eq!(rows.len(), count, "one row for each reservation");
    rows
}

async fn list(gateway: u16, path: &str) -> Vec<Value> {
    let page = send(gateway, get(&format!("{path}?size=1000"))).await;
    items(&page.unwrap().json(), path)
}
