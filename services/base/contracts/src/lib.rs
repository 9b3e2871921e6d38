//! What two sides must spell alike: the settings of a service, the envelope of an event, the
//! contract of a pod, and what neither may show. It holds types, their text forms and their schemas
//! only: no behaviour of a component, no IO, no clock. Start reading at
//! [`settings::ServiceSettings`], then [`event::Event`].

pub mod calls;
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
