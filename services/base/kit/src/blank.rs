//! Detects text without any visible character.

use std::sync::LazyLock;

use regex::Regex;

/// Characters that are invisible by their Unicode properties, and the blank Braille pattern, which
/// no property covers.
static BLANK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[\p{White_Space}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\x{2800}]*$")
        .expect("the pattern is a constant, and a test compiles it")
});

/// Whether a text has no visible character.
pub fn is_blank(text: &str) -> bool {
    BLANK.is_match(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_blank() {
        for text in [
            "",
            " ",
            " \t\r\n",
            "\u{b}\u{c}\u{85}\u{a0}\u{1680}\u{2003}\u{2028}\u{2029}\u{202f}\u{3000}",
            "\0\u{1}\u{1b}\u{7f}\u{9f}",
            "\u{200b}",
            "\u{200c}\u{200d}\u{200e}\u{200f}\u{202e}\u{2060}\u{feff}",
            "\u{ad}\u{600}\u{6dd}\u{70f}\u{fff9}\u{110bd}",
            "\u{34f}\u{61c}\u{17b4}\u{180b}\u{180e}\u{fe0f}\u{e0001}\u{e0100}",
            "\u{115f}\u{1160}\u{3164}\u{ffa0}",
            "\u{2800}",
            " \u{2800}\u{200b}\n",
        ] {
            assert!(is_blank(text), "{text:?}");
        }
    }

    #[test]
    fn what_can_be_seen_is_not() {
        for text in [
            "kim",
            " kim ",
            "\u{200b}kim",
            "0",
            "-",
            "_",
            ".",
            "김",
            "\u{2801}",
            "\u{301}",
            "\u{fffd}",
            "\u{e000}",
            "\u{1f600}",
        ] {
            assert!(!is_blank(text), "{text:?}");
        }
    }
}
