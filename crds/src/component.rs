//! What a service can be. Each component has a typed block, in which the platform gives its own
//! words to the component's model.

pub mod booking;
pub mod fulfillment;
pub mod gateway;
pub mod payment;
pub mod view;
pub mod words;

pub use booking::{Booking, BookingEvents, BookingPayment, BookingStatuses};
pub use fulfillment::{Fulfillment, FulfillmentNames, StartOn};
pub use gateway::{Cors, Gateway, ServiceType};
pub use innkeeper_contracts::settings::{Capture, PaymentTime, StartAs};
pub use innkeeper_contracts::words::{Attribute, AttributeType};
pub use payment::{Payment, PaymentNames, Provider, TestProvider};
pub use view::{View, ViewColumn};
pub use words::Fields;
