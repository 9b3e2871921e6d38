//! What rows of a service look like.

use serde_json::Value;

/// Whether an object has these fields; it may have others, too.
pub fn check_fields(found: &Value, expected: &Value) -> Result<(), String> {
    let fields = expected.as_object().unwrap();
    if fields.iter().all(|(name, value)| found[name] == *value) {
        Ok(())
    } else {
        Err(found.to_string())
    }
}
