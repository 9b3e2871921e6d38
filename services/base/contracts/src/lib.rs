//! What the operator and the services must agree on: the settings of a service, the event envelope,
//! the pod contract, and which values are secret. It only has types, their text forms and their
//! schemas: no component behaviour, no IO, no clock. Start reading at
//! [`settings::ServiceSettings`], then [`event::Event`].

#![warn(missing_docs)]

pub mod calls;
pub mod commands;
pub mod content;
pub mod event;
pub mod pod;
pub mod schema;
pub mod secret;
pub mod settings;
pub mod snapshot;
pub mod words;

pub use event::{Event, EventData, EventType};
pub use settings::ServiceSettings;
pub use snapshot::{PublicIds, Snapshot};
pub use words::{Attribute, AttributeType, Field, Words};
