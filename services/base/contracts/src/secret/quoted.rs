//! Finds values that a parser quotes because it expected something else. Any of them may be a
//! secret.

use std::sync::LazyLock;

use regex::Regex;

use super::{Found, regex};

/// serde's message about a value that it did not expect.
static UNEXPECTED: LazyLock<Regex> = regex!(
    r#"invalid (?:type|value): (?:string ("(?:[^"\\]|\\.)*")|(?:integer|floating point|character|boolean) (`[^`]*`))"#
);

pub(super) fn find(text: &str) -> Vec<Found> {
    let groups = UNEXPECTED.captures_iter(text);
    let values = groups.filter_map(|groups| groups.get(1).or(groups.get(2)));
    values
        .map(|value| Found {
            range: value.range(),
            opens: false,
        })
        .collect()
}
