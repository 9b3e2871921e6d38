//! The HTTP resource of rows, which is read-only.

use std::sync::Arc;

use innkeeper_kit::Failure;
use innkeeper_kit::store::Row;
use innkeeper_runtime::context::Context;
use innkeeper_runtime::resource::{Item, Resource, Routes};

use crate::View;
use crate::events::cells;

/// The routes of a view.
pub fn router(view: Arc<View>, context: &Context) -> axum::Router {
    Routes::new(context, view).router()
}

impl Resource for View {
    fn show(&self, row: &Row) -> Result<Option<Item>, Failure> {
        let Some(id) = row.id else { return Ok(None) };
        let fields = cells(row)?.show(&self.settings, id);
        Ok(Some(Item { id, fields }))
    }
}
