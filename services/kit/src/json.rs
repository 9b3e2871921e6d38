//! A JSON body as it was sent: a number is the literal that the client wrote, and a member that is given twice is seen.
//!
//! `serde_json::Value` keeps neither: it reads `12345678901234567890123` and `1.10` into 64-bit floats, and of two members the last.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::IntErrorKind;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::rejection::{Fault, pointer_to};

/// How deep objects and lists may lie in one another: as deep as `serde_json` reads them.
const MAX_DEPTH: usize = 127;

/// How many repeated members are named; a pointer may be as long as its body.
const NAMED_REPETITIONS: usize = 8;

/// A JSON value. Written again, members are in the order of their names and numbers are as they were sent.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number, by its literal.
    Number(Box<RawValue>),
    /// A string, by its value.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// An object.
    Object(Object),
}

impl Json {
    /// What is sent for a text: a string by its value, a number by its literal.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(literal) => Some(literal.get()),
            _ => None,
        }
    }

    /// What is sent for a whole number of 64 bits: digits with or without a sign before them, as a number or in a string. A fraction or an
    /// exponent makes it another type, whatever its value is. The error tells a number beyond 64 bits from what is none.
    pub fn integer(&self) -> Result<i64, IntErrorKind> {
        let digits = match self {
            Self::Number(literal) => literal.get(),
            Self::Text(text) => text.trim(),
            _ => return Err(IntErrorKind::InvalidDigit),
        };
        digits.parse::<i64>().map_err(|error| *error.kind())
    }

    /// What is sent for a truth value, as it is or in a string.
    pub fn boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(truth) => Some(*truth),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }
}

/// The members of a JSON object, each given once.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Object(BTreeMap<String, Json>);

/// Why a body is no object of JSON.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is no JSON.
    #[error("the body is not JSON")]
    Malformed(#[from] serde_json::Error),
    /// Its values lie too deep in one another.
    #[error("the body is nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// It is another JSON value.
    #[error("the body is JSON, but no object")]
    NoObject,
    /// Members are given twice; the first of them are named.
    #[error("members are given twice")]
    Repeated(Vec<Fault>),
}

impl Object {
    /// Reads a whole body.
    pub fn read(body: &[u8]) -> Result<Self, Unreadable> {
        let whole: &RawValue = serde_json::from_slice(body)?;
        let mut reader = Reader::default();
        let Json::Object(object) = reader.value(whole, 0)? else {
            return Err(Unreadable::NoObject);
        };
        if reader.repeated.is_empty() {
            Ok(object)
        } else {
            Err(Unreadable::Repeated(reader.faults()))
        }
    }

    /// A member's value; `null` says that there is none.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0
            .get(name)
            .filter(|value| !matches!(value, Json::Null))
    }
}

/// Reads values and remembers which members are given twice.
#[derive(Default)]
struct Reader {
    /// Where it is, as a JSON pointer.
    place: String,
    repeated: BTreeSet<String>,
}

impl Reader {
    fn value(&mut self, raw: &RawValue, depth: usize) -> Result<Json, Unreadable> {
        let text = raw.get();
        Ok(match text.as_bytes().first() {
            Some(b'{') => Json::Object(self.object(text, deeper(depth)?)?),
            Some(b'[') => Json::List(self.list(text, deeper(depth)?)?),
            Some(b'"') => Json::Text(serde_json::from_str(text)?),
            Some(b't' | b'f') => Json::Boolean(serde_json::from_str(text)?),
            Some(b'n') => Json::Null,
            _ => Json::Number(raw.to_owned()),
        })
    }

    fn object(&mut self, text: &str, depth: usize) -> Result<Object, Unreadable> {
        let Members(members) = serde_json::from_str(text)?;
        let mut object = BTreeMap::new();
        for (name, raw) in members {
            let outside = self.enter(&name);
            let value = self.value(raw, depth)?;
            if object.insert(name, value).is_some() && self.repeated.len() < NAMED_REPETITIONS {
                self.repeated.insert(self.place.clone());
            }
            self.place.truncate(outside);
        }
        Ok(Object(object))
    }

    fn list(&mut self, text: &str, depth: usize) -> Result<Vec<Json>, Unreadable> {
        let items: Vec<&RawValue> = serde_json::from_str(text)?;
        let mut list = Vec::with_capacity(items.len());
        for (index, raw) in items.into_iter().enumerate() {
            let outside = self.enter(&index.to_string());
            list.push(self.value(raw, depth)?);
            self.place.truncate(outside);
        }
        Ok(list)
    }

    /// Goes into a member or an item; returns how long the place outside is.
    fn enter(&mut self, name: &str) -> usize {
        let outside = self.place.len();
        self.place.push_str(&pointer_to(name));
        outside
    }

    fn faults(self) -> Vec<Fault> {
        let fault = |pointer| Fault {
            pointer,
            detail: "is given twice".to_owned(),
        };
        self.repeated.into_iter().map(fault).collect()
    }
}

const fn deeper(depth: usize) -> Result<usize, Unreadable> {
    if depth < MAX_DEPTH {
        Ok(depth + 1)
    } else {
        Err(Unreadable::TooDeep)
    }
}

/// The members of an object as they stand there, a repeated one included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Object, Unreadable> {
        Object::read(text.as_bytes())
    }

    fn written(text: &str) -> String {
        serde_json::to_string(&read(text).unwrap()).unwrap()
    }

    fn repeated(text: &str) -> Vec<String> {
        match read(text) {
            Err(Unreadable::Repeated(faults)) => {
                faults.into_iter().map(|fault| fault.pointer).collect()
            }
            other => panic!("{other:?}"),
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
    fn a_member_given_twice_is_named_by_its_pointer_wherever_it_is() {
        assert_eq!(repeated(r#"{"a":1,"a":1}"#), ["/a"]);
        assert_eq!(repeated(r#"{"a":1,"\u0061":2,"a":3}"#), ["/a"]);
        assert_eq!(repeated(r#"{"a":{"b":1,"b":2}}"#), ["/a/b"]);
        assert_eq!(repeated(r#"{"a":[0,[{"b":1,"b":null}]]}"#), ["/a/1/0/b"]);
        assert_eq!(repeated(r#"{"":1,"":2,"/~":1,"/~":2}"#), ["/", "/~1~0"]);
        assert_eq!(
            repeated(r#"{"a":{"x":1,"x":1},"b":1,"b":1}"#),
            ["/a/x", "/b"]
        );
    }

    #[test]
    fn only_the_first_repetitions_are_named_since_pointers_are_long() {
        let members: Vec<String> = (0..100).map(|n| format!("\"{n}\":0,\"{n}\":0")).collect();
        let body = format!("{{{}}}", members.join(","));
        assert_eq!(repeated(&body).len(), NAMED_REPETITIONS);
    }

    #[test]
    fn one_name_in_two_objects_is_not_given_twice() {
        let body = r#"{"a":{"x":1},"b":[{"x":2},{"x":3}],"x":4}"#;
        assert_eq!(written(body), body);
    }

    #[test]
    fn what_is_no_json_is_refused_wherever_it_is() {
        for body in [
            "",
            "{",
            "{}}",
            "{\"a\":01}",
            "{\"a\":+1}",
            "{\"a\":1.}",
            "{\"a\":.5}",
            "{\"a\":1e}",
            "{\"a\":NaN}",
            "{\"a\":[1,]}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":{\"\\ud800\":1}}",
            "{\"a\":\"\n\"}",
            "{'a':1}",
            "\u{feff}{}",
        ] {
            let refused = read(body);
            assert!(
                matches!(refused, Err(Unreadable::Malformed(_))),
                "{body}: {refused:?}"
            );
        }
        let not_utf8 = Object::read(b"{\"a\":\"\xff\"}");
        assert!(matches!(not_utf8, Err(Unreadable::Malformed(_))));
    }

    #[test]
    fn another_value_is_no_object() {
        for body in ["[]", "1", "\"{}\"", "null", "true"] {
            let refused = read(body);
            assert!(matches!(refused, Err(Unreadable::NoObject)), "{refused:?}");
        }
    }

    #[test]
    fn a_body_is_read_as_deep_as_it_always_was() {
        let nested = |depth: usize| {
            let lists = depth - 1;
            format!("{{\"a\":{}{}}}", "[".repeat(lists), "]".repeat(lists))
        };
        for depth in [MAX_DEPTH, MAX_DEPTH + 1, 100_000] {
            let read = read(&nested(depth));
            let by_serde = serde_json::from_str::<serde_json::Value>(&nested(depth));
            assert_eq!(read.is_ok(), by_serde.is_ok(), "{depth}");
            assert_eq!(
                matches!(read, Err(Unreadable::TooDeep)),
                depth > MAX_DEPTH,
                "{depth}"
            );
        }
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
