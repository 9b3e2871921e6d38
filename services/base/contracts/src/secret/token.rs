//! Finds keys and tokens that can be recognized by their form.

use std::sync::LazyLock;

use regex::Regex;

use super::{Found, regex};

/// Private keys in PEM form, also when the end is missing.
static PRIVATE_KEY: LazyLock<Regex> = regex!(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)"
);
/// Tokens of AWS, GitHub, GitLab, Slack, Stripe, Google, npm, and JSON Web Tokens.
static TOKEN: LazyLock<Regex> = regex!(
    r"\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[oprsu]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|xox[abeprs]-[\w-]{10,}|[rs]k_(?:live|test)_[A-Za-z0-9]{16,}|AIza[\w-]{35}|npm_[A-Za-z0-9]{36}|eyJ[\w-]{5,}\.eyJ[\w-]{5,}\.[\w-]*)"
);
/// The value of an HTTP `Authorization` header.
static AUTHORIZATION: LazyLock<Regex> = regex!(
    r#"(?i)(?:\bauthorization["']?\s*[:=]\s*["']?(?:[a-z]+\s+)?|\bbearer\s+)([\w.~+/=-]{12,})"#
);

pub(super) fn find(text: &str) -> Vec<Found> {
    let whole = [&PRIVATE_KEY, &TOKEN].into_iter();
    let whole = whole.flat_map(|pattern| pattern.find_iter(text).map(|it| it.range()));
    let authorization = AUTHORIZATION.captures_iter(text);
    let authorization = authorization.filter_map(|groups| Some(groups.get(1)?.range()));
    let ranges = whole.chain(authorization);
    ranges.map(|range| Found { range, opens: true }).collect()
}
