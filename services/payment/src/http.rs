//! The HTTP resource of payments, and the calls of booking services.

use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State as AxumState};
use axum::routing::{get, post};
use axum::{Json, Router};
use innkeeper_contracts::calls::{AUTHORIZATIONS, AuthorizeAnswer, AuthorizeRequest};
use innkeeper_kit::entity::Entity;
use innkeeper_kit::store::Row;
use innkeeper_kit::{Failure, Rejection, label};
use innkeeper_runtime::context::Context;
use innkeeper_runtime::json::JsonBody;
use innkeeper_runtime::problem::Problem;
use innkeeper_runtime::request::RequestContext;
use innkeeper_runtime::resource::{Change, Item, Resource, Routes, Update, refused};
use uuid::Uuid;

use crate::Payments;
use crate::domain::{State, path, walked};

/// The routes of a payment service. Asking for the outcome of an authorization may end its saga; it
/// is a GET all the same, since bookings of earlier releases ask so.
pub fn router(payments: Arc<Payments>, context: &Context) -> Router {
    let calls = Router::new()
        .route(AUTHORIZATIONS, post(authorize))
        .route(&format!("{AUTHORIZATIONS}/{{story}}"), get(settle_outcome))
        .with_state(Arc::clone(&payments));
    Routes::new(context, Arc::clone(&payments) as _)
        .updating(payments)
        .router()
        .merge(calls)
}

async fn authorize(
    AxumState(payments): AxumState<Arc<Payments>>,
    request: RequestContext,
    body: JsonBody<AuthorizeRequest>,
) -> Result<Json<AuthorizeAnswer>, Problem> {
    let answer = payments.authorize(body.0, &request).await;
    Ok(Json(answer.map_err(refused)?))
}

async fn settle_outcome(
    AxumState(payments): AxumState<Arc<Payments>>,
    saga: Result<Path<Uuid>, PathRejection>,
) -> Result<Json<AuthorizeAnswer>, Problem> {
    let Path(saga) = saga.map_err(|_| Problem::from(Rejection::NotFound))?;
    Ok(Json(payments.settle_outcome(saga).await.map_err(refused)?))
}

impl Resource for Payments {
    fn show(&self, row: &Row) -> Result<Option<Item>, Failure> {
        Ok(self.presenter.item_of::<State>(row)?)
    }
}

#[async_trait]
impl Update for Payments {
    async fn update(&self, change: Change) -> Result<Item, Failure> {
        let asked = label::asked(self.presenter.words(), &change.body, path);
        let provider = self.settings.provider;
        let walk = move |payment: &Entity<State>, path: &[State]| walked(payment, path, provider);
        let payment = change
            .execute(&self.repository, &self.presenter, path, walk)
            .await?;
        match payment.state {
            // Every command but to pay leads out of this state, so the provider has declined.
            State::Requested if asked.is_ok_and(|it| !it.allows(&State::Requested)) => {
                Err(Rejection::PaymentRequired(payment.reason.unwrap_or_default()).into())
            }
            _ => Ok(self.presenter.item(&payment)),
        }
    }
}
