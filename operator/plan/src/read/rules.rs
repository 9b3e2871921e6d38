//! The rules in the schema (CEL), evaluated in the same way for every executor.

use kube::core::cel::Validator;
use serde_json::Value;

use super::Schema;
use crate::refusal::{Collector, Refusals, Refuser};

/// Checks an object against the rules of its kind. The rules about changes need the old object.
pub fn check(schema: &Schema, new: &Value, old: Option<&Value>) -> Result<(), Refusals> {
    let mut collector = Collector::new(Refuser::Cel);
    if let Err(errors) = Validator::new().validate(schema.as_json(), new, old) {
        for error in errors.as_slice() {
            collector.refuse(error.field_path.clone(), error.message.clone());
        }
    }
    collector.finish(())
}
