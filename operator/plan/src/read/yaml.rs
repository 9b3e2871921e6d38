//! Reads YAML and keeps the line of every field path. Refuses what kubectl would read differently.

use std::collections::{BTreeMap, HashMap};

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput};
use innkeeper_contracts::secret::{MASK, is_secret_name};
use serde_json::{Map, Value};

use super::plain;
use crate::refusal::{Refusal, Refusals, Refuser};

/// How many values a file may have, counting each use of an alias.
const MOST_VALUES: usize = 100_000;

/// One document of a file.
#[derive(Debug, Default)]
pub struct Document {
    /// The contents of the document.
    pub value: Value,
    lines: BTreeMap<String, usize>,
}

impl Document {
    /// An item of a list in this document, as a document of its own.
    #[must_use]
    pub fn inner(&self, list: &str, index: usize) -> Self {
        let prefix = format!("{list}[{index}]");
        let lines = self.lines.iter().filter_map(|(field_path, line)| {
            let inner = field_path.strip_prefix(&prefix)?;
            let inner = inner.strip_prefix('.').unwrap_or(inner);
            Some((inner.to_owned(), *line))
        });
        Self {
            value: self.value[list][index].clone(),
            lines: lines.collect(),
        }
    }

    /// The line of a field path, or of the nearest path above it that has one.
    pub fn line_of(&self, field_path: &str) -> Option<usize> {
        let mut field_path = field_path;
        loop {
            if let Some(line) = self.lines.get(field_path) {
                return Some(*line);
            }
            field_path = &field_path[..field_path.rfind(['.', '['])?];
        }
    }
}

/// The documents of a file, without empty ones.
pub fn documents(text: &str) -> Result<Vec<Document>, Refusals> {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        anchors: HashMap::new(),
        lines: BTreeMap::new(),
        refusals: Vec::new(),
        values: 0,
    };
    let documents = reader
        .documents()
        .map_err(|refusal| Refusals(vec![refusal]))?;
    if reader.refusals.is_empty() {
        Ok(documents)
    } else {
        Err(Refusals(reader.refusals))
    }
}

struct Reader<'text> {
    parser: Parser<'text, StrInput<'text>>,
    anchors: HashMap<usize, Value>,
    lines: BTreeMap<String, usize>,
    refusals: Vec<Refusal>,
    values: usize,
}

impl<'text> Reader<'text> {
    fn documents(&mut self) -> Result<Vec<Document>, Refusal> {
        let mut documents = Vec::new();
        while let Some(next) = self.parser.next_event() {
            let (event, _) = next.map_err(|error| syntax(*error.marker(), &error.info()))?;
            if matches!(event, Event::DocumentStart(..)) {
                let first = self.node()?;
                let value = self.value(first, "")?;
                let lines = std::mem::take(&mut self.lines);
                if !value.is_null() {
                    documents.push(Document { value, lines });
                }
            }
        }
        Ok(documents)
    }

    /// The next event that belongs to a value.
    fn node(&mut self) -> Result<(Event<'text>, Span), Refusal> {
        loop {
            let next = self.parser.next_event();
            let (event, span) = next
                .ok_or_else(|| refusal(None, "", "the file ends in the middle of a value"))?
                .map_err(|error| syntax(*error.marker(), &error.info()))?;
            if !matches!(event, Event::Comment(..) | Event::Anchor(..)) {
                return Ok((event, span));
            }
        }
    }

    fn value(&mut self, node: (Event<'text>, Span), field_path: &str) -> Result<Value, Refusal> {
        let (event, span) = node;
        let line = span.start.line();
        self.count(1, line)?;
        self.lines.insert(field_path.to_owned(), line);
        let (anchor, value) = match event {
            Event::Alias(anchor) => return self.alias(anchor, line, field_path),
            Event::Scalar(text, style, anchor, tag) => {
                let tagged = tag.is_some_and(|tag| !tag.is_yaml_core_schema_tag("str"));
                let forced = tagged || style != ScalarStyle::Plain;
                (anchor, self.scalar(&text, forced, line, field_path))
            }
            Event::SequenceStart(_, anchor, _) => (anchor, self.sequence(field_path)?),
            Event::MappingStart(_, anchor, _) => (anchor, self.mapping(field_path)?),
            other => {
                let message = format!("expected a value, found {other:?}");
                return Err(refusal(Some(line), field_path, &message));
            }
        };
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn scalar(&mut self, text: &str, quoted: bool, line: usize, field_path: &str) -> Value {
        if quoted {
            return Value::String(text.to_owned());
        }
        plain::value(text).unwrap_or_else(|plain::Ambiguous(kind)| {
            let may_be_shown = plain::is_word_of_yaml_1_1(text) || !may_be_secret(field_path);
            let shown = if may_be_shown { text } else { MASK };
            let message = format!(
                "the bare value {shown} is {kind} to YAML 1.1, which kubectl follows: put it in quotes, or write it plainly"
            );
            self.refusals.push(refusal(Some(line), field_path, &message));
            Value::String(text.to_owned())
        })
    }

    fn sequence(&mut self, field_path: &str) -> Result<Value, Refusal> {
        let mut items = Vec::new();
        loop {
            let node = self.node()?;
            if matches!(node.0, Event::SequenceEnd) {
                return Ok(Value::Array(items));
            }
            let item = self.value(node, &format!("{field_path}[{}]", items.len()))?;
            items.push(item);
        }
    }

    fn mapping(&mut self, field_path: &str) -> Result<Value, Refusal> {
        let mut fields = Map::new();
        loop {
            let (event, span) = self.node()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(Value::Object(fields));
            }
            let line = span.start.line();
            let key = self.key(event, line, field_path)?;
            let inner = if field_path.is_empty() {
                key.clone()
            } else {
                format!("{field_path}.{key}")
            };
            let node = self.node()?;
            let value = self.value(node, &inner)?;
            self.lines.insert(inner, line);
            if fields.insert(key.clone(), value).is_some() {
                let message = format!("the key {key} is there twice: remove one");
                self.refusals
                    .push(refusal(Some(line), field_path, &message));
            }
        }
    }

    fn key(
        &mut self,
        event: Event<'text>,
        line: usize,
        field_path: &str,
    ) -> Result<String, Refusal> {
        let Event::Scalar(text, style, ..) = event else {
            return Err(refusal(Some(line), field_path, "a key must be a word"));
        };
        let quoted = style != ScalarStyle::Plain;
        Ok(match self.scalar(&text, quoted, line, field_path) {
            Value::String(key) => key,
            other => other.to_string(),
        })
    }

    fn alias(&mut self, anchor: usize, line: usize, field_path: &str) -> Result<Value, Refusal> {
        let value = self
            .anchors
            .get(&anchor)
            .cloned()
            .ok_or_else(|| refusal(Some(line), field_path, "an anchor cannot hold itself"))?;
        self.count(values_in(&value), line)?;
        Ok(value)
    }

    fn count(&mut self, more: usize, line: usize) -> Result<(), Refusal> {
        self.values += more;
        if self.values <= MOST_VALUES {
            return Ok(());
        }
        Err(refusal(Some(line), "", "the file holds too many values"))
    }
}

/// Whether a field path is within the user's own configuration, where every value may be secret.
fn may_be_secret(field_path: &str) -> bool {
    let own = [".env.", ".files.", ".annotations.", ".labels."];
    let name = field_path.rsplit('.').next().unwrap_or_default();
    is_secret_name(name) || own.iter().any(|own| field_path.contains(own))
}

fn values_in(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(values_in).sum(),
        Value::Object(fields) => fields.values().map(values_in).sum(),
        _ => 0,
    }
}

fn syntax(marker: Marker, message: &str) -> Refusal {
    refusal(
        Some(marker.line()),
        "",
        &format!("this is not YAML: {message}"),
    )
}

fn refusal(line: Option<usize>, field_path: &str, message: &str) -> Refusal {
    Refusal {
        line,
        ..Refusal::new(Refuser::Parser, field_path.to_owned(), message)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_value_knows_its_line() {
        let documents = documents("a:\n  - b: 1\n    c: x\n---\nd: 2\n").unwrap();
        assert_eq!(documents[0].value, json!({"a": [{"b": 1, "c": "x"}]}));
        assert_eq!(documents[0].line_of("a[0].c"), Some(3));
        assert_eq!(documents[0].line_of("a[0].missing.deep"), Some(2));
        assert_eq!(documents[1].line_of("d"), Some(5));
    }

    #[test]
    fn a_bare_word_of_yaml_1_1_is_refused_where_it_stands() {
        let refused = documents("a: 'on'\nb: on\nno: 1\n").unwrap_err();
        let lines: Vec<_> = refused.0.iter().map(|refusal| refusal.line).collect();
        assert_eq!(lines, [Some(2), Some(3)]);
    }

    #[test]
    fn a_key_that_is_there_twice_is_refused() {
        let refused = documents("a: 1\na: 2\n").unwrap_err();
        assert_eq!(refused.0[0].message, "the key a is there twice: remove one");
    }

    #[test]
    fn aliases_cannot_multiply_without_end() {
        let first = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        let level = |level: usize| {
            let below = vec![format!("*a{}", level - 1); 10].join(", ");
            format!("a{level}: &a{level} [{below}]\n")
        };
        let text: String = std::iter::once(first).chain((1..9).map(level)).collect();
        assert!(documents(&text).is_err());
    }

    #[test]
    fn a_syntax_error_names_its_line() {
        let refused = documents("a: 1\nb: [1, 2\nc: 3\n").unwrap_err();
        assert!(
            refused.0[0].message.starts_with("this is not YAML"),
            "{refused}"
        );
        assert!(refused.0[0].line.is_some());
    }
}
