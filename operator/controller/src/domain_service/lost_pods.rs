//! Makes a service the owner of the pods that it has lost.

use innkeeper_crds::DomainService;
use innkeeper_plan::domain_service::lost::adoption;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt as _;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::Value;

use crate::context::Context;
use crate::error::{Error, refusal};

/// Selects the pods that run under a service's ServiceAccount.
pub(super) fn of_account(service: &DomainService) -> ListParams {
    let name = service.name_any();
    ListParams::default().fields(&format!(
        "spec.serviceAccountName={name},status.phase!=Succeeded,status.phase!=Failed"
    ))
}

/// Makes the service the owner of its lost pods.
pub(super) async fn adopt(
    ctx: &Context,
    service: &DomainService,
    pods: &[ObjectMeta],
) -> Result<(), Error> {
    for pod in pods {
        if let Some(patch) = adoption(service, pod) {
            give_owner(ctx, service, pod, &patch).await?;
        }
    }
    Ok(())
}

async fn give_owner(
    ctx: &Context,
    service: &DomainService,
    pod: &ObjectMeta,
    patch: &Value,
) -> Result<(), Error> {
    let name = pod.name.as_deref().unwrap_or_default();
    let patched = ctx
        .api_beside::<Pod>(service)
        .patch_metadata(name, &PatchParams::default(), &Patch::Strategic(patch))
        .await;
    match patched {
        Ok(_) => {
            let service = service.name_any();
            tracing::info!(
                pod = name,
                service,
                "gave a pod without a controller its service as owner"
            );
            Ok(())
        }
        // The pod has changed or is gone; the next reconciliation sees its new state.
        Err(kube::Error::Api(status)) if [404, 409].contains(&status.code) => Ok(()),
        // The message of the service names the pod anyway, and the other objects must not wait for
        // it.
        Err(error) if refusal(&error).is_some() => {
            tracing::warn!(pod = name, %error, "could not give a pod its service as owner");
            Ok(())
        }
        Err(source) => Err(Error::Apply {
            what: format!("an owner to Pod {name}"),
            source,
        }),
    }
}
