//! Headers of records and events, as a column holds them.

use innkeeper_kit::log::Header;

pub fn json(headers: &[Header]) -> String {
    serde_json::to_string(headers).expect("pairs of strings are always JSON")
}
