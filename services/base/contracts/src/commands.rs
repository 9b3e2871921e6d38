//! The commands that clients give in a PATCH, each by the label of a state that it leads to. A
//! component's transition table decides what a command does; this says when there is one, for
//! those who have to know it without the component. The tests of each component hold it to its
//! table.

use crate::Words;

/// A command that a client gives to a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Command {
    /// A verb, for messages.
    pub name: &'static str,
    /// The states in which it is allowed.
    pub from: &'static [&'static str],
    /// The states whose labels give it.
    pub to: &'static [&'static str],
}

/// The states of a component, and the commands of its clients.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Commands {
    /// Every state, in the order in which a label is looked for.
    pub states: &'static [&'static str],
    /// Every command, in the order in which one is looked for.
    pub all: &'static [Command],
}

impl Commands {
    /// The command that a label gives to a row in a state; `None` if the row keeps its state, or
    /// the state allows no command with this label.
    pub fn given(&self, words: &Words, state: &str, label: &str) -> Option<&Command> {
        if words.label(state) == label {
            return None;
        }
        let mut labelled = self.states.iter().filter(|it| words.label(it) == label);
        labelled.find_map(|target| {
            let leads = |it: &&Command| it.from.contains(&state) && it.to.contains(target);
            self.all.iter().find(leads)
        })
    }
}

/// Cancels a booking that is pending or confirmed.
pub const CANCEL_BOOKING: Command = Command {
    name: "cancel",
    from: &["pending", "confirmed"],
    to: &["cancelled"],
};

/// The commands to a booking.
pub const BOOKING: Commands = Commands {
    states: &[
        "pending",
        "confirmed",
        "rejected",
        "expired",
        "cancelled",
        "completed",
    ],
    all: &[CANCEL_BOOKING],
};

/// Captures a payment that is requested or authorized.
pub const CAPTURE_PAYMENT: Command = Command {
    name: "capture",
    from: &["requested", "authorized"],
    to: &["captured"],
};

/// Gives the money of a payment back: releases what is reserved, refunds what was captured.
pub const RELEASE_PAYMENT: Command = Command {
    name: "give back",
    from: &["requested", "authorized", "captured"],
    to: &["voided", "refunded"],
};

/// The commands to a payment.
pub const PAYMENT: Commands = Commands {
    states: &[
        "requested",
        "authorized",
        "declined",
        "captured",
        "voided",
        "refunded",
    ],
    all: &[CAPTURE_PAYMENT, RELEASE_PAYMENT],
};

/// Starts a fulfillment that is scheduled.
pub const START_FULFILLMENT: Command = Command {
    name: "start",
    from: &["scheduled"],
    to: &["inProgress"],
};

/// Completes a fulfillment that is scheduled or in progress.
pub const COMPLETE_FULFILLMENT: Command = Command {
    name: "complete",
    from: &["scheduled", "inProgress"],
    to: &["completed"],
};

/// Cancels a fulfillment that is scheduled or in progress.
pub const CANCEL_FULFILLMENT: Command = Command {
    name: "cancel",
    from: &["scheduled", "inProgress"],
    to: &["cancelled"],
};

/// The commands to a fulfillment.
pub const FULFILLMENT: Commands = Commands {
    states: &["scheduled", "inProgress", "completed", "cancelled"],
    all: &[START_FULFILLMENT, COMPLETE_FULFILLMENT, CANCEL_FULFILLMENT],
};
