//! The short hash of a content: the operator names a ConfigMap by it, and a pod says which content it runs with.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// Ten hexadecimal digits that stand for a content; no protection for one that can be guessed.
pub fn short_hash(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .take(5)
        .fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a String takes every text");
            text
        })
}

/// The short hash of texts by name, which is in the name of the ConfigMap that holds them.
pub fn texts_hash(texts: &BTreeMap<String, String>) -> String {
    short_hash(&serde_json::to_vec(texts).expect("texts by name are plain data"))
}
