//! A status is written when it has changed, and only then.

use innkeeper_crds::{
    BookingPlatform, BookingPlatformStatus, Condition, DomainService, DomainServiceStatus,
    EventTopic, EventTopicStatus,
};
use innkeeper_plan::names::FIELD_MANAGER;
use k8s_openapi::NamespaceResourceScope;
use kube::api::{Patch, PatchParams};
use kube::{Resource, ResourceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::fmt::Debug;

use crate::context::Context;
use crate::error::Error;
use crate::ownership::hash;

/// A kind whose status has conditions.
pub(crate) trait Observed:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Serialize
    + Send
    + Sync
    + 'static
{
    /// Its status.
    type Status: Serialize + PartialEq;
    /// The status that it has.
    fn status(&self) -> Option<&Self::Status>;
    /// The conditions that it has.
    fn conditions(&self) -> &[Condition];
}

impl Observed for BookingPlatform {
    type Status = BookingPlatformStatus;
    fn status(&self) -> Option<&Self::Status> {
        self.status.as_ref()
    }
    fn conditions(&self) -> &[Condition] {
        self.status.as_ref().map_or(&[], |it| &it.conditions)
    }
}

impl Observed for DomainService {
    type Status = DomainServiceStatus;
    fn status(&self) -> Option<&Self::Status> {
        self.status.as_ref()
    }
    fn conditions(&self) -> &[Condition] {
        self.status.as_ref().map_or(&[], |it| &it.conditions)
    }
}

impl Observed for EventTopic {
    type Status = EventTopicStatus;
    fn status(&self) -> Option<&Self::Status> {
        self.status.as_ref()
    }
    fn conditions(&self) -> &[Condition] {
        self.status.as_ref().map_or(&[], |it| &it.conditions)
    }
}

/// An object as the cluster has it now, unless it is gone.
pub(crate) async fn fetch_present<K: Observed>(
    ctx: &Context,
    object: &K,
) -> Result<Option<K>, Error> {
    let found = ctx
        .api_beside::<K>(object)
        .get_opt(&object.name_any())
        .await
        .map_err(|source| Error::Fetch {
            what: what(object),
            source,
        })?;
    Ok(found)
}

/// Writes the status of an object, when it is another than before. What admission made of the same status stays.
pub(crate) async fn apply_status<K: Observed>(
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
            ctx.ledger.sent_status(&uid, wanted, seen, (ctx.now)());
            Ok(())
        }
        // It went meanwhile: there is nothing left to say.
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(source) => Err(Error::Status {
            what: what(object),
            source,
        }),
    }
}

/// An object for people to read: its kind and name.
pub(crate) fn what<K: Observed>(object: &K) -> String {
    format!("{} {}", K::kind(&()), object.name_any())
}
