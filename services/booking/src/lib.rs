//! The booking service: takes bookings, has them paid, and settles those that were left pending. It
//! never calls another service inside a transaction, and never confirms an unauthorized booking
//! that is paid on placement. Start reading at [`domain::path`], then [`place`] and [`recovery`].

pub mod answer;
pub mod domain;
pub mod events;
pub mod http;
pub mod inquiry;
pub mod participants;
pub mod place;
pub mod recovery;

use std::sync::Arc;

use innkeeper_contracts::event::EventSource;
use innkeeper_contracts::settings;
use innkeeper_kit::{CrashPlan, Repository};
use innkeeper_runtime::callee::InvalidAddress;
use innkeeper_runtime::component::Component;
use innkeeper_runtime::context::Context;
use innkeeper_runtime::metrics::{Metrics, names};
use prometheus::IntCounter;
use uuid::Uuid;

use answer::Answers;
use domain::State;
use participants::Participants;

/// The state that all parts of the service share.
pub struct Bookings {
    repository: Repository<State>,
    settings: settings::Booking,
    answers: Arc<Answers>,
    participants: Participants,
    crash: CrashPlan,
    process: Uuid,
    /// The text form of the source of its events, by which other services ask for it.
    source: String,
    /// Counts bookings that ended although they were delivered.
    delivered_in_vain: IntCounter,
}

/// Creates a booking service; fails if the address of its payment service is not valid.
pub fn component(
    settings: &settings::Booking,
    context: &Context,
    metrics: &Metrics,
) -> Result<Component, InvalidAddress> {
    let answers = Arc::new(Answers::new(&context.settings, settings));
    let settling = Arc::clone(&answers);
    let repository = Repository::settling(
        &context.settings,
        &settings.words,
        Arc::clone(&context.store),
        Arc::clone(&context.clock),
        Box::new(move |before, booking| settling.settle(before, booking)),
    );
    let bookings = Arc::new(Bookings {
        repository,
        settings: settings.clone(),
        answers,
        participants: Participants::of(settings, context)?,
        crash: context.crash.clone(),
        process: context.process,
        source: EventSource::of(&context.settings).to_text(),
        delivered_in_vain: metrics
            .counters(&names::BOOKINGS_CANCELLED_AFTER_DELIVERY)
            .with_label_values::<&str>(&[]),
    });
    Ok(Component {
        router: http::router(Arc::clone(&bookings), context),
        reactor: Some(Arc::clone(&bookings) as _),
        chores: vec![bookings],
        ..Component::default()
    })
}
