//! The Service, under whose name other services in the namespace call this one.

use innkeeper_contracts::pod::BUSINESS_PORT;
use innkeeper_crds::DomainService;
use innkeeper_crds::component::ServiceType;
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::metadata::{metadata, name, selector};
use super::pod::BUSINESS_PORT_NAME;

/// The Service of a service. It does not expose the admin port.
pub fn service(service: &DomainService) -> Service {
    Service {
        metadata: metadata(service, name(service)),
        spec: Some(ServiceSpec {
            type_: Some(service_type(service).to_owned()),
            selector: Some(selector(service)),
            ports: Some(vec![ServicePort {
                name: Some(BUSINESS_PORT_NAME.to_owned()),
                port: i32::from(BUSINESS_PORT),
                protocol: Some("TCP".to_owned()),
                target_port: Some(IntOrString::String(BUSINESS_PORT_NAME.to_owned())),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

const fn service_type(service: &DomainService) -> &'static str {
    match service.spec.service_type {
        ServiceType::ClusterIP => "ClusterIP",
        ServiceType::NodePort => "NodePort",
        ServiceType::LoadBalancer => "LoadBalancer",
    }
}
