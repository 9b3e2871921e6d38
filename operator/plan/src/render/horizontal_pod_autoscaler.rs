//! The autoscaler, which lets Kubernetes choose the number of pods.

use innkeeper_crds::DomainService;
use innkeeper_crds::workload::autoscaling::{
    Autoscaling, Behavior, ScalingPolicy, ScalingPolicyKind, ScalingRules, SelectPolicy,
};
use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HPAScalingPolicy, HPAScalingRules, HorizontalPodAutoscaler,
    HorizontalPodAutoscalerBehavior, HorizontalPodAutoscalerSpec, MetricSpec, MetricTarget,
    ResourceMetricSource,
};

use super::metadata::{metadata, name};

/// The autoscaler of a service's Deployment; `None` if the service does not ask for one.
pub fn horizontal_pod_autoscaler(service: &DomainService) -> Option<HorizontalPodAutoscaler> {
    let autoscaling = service.spec.workload.autoscaling.as_ref()?;
    Some(HorizontalPodAutoscaler {
        metadata: metadata(service, name(service)),
        spec: Some(HorizontalPodAutoscalerSpec {
            scale_target_ref: CrossVersionObjectReference {
                api_version: Some("apps/v1".to_owned()),
                kind: "Deployment".to_owned(),
                name: name(service),
            },
            min_replicas: Some(autoscaling.min_replicas.cast_signed()),
            max_replicas: autoscaling.max_replicas.cast_signed(),
            metrics: Some(vec![cpu(autoscaling)]),
            behavior: autoscaling.behavior.as_ref().map(behavior),
        }),
        status: None,
    })
}

fn cpu(autoscaling: &Autoscaling) -> MetricSpec {
    let utilization = autoscaling.target_cpu_utilization_percentage.cast_signed();
    MetricSpec {
        type_: "Resource".to_owned(),
        resource: Some(ResourceMetricSource {
            name: "cpu".to_owned(),
            target: MetricTarget {
                type_: "Utilization".to_owned(),
                average_utilization: Some(utilization),
                ..MetricTarget::default()
            },
        }),
        ..MetricSpec::default()
    }
}

fn behavior(behavior: &Behavior) -> HorizontalPodAutoscalerBehavior {
    HorizontalPodAutoscalerBehavior {
        scale_up: behavior.scale_up.as_ref().map(rules),
        scale_down: behavior.scale_down.as_ref().map(rules),
    }
}

fn rules(rules: &ScalingRules) -> HPAScalingRules {
    let policies: Vec<_> = rules.policies.iter().map(policy).collect();
    HPAScalingRules {
        policies: Some(policies).filter(|policies| !policies.is_empty()),
        select_policy: rules.select_policy.map(|policy| match policy {
            SelectPolicy::Max => "Max".to_owned(),
            SelectPolicy::Min => "Min".to_owned(),
            SelectPolicy::Disabled => "Disabled".to_owned(),
        }),
        stabilization_window_seconds: rules.stabilization_window_seconds.map(u32::cast_signed),
        ..HPAScalingRules::default()
    }
}

fn policy(policy: &ScalingPolicy) -> HPAScalingPolicy {
    HPAScalingPolicy {
        type_: match policy.kind {
            ScalingPolicyKind::Pods => "Pods".to_owned(),
            ScalingPolicyKind::Percent => "Percent".to_owned(),
        },
        value: policy.value.cast_signed(),
        period_seconds: policy.period_seconds.cast_signed(),
    }
}
