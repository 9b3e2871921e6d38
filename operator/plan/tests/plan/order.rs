//! The order of a platform's services, and what does not follow it.

use innkeeper_plan::render::{Rendered, objects};
use innkeeper_plan::{Expansion, expand, settings, validate};

use super::fixtures::{TWO_OF_EACH, cluster, only_platform};

fn resort() -> Expansion {
    let platform = only_platform(TWO_OF_EACH).unwrap().platform;
    expand(&validate(&platform, &cluster()).unwrap(), &cluster())
}

/// Everything that must stay byte for byte from release to release: each service's specification and settings, and
/// the names of its ConfigMaps, which carry the hash of their content.
fn golden(expansion: &Expansion) -> String {
    let of_service = |service| {
        let objects = objects(service, None);
        let config_maps = objects
            .iter()
            .filter(|rendered| rendered.resource.kind == "ConfigMap")
            .map(Rendered::name);
        let names: Vec<_> = config_maps.collect();
        let settings = serde_json::to_string_pretty(&settings(service)).unwrap();
        let specification = serde_yaml::to_string(&service.spec).unwrap();
        format!("{}\n{specification}\n{settings}\n", names.join(" "))
    };
    expansion.services.iter().map(of_service).collect()
}

#[test]
fn a_platform_that_is_new_becomes_what_earlier_releases_made_of_it() {
    insta::assert_snapshot!(golden(&resort()));
}
