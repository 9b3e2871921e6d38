//! The plan from the outside: files in, refusals or objects out.

mod credentials;
mod examples;
mod fixtures;
mod kinds;
mod order;
mod refusals;
mod validation;
