//! Numbers that are left out where they say what is meant anyway.

/// The number that is meant where none is given.
pub(super) fn default<Number: From<u16>, const DEFAULT: u16>() -> Number {
    Number::from(DEFAULT)
}

/// Whether a number is the one that is meant where none is given.
pub(super) fn is_default<Number: From<u16> + PartialEq, const DEFAULT: u16>(
    number: &Number,
) -> bool {
    *number == Number::from(DEFAULT)
}
