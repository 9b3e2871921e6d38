//! The ServiceAccount of a service's pods, which has no permissions.

use innkeeper_crds::DomainService;
use k8s_openapi::api::core::v1::ServiceAccount;

use super::metadata::{metadata, name};

/// The ServiceAccount of a service's pods. Its token is not mounted.
pub fn service_account(service: &DomainService) -> ServiceAccount {
    ServiceAccount {
        metadata: metadata(service, name(service)),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}
