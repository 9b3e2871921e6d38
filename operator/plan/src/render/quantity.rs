//! Quantities of resources, as far as they must be compared.

/// Thousandths that each suffix stands for.
const SUFFIXES: [(&str, u128); 9] = [
    ("Ki", 1_000 << 10),
    ("Mi", 1_000 << 20),
    ("Gi", 1_000 << 30),
    ("Ti", 1_000 << 40),
    ("k", 1_000_000),
    ("M", 1_000_000_000),
    ("G", 1_000_000_000_000),
    ("T", 1_000_000_000_000_000),
    ("m", 1),
];

/// A quantity in thousandths of its unit, rounded up; 0 for what is none, which the schema refuses.
pub(super) fn amount(text: &str) -> u128 {
    let (number, unit) = SUFFIXES
        .iter()
        .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, *unit)))
        .unwrap_or((text, 1_000));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
    let scale = 10_u128.checked_pow(digits);
    format!("{whole}{fraction}")
        .parse::<u128>()
        .ok()
        .and_then(|digits| digits.checked_mul(unit))
        .zip(scale)
        .map_or(0, |(thousandths, scale)| thousandths.div_ceil(scale))
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn quantities_compare_by_what_they_amount_to() {
        assert_eq!(amount("0.5"), amount("500m"));
        assert_eq!(amount("1.5Gi"), amount("1536Mi"));
        assert!(amount("1G") < amount("1Gi"));
        assert!(amount("128Mi") > amount("64Mi"));
        assert_eq!(amount("nothing"), 0);
    }
}
