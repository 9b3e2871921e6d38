//! What a service can be: one typed block for each component, which gives the platform's own words to its model.

pub mod booking;
pub mod fulfillment;
pub mod gateway;
pub mod payment;
pub mod view;
pub mod words;

pub use booking::{Booking, BookingEvents, BookingPayment, BookingStatuses, PaymentTime};
pub use fulfillment::{Fulfillment, FulfillmentNames, StartAs, StartOn};
pub use gateway::{Gateway, ServiceType};
pub use payment::{Capture, Payment, PaymentNames, Provider, TestProvider};
pub use view::{View, ViewColumn};
pub use words::{Attribute, AttributeType, Fields};
