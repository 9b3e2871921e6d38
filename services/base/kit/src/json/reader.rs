//! Reads a body in one pass, however deeply it is nested, and finds repeated members.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use super::value::{Json, Object};
use crate::rejection::{Fault, pointer_to};

/// How deeply objects and lists may be nested: the limit of `serde_json`.
const MAX_DEPTH: usize = 127;

/// How many repeated members are named at most, because a pointer may be as long as the body.
const NAMED_REPETITIONS: usize = 8;

/// Why a body cannot be read as a JSON object.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The body is not valid JSON.
    #[error("the body is not JSON")]
    Malformed(#[from] serde_json::Error),
    /// The body is nested too deeply.
    #[error("the body is nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// The body is JSON, but not an object.
    #[error("the body is JSON, but no object")]
    NoObject,
    /// Members are given twice; the faults name the first few of them.
    #[error("members are given twice")]
    Repeated(Vec<Fault>),
}

impl Object {
    /// Reads a whole body, which must be one JSON object without repeated members.
    pub fn read(body: &[u8]) -> Result<Self, Unreadable> {
        let whole: &RawValue = serde_json::from_slice(body)?;
        let mut reader = Reader::new(whole.get());
        let Json::Object(object) = reader.body()? else {
            return Err(Unreadable::NoObject);
        };
        match reader.faults() {
            faults if faults.is_empty() => Ok(object),
            faults => Err(Unreadable::Repeated(faults)),
        }
    }
}

/// Splits text that `serde_json` has accepted as JSON into values. It only has to find where each
/// value ends, so one pass is enough at any depth.
struct Reader<'a> {
    rest: &'a str,
    /// JSON pointers to members that are given twice.
    repeated: BTreeSet<String>,
    /// How many repetitions were named so far. It is bounded, because a pointer is as long as its
    /// member is deep.
    repetitions: usize,
}

impl<'a> Reader<'a> {
    const fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            repeated: BTreeSet::new(),
            repetitions: 0,
        }
    }

    fn body(&mut self) -> Result<Json, Unreadable> {
        self.value(FieldPath::Body, 0)
    }

    /// The faults of the body that was read: members that are given twice.
    fn faults(self) -> Vec<Fault> {
        let fault = |pointer| Fault {
            pointer,
            detail: "is given twice".to_owned(),
        };
        self.repeated.into_iter().map(fault).collect()
    }

    fn value(&mut self, path: FieldPath<'_>, depth: usize) -> Result<Json, Unreadable> {
        Ok(match self.next() {
            Some(b'{') => Json::Object(self.object(path, deeper(depth)?)?),
            Some(b'[') => Json::List(self.list(path, deeper(depth)?)?),
            Some(b'"') => Json::Text(self.string()?),
            Some(b't' | b'f' | b'n') => match self.take_while(|byte| byte.is_ascii_lowercase()) {
                "true" => Json::Boolean(true),
                "false" => Json::Boolean(false),
                _ => Json::Null,
            },
            _ => {
                let literal =
                    self.take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
                Json::Number(RawValue::from_string(literal.to_owned())?)
            }
        })
    }

    fn object(&mut self, path: FieldPath<'_>, depth: usize) -> Result<Object, Unreadable> {
        let mut members = BTreeMap::new();
        self.take(1);
        while self.next() == Some(b'"') {
            let name = self.string()?;
            let here = FieldPath::Member(&path, &name);
            let value = self.value(here, depth)?;
            if members.contains_key(&name) && self.repetitions < NAMED_REPETITIONS {
                self.repetitions += 1;
                self.repeated.insert(here.pointer());
            }
            members.insert(name, value);
        }
        self.take(1);
        Ok(Object(members))
    }

    fn list(&mut self, path: FieldPath<'_>, depth: usize) -> Result<Vec<Json>, Unreadable> {
        let mut items = Vec::new();
        self.take(1);
        while self.next().is_some_and(|next| next != b']') {
            items.push(self.value(FieldPath::Item(&path, items.len()), depth)?);
        }
        self.take(1);
        Ok(items)
    }

    fn string(&mut self) -> Result<String, Unreadable> {
        let mut is_escaped = false;
        let end = self.rest.bytes().skip(1).position(|byte| {
            let ends = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            ends
        });
        let quoted = self.take(end.map_or(self.rest.len(), |end| end + 2));
        Ok(serde_json::from_str(quoted)?)
    }

    /// The next byte that is neither white space nor a separator.
    fn next(&mut self) -> Option<u8> {
        self.take_while(|byte| b" \t\r\n,:".contains(&byte));
        self.rest.bytes().next()
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let end = self.rest.bytes().position(|byte| !wanted(byte));
        self.take(end.unwrap_or(self.rest.len()))
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let whole = (self.rest, "");
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or(whole);
        self.rest = rest;
        taken
    }
}

const fn deeper(depth: usize) -> Result<usize, Unreadable> {
    if depth < MAX_DEPTH {
        Ok(depth + 1)
    } else {
        Err(Unreadable::TooDeep)
    }
}

/// The path of a value within the body. It borrows from the path around it, so that text is only
/// written for the few members that are named.
#[derive(Clone, Copy)]
enum FieldPath<'a> {
    Body,
    Member(&'a Self, &'a str),
    Item(&'a Self, usize),
}

impl FieldPath<'_> {
    fn pointer(self) -> String {
        match self {
            Self::Body => String::new(),
            Self::Member(outside, name) => outside.pointer() + &pointer_to(name),
            Self::Item(outside, index) => outside.pointer() + &pointer_to(&index.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Object, Unreadable> {
        Object::read(text.as_bytes())
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
        assert!(read(body).is_ok());
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
}
