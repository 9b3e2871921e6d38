//! The rules in the schema (CEL), by the same evaluator whatever the executor.

use kube::core::cel::Validator;
use serde_json::Value;

use super::Schema;
use crate::refusal::{Collector, Refusals, Refuser};

/// Holds an object to the rules of its kind; those about changes need the object as it was.
pub fn check(schema: &Schema, new: &Value, old: Option<&Value>) -> Result<(), Refusals> {
    let mut collector = Collector::new(Refuser::Cel);
    if let Err(errors) = Validator::new().validate(schema.as_json(), new, old) {
        for error in errors.as_slice() {
            collector.refuse(error.field_path.clone(), error.message.clone());
        }
    }
    collector.finish(())
}
