//! The HTTP resource of a component, in HAL form: a list in keyset pages, items with links and an
//! `ETag`, and POST and PATCH where the component takes them.

mod change;
mod create;
mod hal;
mod presenter;
mod query;
mod read;
mod tag;

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::routing::MethodRouter;
use innkeeper_contracts::settings::Aliases;
use innkeeper_kit::store::Row;
use innkeeper_kit::{Failure, Rejection};
use serde_json::{Map, Value};

pub use change::{Change, Update};
pub use create::{Create, Creation};
pub use hal::MEDIA_TYPE;
pub use presenter::Presenter;
pub use query::{Page, check_none};
pub use read::conditional;

use crate::context::Context;
use crate::problem::Problem;

/// A row as clients see it.
#[derive(Clone, Debug)]
pub struct Item {
    /// Public id of the row.
    pub id: i64,
    /// The fields, in the platform's words.
    pub fields: Map<String, Value>,
}

/// What a component implements to be served as a resource.
pub trait Resource: Send + Sync + 'static {
    /// A row as clients see it; `None` for a tombstone.
    fn show(&self, row: &Row) -> Result<Option<Item>, Failure>;
}

/// The routes of a resource, under the path and aliases of its service.
pub struct Routes<'a> {
    context: &'a Context,
    list: MethodRouter,
    item: MethodRouter,
    aliases: Vec<(String, MethodRouter)>,
}

impl<'a> Routes<'a> {
    /// The routes of a resource that can only be read.
    pub fn new(context: &'a Context, resource: Arc<dyn Resource>) -> Self {
        let mut routes = Self {
            context,
            list: read::list(context, Arc::clone(&resource)),
            item: read::item(context, resource),
            aliases: Vec::new(),
        };
        let list = routes.list.clone();
        routes.alias(|aliases| &aliases.list, list);
        routes
    }

    /// Takes POST as well.
    #[must_use]
    pub fn creating(mut self, resource: Arc<dyn Create>) -> Self {
        let create = create::create(self.context, resource);
        self.list = self.list.merge(create.clone());
        self.alias(|aliases| &aliases.create, create);
        self
    }

    /// Takes PATCH as well.
    #[must_use]
    pub fn updating(mut self, resource: Arc<dyn Update>) -> Self {
        let path = &self.context.settings.path;
        self.item = self.item.merge(change::update(path, Arc::clone(&resource)));
        let named = change::update_named(path, resource);
        self.alias(|aliases| &aliases.update, named);
        self
    }

    fn alias(&mut self, path: impl FnOnce(&Aliases) -> &Option<String>, method: MethodRouter) {
        let path = path(&self.context.settings.aliases).clone();
        self.aliases.extend(path.map(|path| (path, method)));
    }

    /// The router that serves them.
    pub fn router(self) -> Router {
        let path = &self.context.settings.path;
        let router = Router::new()
            .route(&format!("{path}/{{id}}"), self.item)
            .route(path, self.list);
        let aliases = self.aliases.into_iter();
        aliases.fold(router, |router, (path, method)| router.route(&path, method))
    }
}

/// The public id in a path; 404 if it is not a number, or not in its one spelling: `08` and `+8`
/// name nothing.
struct PublicId(i64);

impl<S: Send + Sync> FromRequestParts<S> for PublicId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = Path::<String>::from_request_parts(parts, state).await.ok();
        let id = text.and_then(|Path(text)| {
            let id: i64 = text.parse().ok()?;
            (id.to_string() == text).then_some(Self(id))
        });
        id.ok_or_else(|| Rejection::NotFound.into())
    }
}

/// The problem that answers a failure.
pub fn refused(failure: Failure) -> Problem {
    match failure {
        Failure::Rejected(rejection) => rejection.into(),
        Failure::Store(error) => error.into(),
    }
}
