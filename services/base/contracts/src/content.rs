//! A short hash of a text's content. The operator names ConfigMaps by it, and a pod reports which
//! content it runs with.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// The first ten hexadecimal digits of the content's SHA-256. They do not hide a content that can
/// be guessed.
pub fn short_hash(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .take(5)
        .fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a String takes every text");
            text
        })
}

/// The short hash of named texts, as it appears in the name of the ConfigMap that holds them.
pub fn texts_hash(texts: &BTreeMap<String, String>) -> String {
    short_hash(&serde_json::to_vec(texts).expect("texts by name are plain data"))
}
