//! Which ConfigMaps a pod uses.

use k8s_openapi::api::core::v1::PodSpec;

/// Names of the ConfigMaps that a pod mounts or takes environment variables from.
pub fn named_config_maps(pod: &PodSpec) -> Vec<String> {
    let mounted = pod
        .volumes
        .iter()
        .flatten()
        .filter_map(|volume| Some(volume.config_map.as_ref()?.name.clone()));
    let environment = pod
        .containers
        .iter()
        .flat_map(|container| container.env_from.iter().flatten())
        .filter_map(|from| Some(from.config_map_ref.as_ref()?.name.clone()));
    mounted.chain(environment).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_names_what_it_mounts_and_what_its_environment_comes_from() {
        let pod: PodSpec = serde_json::from_value(json!({
            "volumes": [
                { "name": "settings", "configMap": { "name": "pay-settings-1" } },
                { "name": "database", "secret": { "secretName": "database" } },
            ],
            "containers": [{
                "name": "service",
                "envFrom": [{ "configMapRef": { "name": "pay-config-1" } }],
            }],
        }))
        .unwrap();
        assert_eq!(named_config_maps(&pod), ["pay-settings-1", "pay-config-1"]);
    }
}
