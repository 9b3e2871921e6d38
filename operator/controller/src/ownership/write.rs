//! Applies an object if it is not as it was applied, and reports the result.

use innkeeper_plan::names::{APPLIED_ANNOTATION, FIELD_MANAGER};
use innkeeper_plan::ownership::changes::changes;
use innkeeper_plan::ownership::comparison::{Comparison, entries, owned};
use innkeeper_plan::ownership::hash::{plain, recorded};
use innkeeper_plan::ownership::managers::{HeldFields, Takeover, left_alone};
use innkeeper_plan::ownership::{DesiredObject, Notes, Ownership, Refused, admission, notes, what};
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::runtime::events::EventType;
use serde_json::json;

use super::api;
use crate::context::Context;
use crate::error::{Error, refusal};
use crate::events;
use crate::ledger::WriteDecision;
use crate::status::HasConditions;

/// Makes an object as desired, if its name is free or ours. Returns the object on the cluster, or
/// the refusal of the API server, and adds notes about it.
pub(crate) async fn apply_object<K: HasConditions>(
    ctx: &Context,
    owner: &K,
    desired: &DesiredObject,
    notes: &mut Notes,
) -> Result<Result<DynamicObject, Refused>, Error> {
    let comparison = Comparison::of(desired);
    let (decision, live) = match (&desired.ownership, &desired.live) {
        (Ownership::Ours(uid), Some(live)) => {
            (ctx.ledger.decide(uid, &comparison, (ctx.now)()), Some(live))
        }
        _ => (WriteDecision::Write, None),
    };
    let object = match (decision, live) {
        (WriteDecision::Keep | WriteDecision::Leave, Some(live)) => live.clone(),
        _ => match write(ctx, owner, desired, &comparison).await? {
            Ok(written) => written,
            Err(refused) => return Ok(Err(refused)),
        },
    };
    let what = what(&desired.rendered);
    if let Some(uid) = &object.metadata.uid {
        notes.add_contested(&what, &ctx.ledger.contested(uid, (ctx.now)()));
    }
    let mut held = left_alone(entries(&object), &desired.rendered);
    for HeldFields { fields, .. } in &mut held {
        fields.retain(|field| !comparison.lost.contains_key(field));
    }
    notes.add_left_alone(&what, &held);
    if decision != WriteDecision::Leave {
        notes.add_altered(&what, &altered(&comparison, &object));
    }
    Ok(Ok(object))
}

fn altered(comparison: &Comparison, object: &DynamicObject) -> Vec<String> {
    admission::altered(&comparison.wanted.value(), &plain(object), entries(object))
}

async fn write<K: HasConditions>(
    ctx: &Context,
    owner: &K,
    desired: &DesiredObject,
    comparison: &Comparison,
) -> Result<Result<DynamicObject, Refused>, Error> {
    let written = match send(ctx, desired, comparison).await {
        Ok(written) => written,
        Err(source) => return refused(desired, source).map(Err),
    };
    if let Some(uid) = &written.metadata.uid {
        let ours = owned(desired, entries(&written));
        ctx.ledger.remember_sent(uid, comparison, ours, (ctx.now)());
    }
    log(desired, &written);
    tell(ctx, owner, desired, comparison, &written).await;
    Ok(Ok(written))
}

/// Sends an object. Conflicts are decided in our favour only if the object is ours: for a free name
/// a conflict means that somebody else created it first.
async fn send(
    ctx: &Context,
    desired: &DesiredObject,
    comparison: &Comparison,
) -> Result<DynamicObject, kube::Error> {
    let mut params = PatchParams::apply(FIELD_MANAGER);
    let mut object = comparison.wanted.object.clone();
    if let Ownership::Ours(uid) = &desired.ownership {
        params = params.force();
        object.metadata.uid = Some(uid.clone());
        if let (Some(live), Some(takeover)) = (&desired.live, &comparison.takeover) {
            let taken = take_over(ctx, desired, live, takeover).await?;
            // If the request depends on the version that was seen, it must now depend on the
            // version after the takeover.
            if object.metadata.resource_version == live.metadata.resource_version {
                object.metadata.resource_version = taken.metadata.resource_version;
            }
        }
    }
    api(&ctx.client, &desired.rendered)
        .patch(desired.rendered.name(), &params, &Patch::Apply(&object))
        .await
}

/// Makes the fields ours that kubectl changed. The same write removes the recorded hash, so that
/// the next reconciliation applies the object if the apply that follows fails.
async fn take_over(
    ctx: &Context,
    desired: &DesiredObject,
    live: &DynamicObject,
    takeover: &Takeover,
) -> Result<DynamicObject, kube::Error> {
    let mut operations = vec![
        json!({ "op": "replace", "path": "/metadata/managedFields", "value": takeover.managed_fields }),
        json!({ "op": "replace", "path": "/metadata/resourceVersion", "value": live.metadata.resource_version }),
    ];
    if recorded(live).is_some() {
        let annotation = APPLIED_ANNOTATION.replace('/', "~1");
        let path = format!("/metadata/annotations/{annotation}");
        operations.push(json!({ "op": "remove", "path": path }));
    }
    let patch = serde_json::from_value(json!(operations)).map_err(kube::Error::SerdeError)?;
    let params = PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    api(&ctx.client, &desired.rendered)
        .patch(desired.rendered.name(), &params, &Patch::<()>::Json(patch))
        .await
}

fn refused(desired: &DesiredObject, source: kube::Error) -> Result<Refused, Error> {
    let what = what(&desired.rendered);
    match refusal(&source) {
        Some(why) => Ok(Refused {
            why: why.to_owned(),
            what,
        }),
        None => Err(Error::Apply { what, source }),
    }
}

fn log(desired: &DesiredObject, written: &DynamicObject) {
    let object = what(&desired.rendered);
    let namespace = written.metadata.namespace.as_deref();
    let Some(live) = &desired.live else {
        tracing::info!(object, namespace, "created");
        return;
    };
    let fields = changes(&plain(live), &plain(written));
    if !fields.is_empty() {
        tracing::info!(object, namespace, fields = fields.join(", "), "changed");
    }
}

/// Publishes events about what others had changed, and about what admission changes.
async fn tell<K: HasConditions>(
    ctx: &Context,
    owner: &K,
    desired: &DesiredObject,
    comparison: &Comparison,
    written: &DynamicObject,
) {
    let what = what(&desired.rendered);
    let held = comparison.put_back();
    if !held.is_empty() {
        let note = notes::put_back(&what, &held);
        events::publish(ctx, owner, EventType::Warning, "PutBack", &note).await;
    }
    let fields = altered(comparison, written);
    if !fields.is_empty() {
        let note = notes::altered(&what, &fields);
        events::publish(ctx, owner, EventType::Normal, "ChangedByAdmission", &note).await;
    }
}
