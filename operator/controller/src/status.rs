//! Writes a status only if it has changed.

use std::borrow::Cow;
use std::fmt::Debug;
use std::marker::PhantomData;

use innkeeper_crds::{BookingPlatform, Condition, DomainService, EventTopic};
use innkeeper_plan::names::FIELD_MANAGER;
use innkeeper_plan::ownership::hash;
use innkeeper_plan::status::{CommonStatus, Conditions};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Patch, PatchParams};
use kube::core::DeserializeGuard;
use kube::core::object::HasStatus;
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::Context;
use crate::error::Error;

/// A kind whose status has conditions.
pub(crate) trait HasConditions:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + HasStatus<Status: Conditions>
    + Clone
    + Debug
    + DeserializeOwned
    + Serialize
    + Send
    + Sync
    + 'static
{
    /// The conditions of the object.
    fn conditions(&self) -> &[Condition] {
        self.status().map_or(&[], Conditions::conditions)
    }
}

impl HasConditions for BookingPlatform {}
impl HasConditions for DomainService {}
impl HasConditions for EventTopic {}
impl<K: HasConditions> HasConditions for StatusOnly<K> {}

/// An object without its spec. Only the part of its status that all kinds have in common is typed;
/// the rest is kept as it is.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct StatusOnly<K> {
    pub metadata: ObjectMeta,
    pub status: Option<CommonStatus>,
    #[serde(skip)]
    kind: PhantomData<K>,
}

impl<K: HasConditions> Resource for StatusOnly<K> {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        K::kind(&())
    }
    fn group((): &()) -> Cow<'_, str> {
        K::group(&())
    }
    fn version((): &()) -> Cow<'_, str> {
        K::version(&())
    }
    fn plural((): &()) -> Cow<'_, str> {
        K::plural(&())
    }
    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }
    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

impl<K> HasStatus for StatusOnly<K> {
    type Status = CommonStatus;
    fn status(&self) -> Option<&CommonStatus> {
        self.status.as_ref()
    }
    fn status_mut(&mut self) -> &mut Option<CommonStatus> {
        &mut self.status
    }
}

/// Fetches the present version of an object; `None` if it is gone.
pub(crate) async fn fetch_present<K: HasConditions>(
    ctx: &Context,
    object: &DeserializeGuard<K>,
) -> Result<Option<DeserializeGuard<K>>, Error> {
    fetch(ctx, object, &object.name_any()).await
}

/// Fetches the status of the object with this kind and name in the namespace of another one, even
/// if its spec cannot be read.
pub(crate) async fn fetch_status<K: HasConditions>(
    ctx: &Context,
    beside: &impl ResourceExt,
    name: &str,
) -> Result<Option<StatusOnly<K>>, Error> {
    fetch(ctx, beside, name).await
}

async fn fetch<K>(ctx: &Context, beside: &impl ResourceExt, name: &str) -> Result<Option<K>, Error>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned,
{
    let found = ctx.api_beside::<K>(beside).get_opt(name).await;
    found.map_err(|source| Error::Fetch {
        what: format!("{} {name}", K::kind(&())),
        source,
    })
}

/// Writes the status of an object if it differs from the present one. A difference that admission
/// makes to the same status again does not count.
pub(crate) async fn apply_status<K: HasConditions>(
    ctx: &Context,
    object: &K,
    status: &K::Status,
) -> Result<(), Error> {
    if object.status() == Some(status) {
        return Ok(());
    }
    let (uid, wanted) = (object.uid().unwrap_or_default(), hash(status));
    let seen = hash(&object.status());
    if (ctx.ledger).is_sent_status(&uid, &wanted, &seen, (ctx.now)()) {
        return Ok(());
    }
    let patch = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": { "name": object.name_any(), "uid": object.uid() },
        "status": status,
    });
    let params = PatchParams::apply(FIELD_MANAGER).force();
    let written = ctx
        .api_beside::<K>(object)
        .patch_status(&object.name_any(), &params, &Patch::Apply(patch))
        .await;
    match written {
        Ok(written) => {
            let seen = hash(&written.status());
            ctx.ledger
                .remember_sent_status(&uid, wanted, seen, (ctx.now)());
            Ok(())
        }
        // The object is gone, so nobody needs its status.
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(source) => Err(Error::Status {
            what: what(object),
            source,
        }),
    }
}

/// Kind and name of an object, for messages.
pub(crate) fn what<K: HasConditions>(object: &K) -> String {
    format!("{} {}", K::kind(&()), object.name_any())
}
