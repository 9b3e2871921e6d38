//! The HTTP resource of payments, and the calls of booking services.

use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::{Path, State as AxumState};
use axum::routing::{get, post};
use axum::{Json, Router};
use innkeeper_contracts::calls::{AUTHORIZATIONS, AuthorizeAnswer, AuthorizeRequest};
use innkeeper_kit::entity::Entity;
use innkeeper_kit::outbox::Cause;
use innkeeper_kit::repository::Decision;
use innkeeper_kit::show::{self, Shown};
use innkeeper_kit::store::{Row, StoreError};
use innkeeper_kit::{Failure, Rejection, label};
use innkeeper_runtime::context::Context;
use innkeeper_runtime::json::JsonBody;
use innkeeper_runtime::problem::Problem;
use innkeeper_runtime::request::RequestContext;
use innkeeper_runtime::resource::{self, Change, Item, Methods, Resource, refused};
use uuid::Uuid;

use crate::Payments;
use crate::domain::{State, path, walked};

/// The routes of a payment service.
pub fn router(payments: Arc<Payments>, context: &Context) -> Router {
    let methods = Methods {
        create: false,
        change: true,
    };
    let calls = Router::new()
        .route(AUTHORIZATIONS, post(authorize))
        .route(&format!("{AUTHORIZATIONS}/{{story}}"), get(show_outcome))
        .with_state(Arc::clone(&payments));
    resource::router(context, methods, payments).merge(calls)
}

async fn authorize(
    AxumState(payments): AxumState<Arc<Payments>>,
    request: RequestContext,
    body: JsonBody<AuthorizeRequest>,
) -> Result<Json<AuthorizeAnswer>, Problem> {
    let cause = Cause {
        event_id: None,
        traceparent: Some(request.traceparent),
    };
    Ok(Json(
        payments.authorize(body.0, cause).await.map_err(refused)?,
    ))
}

async fn show_outcome(
    AxumState(payments): AxumState<Arc<Payments>>,
    Path(saga): Path<Uuid>,
) -> Result<Json<AuthorizeAnswer>, Problem> {
    Ok(Json(payments.load_outcome(saga).await?))
}

#[async_trait]
impl Resource for Payments {
    fn show(&self, row: &Row) -> Result<Option<Item>, Failure> {
        let entity = Entity::restore(row).map_err(StoreError::from)?;
        Ok(entity.map(|entity| self.item(&entity)))
    }

    async fn change(&self, change: Change) -> Result<Item, Failure> {
        let words = self.repository.words().clone();
        let asked = label::asked(&words, &change.body, path)?;
        let (id, cause, provider) = (change.id, change.cause.clone(), self.settings.provider);
        let asked_to_pay = !asked.allows(&State::Requested);
        let payment = self.repository.execute(id, cause, move |payment| {
            change.check(&words, payment)?;
            let path = label::path_to(&words, payment.state, &asked, path)?;
            Ok(if path.is_empty() {
                Decision::Keep
            } else {
                Decision::Become(walked(payment, path, provider))
            })
        });
        let payment = payment.await?;
        match payment.state {
            // Every command but to pay leads out of this state, so the provider has declined.
            State::Requested if asked_to_pay => {
                Err(Rejection::PaymentRequired(payment.reason.unwrap_or_default()).into())
            }
            _ => Ok(self.item(&payment)),
        }
    }
}

impl Payments {
    fn item(&self, payment: &Entity<State>) -> Item {
        let fields = show::entity(self.repository.words(), Shown::Declared, payment);
        Item {
            id: payment.id,
            version: payment.version,
            fields,
        }
    }
}
