//! Prints results as columns or as JSON.

use innkeeper_contracts::secret::masked;
use serde_json::Value;

/// A column: its title, and the field that it shows.
type Column = (&'static str, &'static str);

/// The columns of a list of dead letters.
pub const LETTERS: &[Column] = &[
    ("SERVICE", "service"),
    ("ID", "id"),
    ("KIND", "kind"),
    ("TIME", "occurredAt"),
    ("TRIES", "tries"),
    ("EVENT", "eventType"),
    ("ERROR", "error"),
];

/// The columns of a list of outcomes.
pub const OUTCOMES: &[Column] = &[
    ("SERVICE", "service"),
    ("ID", "id"),
    ("OUTCOME", "outcome"),
    ("ERROR", "error"),
];

/// Prints objects in columns, or `none` if there are none; or as a JSON array.
pub fn all(objects: &[Value], columns: Option<&[Column]>, none: &str) {
    let text = match columns {
        Some(_) if objects.is_empty() => none.to_owned(),
        Some(columns) => table(objects, columns),
        None => json(&Value::from(objects.to_vec())),
    };
    println!("{}", masked(&text));
}

/// Prints an object, one field per line, or as JSON.
pub fn one(object: &Value, is_table: bool) {
    let fields = object.as_object().filter(|_| is_table);
    let text = fields.map_or_else(
        || json(object),
        |fields| {
            let lines = fields.iter();
            let lines: Vec<String> = lines
                .map(|(name, value)| format!("{name}: {}", text(value)))
                .collect();
            lines.join("\n")
        },
    );
    println!("{}", masked(&text));
}

fn json(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("a JSON value is always JSON")
}

fn table(objects: &[Value], columns: &[Column]) -> String {
    let titles = columns.iter().map(|(title, _)| (*title).to_owned());
    let mut rows: Vec<Vec<String>> = vec![titles.collect()];
    for object in objects {
        let fields = columns.iter().map(|(_, field)| text(&object[*field]));
        rows.push(fields.collect());
    }
    let widths: Vec<usize> = (0..columns.len())
        .map(|column| {
            let widths = rows.iter().map(|row| row[column].chars().count());
            widths.max().unwrap_or_default()
        })
        .collect();
    let lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells = row.iter().zip(&widths);
            let cells: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect();
    lines.join("\n")
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
