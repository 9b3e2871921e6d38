//! Who asks for something.

use std::fmt;
use std::sync::Arc;

/// Who a request, call or step is made for. There is no authentication yet: everybody is
/// [anyone](Principal::anyone).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Principal(Option<Arc<str>>);

/// The text form of a caller that is not known by name.
const ANYONE: &str = "anyone";

impl Principal {
    /// A caller that is not known by name.
    pub const fn anyone() -> Self {
        Self(None)
    }

    /// The principal with a text form, as a header carries it; empty is anyone.
    pub fn parse(text: &str) -> Self {
        match text.trim() {
            "" | ANYONE => Self::anyone(),
            name => Self(Some(name.into())),
        }
    }

    /// The text under which an idempotency key that this principal sends is kept: two principals
    /// may send the same one. Neither has a line break in it, since both come in headers.
    pub fn scoped_key(&self, sent: &str) -> String {
        match self.owner() {
            None => sent.to_owned(),
            Some(name) => format!("{name}\n{sent}"),
        }
    }

    /// The owner of what this principal makes; `None` for anyone.
    pub fn owner(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.owner().unwrap_or(ANYONE))
    }
}
