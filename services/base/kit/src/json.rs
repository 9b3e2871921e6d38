//! A JSON body as it was sent: numbers keep the literal that the client wrote, and repeated members
//! are detected.
//!
//! `serde_json::Value` does neither: it reads `12345678901234567890123` and `1.10` as 64-bit
//! floats, and keeps only the last of two members with one name.

mod reader;
mod value;

pub use reader::Unreadable;
pub use value::{Json, Object};

#[cfg(test)]
mod tests {
    use std::num::IntErrorKind;

    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Object, Unreadable> {
        Object::read(text.as_bytes())
    }

    fn written(text: &str) -> String {
        serde_json::to_string(&read(text).unwrap()).unwrap()
    }

    /// Any JSON value, including strings that need escapes and names that occur in several objects.
    fn any_value() -> impl Strategy<Value = serde_json::Value> {
        use serde_json::Value;
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            r#"[\\"{}\[\],: ]{0,6}"#.prop_map(Value::from),
        ];
        scalar.prop_recursive(4, 32, 4, |inner| {
            let name = prop_oneof![any::<String>(), "[ab\\\\\"]{0,2}"];
            let members = prop::collection::btree_map(name, inner.clone(), 0..4);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Value::from),
                members.prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_body_says_what_serde_json_reads_in_it(value in any_value()) {
            let body = serde_json::json!({ "a": value });
            for text in [body.to_string(), format!("{body:#}")] {
                let again: serde_json::Value = serde_json::from_str(&written(&text)).unwrap();
                let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(again, expected);
            }
        }
    }

    #[test]
    fn a_number_is_the_literal_that_was_sent() {
        for literal in [
            "0",
            "-0",
            "1e2",
            "1E+2",
            "1.0",
            "1.10",
            "-1.50e-7",
            "1e400",
            "9223372036854775808",
            "12345678901234567890123",
            "0.1000000000000000055511151231257827",
        ] {
            let body = format!("{{\"n\":{literal}}}");
            let object = read(&body).unwrap();
            assert_eq!(object.get("n").unwrap().text(), Some(literal));
            assert_eq!(written(&body), body);
        }
    }

    #[test]
    fn members_are_written_in_order_and_strings_by_their_value() {
        let sent =
            r#" { "b" : [ { "y" : 1 , "x" : "\u0041\/" } ] , "a" : { "d" : null , "c" : true } } "#;
        assert_eq!(
            written(sent),
            r#"{"a":{"c":true,"d":null},"b":[{"x":"A/","y":1}]}"#
        );
    }

    #[test]
    fn a_whole_number_has_only_digits_and_is_judged_without_rounding() {
        use IntErrorKind::{InvalidDigit, NegOverflow, PosOverflow};
        let integer = |literal: &str| {
            let body = read(&format!("{{\"n\":{literal}}}")).unwrap();
            body.get("n").unwrap().integer()
        };
        for (literal, expected) in [
            ("7", Ok(7)),
            ("-0", Ok(0)),
            ("\" 7 \"", Ok(7)),
            ("\"007\"", Ok(7)),
            ("\"+7\"", Ok(7)),
            ("9223372036854775807", Ok(i64::MAX)),
            ("-9223372036854775808", Ok(i64::MIN)),
            ("9007199254740993", Ok(9_007_199_254_740_993)),
            ("9223372036854775808", Err(PosOverflow)),
            ("-9223372036854775809", Err(NegOverflow)),
            ("\"9223372036854775808\"", Err(PosOverflow)),
            ("1.0", Err(InvalidDigit)),
            ("1e2", Err(InvalidDigit)),
            ("1e400", Err(InvalidDigit)),
            ("\"1.0\"", Err(InvalidDigit)),
            ("\"seven\"", Err(InvalidDigit)),
            ("true", Err(InvalidDigit)),
            ("[7]", Err(InvalidDigit)),
        ] {
            assert_eq!(integer(literal), expected, "{literal}");
        }
    }
}
