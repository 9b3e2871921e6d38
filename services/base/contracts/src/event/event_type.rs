//! Types of events, and the table of those that this release knows.

/// The canonical, versioned type of an event: `dev.innkeeper.<component>.<event>.v<n>`. The
/// platform's own name of an event is in [`EventData::event`](super::EventData::event).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct EventType(&'static str);

/// Declares types of events, and the table of all of them.
macro_rules! event_types {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        impl EventType {
            $($(#[$doc])* pub const $name: Self = Self::declared($text);)*

            /// Every type that a component of this release raises or wants. A new type gets its
            /// line here; the component that raises it names it in its `State::event`, and those
            /// that react to it in their `Reactor::wants`.
            pub const KNOWN: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

event_types! {
    /// A booking is confirmed; its payment is authorized where it is paid on placement.
    BOOKING_CONFIRMED = "dev.innkeeper.booking.confirmed.v1";
    /// A booking was refused.
    BOOKING_REJECTED = "dev.innkeeper.booking.rejected.v1";
    /// A booking was not settled in time, or not paid in time.
    BOOKING_EXPIRED = "dev.innkeeper.booking.expired.v1";
    /// A booking was cancelled.
    BOOKING_CANCELLED = "dev.innkeeper.booking.cancelled.v1";
    /// A booking was delivered.
    BOOKING_COMPLETED = "dev.innkeeper.booking.completed.v1";
    /// A payment is due and waits for the client.
    PAYMENT_REQUESTED = "dev.innkeeper.payment.requested.v1";
    /// Money is reserved at the provider.
    PAYMENT_AUTHORIZED = "dev.innkeeper.payment.authorized.v1";
    /// The payment provider refused to authorize.
    PAYMENT_DECLINED = "dev.innkeeper.payment.declined.v1";
    /// Reserved money was captured.
    PAYMENT_CAPTURED = "dev.innkeeper.payment.captured.v1";
    /// Reserved money was released without being captured.
    PAYMENT_VOIDED = "dev.innkeeper.payment.voided.v1";
    /// Captured money was given back.
    PAYMENT_REFUNDED = "dev.innkeeper.payment.refunded.v1";
    /// A fulfillment waits to be started.
    FULFILLMENT_SCHEDULED = "dev.innkeeper.fulfillment.scheduled.v1";
    /// A fulfillment is under way.
    FULFILLMENT_STARTED = "dev.innkeeper.fulfillment.started.v1";
    /// A fulfillment is done.
    FULFILLMENT_COMPLETED = "dev.innkeeper.fulfillment.completed.v1";
    /// A fulfillment was cancelled.
    FULFILLMENT_CANCELLED = "dev.innkeeper.fulfillment.cancelled.v1";
}

impl EventType {
    /// A type of this form, which is checked when the table is compiled. Types are declared in the
    /// table alone, so that none is raised that other services do not know.
    const fn declared(text: &'static str) -> Self {
        assert!(
            is_well_formed(text.as_bytes()),
            "the form is dev.innkeeper.<component>.<event>.v<n>"
        );
        Self(text)
    }

    /// The text form, as in the header `ce_type`.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The type with this text form in a table of types; `None` if it is not there.
    pub fn find(text: &str, known: &[Self]) -> Option<Self> {
        let mut known = known.iter().copied();
        known.find(|event_type| event_type.0 == text)
    }

    /// Whether the event ends its saga before anything was delivered.
    pub fn ends_saga(self) -> bool {
        matches!(
            self,
            Self::BOOKING_CANCELLED | Self::BOOKING_REJECTED | Self::BOOKING_EXPIRED
        )
    }
}

/// Whether a text is `dev.innkeeper.<component>.<event>.v<n>`.
const fn is_well_formed(text: &[u8]) -> bool {
    const PREFIX: &[u8] = b"dev.innkeeper.";
    let (mut at, mut dots, mut length) = (0, 0, 0);
    while at < text.len() {
        let byte = text[at];
        let fits = match (at < PREFIX.len(), dots) {
            (true, _) => byte == PREFIX[at],
            (false, 2 | 3) => byte.is_ascii_lowercase() || (byte == b'.' && length > 0),
            (false, 4) if length == 0 => byte == b'v',
            (false, 4) => byte.is_ascii_digit(),
            (false, _) => false,
        };
        if !fits {
            return false;
        }
        if byte == b'.' {
            (dots, length) = (dots + 1, 0);
        } else {
            length += 1;
        }
        at += 1;
    }
    dots == 4 && length > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_type_has_the_form_and_stands_there_once() {
        for event_type in EventType::KNOWN {
            assert!(is_well_formed(event_type.as_str().as_bytes()));
            let same = EventType::KNOWN.iter().filter(|other| *other == event_type);
            assert_eq!(same.count(), 1, "{event_type:?}");
        }
    }

    #[test]
    fn a_text_of_another_form_is_no_type() {
        for text in [
            "",
            "com.example.other.thing.v1",
            "dev.innkeeper.booking.v1",
            "dev.innkeeper..confirmed.v1",
            "dev.innkeeper.booking.confirmed.v",
            "dev.innkeeper.booking.confirmed.1",
            "dev.innkeeper.booking.confirmed.v1.more",
            "dev.innkeeper.booking.Confirmed.v1",
        ] {
            assert!(!is_well_formed(text.as_bytes()), "{text}");
        }
    }
}
