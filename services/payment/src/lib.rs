//! The payment service: authorizes by call, captures on an event or a client's command, and gives
//! money back when the saga ends. It never stores a card number, and never moves money twice for
//! one saga. Start reading at [`domain::path`], then [`authorize`], [`events`], [`inquiry`]
//! and [`overdue`].

pub mod authorize;
pub mod domain;
pub mod events;
pub mod http;
pub mod inquiry;
pub mod overdue;

use std::sync::Arc;
use std::time::Duration;

use innkeeper_contracts::settings;
use innkeeper_kit::Repository;
use innkeeper_kit::show::Shown;
use innkeeper_runtime::callee::InvalidAddress;
use innkeeper_runtime::component::{Chore, Component};
use innkeeper_runtime::context::Context;
use innkeeper_runtime::resource::Presenter;
use innkeeper_runtime::safety_net::SafetyNet;

use domain::{Policy, State};
use overdue::Overdue;

/// The state that all parts of the service share.
pub struct Payments {
    repository: Repository<State>,
    presenter: Presenter,
    settings: settings::Payment,
}

impl Payments {
    const fn policy(&self) -> Policy {
        Policy {
            capture: self.settings.capture,
            when: self.settings.when,
        }
    }
}

/// Creates a payment service; fails if the address of a booking service is not valid.
pub fn component(
    settings: &settings::Payment,
    context: &Context,
) -> Result<Component, InvalidAddress> {
    let repository = Repository::new(
        &context.settings,
        &settings.words,
        Arc::clone(&context.store),
        Arc::clone(&context.clock),
    );
    let presenter = Presenter::new(&context.settings, &settings.words, Shown::Declared);
    let payments = Arc::new(Payments {
        repository,
        presenter,
        settings: settings.clone(),
    });
    let holder = Arc::clone(&payments);
    let net = SafetyNet::of(holder, &settings.booking_addresses, context)?;
    let overdue = settings.pay_within_seconds.map(|seconds| Overdue {
        payments: Arc::clone(&payments),
        pay_within: Duration::from_secs(seconds.into()),
        process: context.process,
    });
    let net = net.map(|it| Arc::new(it) as Arc<dyn Chore>);
    let overdue = overdue.map(|it| Arc::new(it) as Arc<dyn Chore>);
    Ok(Component {
        router: http::router(Arc::clone(&payments), context),
        reactor: Some(payments),
        chores: net.into_iter().chain(overdue).collect(),
        ..Component::default()
    })
}
