//! Quantities of resources, as far as they must be compared.

use innkeeper_crds::workload::Quantity;

/// A quantity in thousandths of its unit, rounded up; 0 for what is none, which the schema refuses.
pub(super) fn amount(text: &str) -> u128 {
    Quantity(text.to_owned()).thousandths()
}
