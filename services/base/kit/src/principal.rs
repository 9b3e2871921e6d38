//! Who asks for something.

use std::fmt;

/// Who a request, call or step is made for. There is no authentication yet: everybody is
/// [anyone](Principal::anyone).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Principal(Box<str>);

/// The text form of a caller that is not known by name.
const ANYONE: &str = "anyone";

impl Principal {
    /// A caller that is not known by name.
    pub fn anyone() -> Self {
        Self(ANYONE.into())
    }

    /// The principal with a text form, as a header carries it; empty is anyone.
    pub fn parse(text: &str) -> Self {
        match text.trim() {
            "" => Self::anyone(),
            name => Self(name.into()),
        }
    }

    /// The owner of what this principal makes; `None` for anyone.
    pub fn owner(&self) -> Option<&str> {
        (*self.0 != *ANYONE).then_some(&self.0)
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
