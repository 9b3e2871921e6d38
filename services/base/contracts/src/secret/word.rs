//! Values without quotes behind a colon: `password: hunter2` is one, `cannot read the password: permission denied` has none.

use super::is_placeholder;

/// Signs that stand in words and names of ordinary text too.
const IN_PROSE: &str = "-_/.:,;'()[]{}|";
/// Signs that end a word and are no part of it.
const BEHIND: [char; 9] = [',', ';', '.', ':', '!', '?', ')', ']', '}'];

/// How long the value is that stands after a name and a colon; `None` where what follows is ordinary text. A word with a digit, or with a
/// sign that no ordinary word has, is a value wherever it stands; any other is one where another name follows, or where nothing is said before
/// the name and after the word.
pub(super) fn length(before: &str, rest: &str) -> Option<usize> {
    // A part of a path, such as `registry/token:latest` or `contracts::secret::url`.
    if before.ends_with([':', '/', '\\', '@']) || rest.starts_with([':', '/']) {
        return None;
    }
    let end = rest.find(|it: char| it.is_whitespace() || "\"'<>`".contains(it));
    let (whole, after) = rest.split_at(end.unwrap_or(rest.len()));
    let word = whole.trim_end_matches(BEHIND);
    let after = after.trim_start_matches([' ', '\t']);
    let is_alone = || begins(before) && ends(&whole[word.len()..], after);
    let is_value =
        !is_placeholder(word) && (has_digit_or_sign(word) || is_name(after) || is_alone());
    is_value.then_some(word.len())
}

fn has_digit_or_sign(word: &str) -> bool {
    word.chars()
        .any(|it| !it.is_alphabetic() && !IN_PROSE.contains(it))
}

/// Whether a name with its value begins here.
fn is_name(text: &str) -> bool {
    let behind = text.trim_start_matches(|it: char| it.is_alphanumeric() || "_.-".contains(it));
    behind.len() < text.len() && behind.starts_with([':', '='])
}

/// Whether no word stands before the name.
fn begins(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '\t']);
    !before.ends_with(|it: char| it.is_alphanumeric() || it == '_')
}

/// Whether signs, or what comes after them, end what belongs to the name.
fn ends(signs: &str, after: &str) -> bool {
    let is_closed = after.is_empty() || after.starts_with(['\r', '\n', '"', '\'', '<', '>', '`']);
    signs.ends_with([',', ';', ')', ']', '}']) || is_closed && !signs.ends_with(':')
}
