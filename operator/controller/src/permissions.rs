//! What the operator must be allowed to do: the one list, from which the chart's roles are made and `/readyz` speaks.

/// Some verbs on a resource.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Permission {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The resource, with its subresource after a slash.
    pub resource: &'static str,
    /// What may be done with it.
    pub verbs: &'static [&'static str],
    /// Where it is needed.
    pub place: Place,
}

/// Where a permission is needed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// Wherever there are platforms.
    Platforms,
    /// In every namespace, also when the operator looks after one: what a topic needs to be let go when its namespace, and
    /// the rights in it, go first; and what tells who else names it.
    Everywhere,
    /// In the operator's own namespace.
    Operator,
}

const fn platforms(
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
) -> Permission {
    Permission {
        group,
        resource,
        verbs,
        place: Place::Platforms,
    }
}

const fn everywhere(
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
) -> Permission {
    Permission {
        place: Place::Everywhere,
        ..platforms(group, resource, verbs)
    }
}

/// What is seen and applied, and goes with its owner.
const APPLY: &[&str] = &["get", "list", "watch", "create", "patch"];
/// What is also deleted once nobody asks for it.
const APPLY_AND_DELETE: &[&str] = &["get", "list", "watch", "create", "patch", "delete"];

/// Everything that the operator must be allowed to do.
pub const PERMISSIONS: &[Permission] = &[
    platforms(
        "innkeeper.dev",
        "bookingplatforms",
        &["get", "list", "watch"],
    ),
    platforms("innkeeper.dev", "bookingplatforms/status", &["patch"]),
    platforms("innkeeper.dev", "bookingplatforms/finalizers", &["update"]),
    platforms("innkeeper.dev", "domainservices", APPLY_AND_DELETE),
    platforms("innkeeper.dev", "domainservices/status", &["patch"]),
    platforms("innkeeper.dev", "domainservices/finalizers", &["update"]),
    platforms("innkeeper.dev", "eventtopics", APPLY),
    platforms("innkeeper.dev", "eventtopics/status", &["patch"]),
    platforms("", "services", APPLY),
    platforms("", "serviceaccounts", APPLY),
    platforms("", "configmaps", APPLY_AND_DELETE),
    platforms("apps", "deployments", APPLY),
    platforms("apps", "replicasets", &["get", "list", "watch"]),
    platforms("autoscaling", "horizontalpodautoscalers", APPLY_AND_DELETE),
    platforms("policy", "poddisruptionbudgets", APPLY_AND_DELETE),
    platforms("", "pods", &["list", "patch"]),
    platforms("events.k8s.io", "events", &["create", "patch"]),
    everywhere("innkeeper.dev", "bookingplatforms", &["get", "list"]),
    everywhere(
        "innkeeper.dev",
        "eventtopics",
        &["get", "list", "watch", "patch"],
    ),
    everywhere("innkeeper.dev", "eventtopics/status", &["patch"]),
    everywhere("", "namespaces", &["get"]),
    Permission {
        group: "coordination.k8s.io",
        resource: "leases",
        verbs: &["get", "create", "update"],
        place: Place::Operator,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_allowed_by_a_wildcard() {
        for permission in PERMISSIONS {
            assert!(!permission.resource.contains('*') && !permission.group.contains('*'));
            assert!(permission.verbs.iter().all(|verb| !verb.contains('*')));
        }
    }

    #[test]
    fn no_secret_is_touched_and_a_pod_only_to_give_it_an_owner() {
        let verbs_on = |name: &str| -> Vec<&str> {
            let of_it = |it: &&Permission| it.resource.split('/').next() == Some(name);
            let found = PERMISSIONS.iter().filter(of_it);
            found.flat_map(|it| it.verbs).copied().collect()
        };
        assert!(verbs_on("secrets").is_empty());
        assert_eq!(verbs_on("pods"), ["list", "patch"]);
    }
}
