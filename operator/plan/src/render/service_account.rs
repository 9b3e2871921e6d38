//! The ServiceAccount of a service's pods: an identity without any permission.

use innkeeper_crds::DomainService;
use k8s_openapi::api::core::v1::ServiceAccount;

use super::metadata::{metadata, name};

/// The identity of the service's pods. Nobody mounts its token.
pub fn service_account(service: &DomainService) -> ServiceAccount {
    ServiceAccount {
        metadata: metadata(service, name(service)),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}
