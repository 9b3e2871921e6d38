//! A service that shows a saga in one row.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// Shows each saga in one row.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// What a row shows, in order.
    #[schemars(length(min = 1, max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub columns: Vec<ViewColumn>,
}

/// One column of a view, which shows the value of one field or the latest of several.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("has(self.from) != (has(self.latestOf) && size(self.latestOf) > 0)", "say either from or latestOf"))]
pub struct ViewColumn {
    /// Name of the member that holds the value in each row.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub name: String,
    /// A field of a service, in the platform's words: `SERVICE.FIELD`, such as
    /// `reservation.userName` or `pay.id`.
    #[schemars(
        length(max = 128),
        regex(pattern = r"^[a-z][-a-z0-9]*\.[A-Za-z][A-Za-z0-9_]*$")
    )]
    pub from: Option<String>,
    /// Several fields of services: the one that changed last, except that an ended booking stays
    /// so. A state without a label is left out where its service labels others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 8),
        inner(
            length(max = 128),
            regex(pattern = r"^[a-z][-a-z0-9]*\.[A-Za-z][A-Za-z0-9_]*$")
        )
    )]
    pub latest_of: Vec<String>,
}
