//! Tests of the plan from the outside: files go in, refusals or objects come out.

mod connections;
mod credentials;
mod examples;
mod fixtures;
mod kinds;
mod order;
mod refusals;
mod validation;
