//! Durations as users write them: `610ms`, `5s`, `2m`, `1h`.

use std::fmt;
use std::str::FromStr;

use innkeeper_contracts::schema::{self, Rule};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::rules::{A_SECOND_TO_30_DAYS, AN_HOUR_AT_MOST};

/// A length of time in whole milliseconds, an hour at most unless a field says otherwise; its text
/// is a number and one unit.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Duration {
    millis: u64,
}

const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl Duration {
    /// Creates a duration from milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self { millis }
    }

    /// The duration in milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.millis
    }

    /// The duration in seconds, rounded up; `u32::MAX` if it is longer than that.
    pub fn as_seconds(self) -> u32 {
        u32::try_from(self.millis.div_ceil(1_000)).unwrap_or(u32::MAX)
    }
}

/// The error for a text that is not a duration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotADuration;

impl fmt::Display for NotADuration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a duration is a whole number and a unit, such as 610ms, 5s, 2m or 1h")
    }
}

impl std::error::Error for NotADuration {}

impl FromStr for Duration {
    type Err = NotADuration;

    fn from_str(text: &str) -> Result<Self, NotADuration> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| NotADuration)?;
        UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .and_then(|(_, millis)| number.checked_mul(*millis))
            .map(Self::from_millis)
            .ok_or(NotADuration)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, millis) = UNITS
            .iter()
            .find(|(_, millis)| self.millis > 0 && self.millis.is_multiple_of(*millis))
            .unwrap_or(&("s", 1_000));
        write!(formatter, "{}{unit}", self.millis / millis)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        within(AN_HOUR_AT_MOST)
    }
}

/// The schema of a duration from a second to 30 days.
pub fn up_to_30_days(_: &mut SchemaGenerator) -> Schema {
    within(A_SECOND_TO_30_DAYS)
}

fn within(bounds: Rule) -> Schema {
    json_schema!({
        "type": "string",
        "maxLength": 10,
        "pattern": "^[0-9]{1,7}(ms|s|m|h)$",
        "x-kubernetes-validations": schema::rules(&[bounds]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_written_in_its_largest_whole_unit() {
        for (written, read_back) in [
            ("610ms", "610ms"),
            ("5s", "5s"),
            ("120s", "2m"),
            ("1500ms", "1500ms"),
            ("0s", "0s"),
            ("60m", "1h"),
        ] {
            let duration: Duration = written.parse().unwrap();
            assert_eq!(duration.to_string(), read_back);
        }
    }

    #[test]
    fn a_duration_needs_a_number_and_a_known_unit() {
        for text in ["", "5", "s", "5 s", "-5s", "5d", "1.5s"] {
            assert_eq!(text.parse::<Duration>(), Err(NotADuration), "{text}");
        }
    }
}
