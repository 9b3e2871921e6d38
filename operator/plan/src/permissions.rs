//! Who may do what. The rules of the chart's roles are generated from this list, and `/readyz`
//! names the permissions that the operator lacks. Permissions on kinds are derived from the
//! registry of kinds.

use std::sync::LazyLock;

use crate::kinds::{self, Kind};

/// The permission to use some verbs on a resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Permission {
    /// The role that grants it.
    pub role: Role,
    /// The API group; empty for the core group.
    pub group: String,
    /// The resource, followed by a slash and the subresource if there is one.
    pub resource: String,
    /// The verbs that are allowed.
    pub verbs: Vec<&'static str>,
}

/// A set of permissions that the chart grants together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// For the operator, wherever there are platforms.
    Platforms,
    /// For the operator in every namespace, even if it watches only one. When a namespace is
    /// deleted, the roles in it go first, yet a topic that is deleted with its object must still be
    /// released. And a topic is kept while any platform or EventTopic in any namespace names it.
    Everywhere,
    /// For the operator in its own namespace, where its replicas elect a leader.
    Operator,
    /// For people who may view everything in a namespace.
    View,
    /// For people who may edit everything in a namespace.
    Edit,
}

impl Role {
    pub const ALL: [Self; 5] = [
        Self::Platforms,
        Self::Everywhere,
        Self::Operator,
        Self::View,
        Self::Edit,
    ];

    /// Name of the role, which is also the name of its file in the chart.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Platforms => "platforms",
            Self::Everywhere => "everywhere",
            Self::Operator => "operator",
            Self::View => "view",
            Self::Edit => "edit",
        }
    }
}

const SEE: &[&str] = &["get", "list", "watch"];

/// Every permission of every role.
pub fn permissions() -> &'static [Permission] {
    static PERMISSIONS: LazyLock<Vec<Permission>> = LazyLock::new(|| {
        let on_kinds = kinds::kinds().iter().flat_map(on_kind);
        let of_people = kinds::ours().flat_map(of_people);
        on_kinds.chain(others()).chain(of_people).collect()
    });
    &PERMISSIONS
}

/// The operator's permissions on a kind wherever there are platforms.
fn on_kind(kind: &Kind) -> Vec<Permission> {
    let mut verbs = SEE.to_vec();
    if kind.parent.is_some() {
        verbs.extend(["create", "patch"]);
    }
    if kind.prune.is_some() {
        verbs.push("delete");
    }
    let mut permissions = vec![Permission::on(Role::Platforms, kind, "", &verbs)];
    if kind.is_ours {
        permissions.push(Permission::on(Role::Platforms, kind, "/status", &["patch"]));
    }
    // Creating an object that blocks the deletion of its owner requires this permission where
    // OwnerReferencesPermissionEnforcement is on.
    if kind.is_parent() {
        let finalizers = Permission::on(Role::Platforms, kind, "/finalizers", &["update"]);
        permissions.push(finalizers);
    }
    permissions
}

/// The permissions on a kind of ours for people who may view or edit Kubernetes' own kinds.
fn of_people(kind: &Kind) -> [Permission; 2] {
    let edit = ["create", "update", "patch", "delete", "deletecollection"];
    [
        Permission::on(Role::View, kind, "", SEE),
        Permission::on(Role::Edit, kind, "", &edit),
    ]
}

/// The operator's permissions that do not follow from a kind.
fn others() -> [Permission; 8] {
    use Role::{Everywhere, Operator, Platforms};
    let ours = innkeeper_crds::GROUP;
    let new = Permission::new;
    [
        // A pod that left its ReplicaSet because of a changed label gets its service as an owner.
        new(Platforms, "", "pods", &["patch"]),
        // They say why a pod does not start.
        new(Platforms, "", "events", &["list"]),
        new(Platforms, "events.k8s.io", "events", &["create", "patch"]),
        new(Everywhere, ours, "bookingplatforms", &["get", "list"]),
        new(
            Everywhere,
            ours,
            "eventtopics",
            &["get", "list", "watch", "patch"],
        ),
        new(Everywhere, ours, "eventtopics/status", &["patch"]),
        new(Everywhere, "", "namespaces", &["get"]),
        new(
            Operator,
            "coordination.k8s.io",
            "leases",
            &["get", "create", "update"],
        ),
    ]
}

impl Permission {
    fn new(role: Role, group: &str, resource: &str, verbs: &[&'static str]) -> Self {
        Self {
            role,
            group: group.to_owned(),
            resource: resource.to_owned(),
            verbs: verbs.to_vec(),
        }
    }

    /// A permission on a kind or one of its subresources.
    fn on(role: Role, kind: &Kind, subresource: &str, verbs: &[&'static str]) -> Self {
        let resource = format!("{}{subresource}", kind.resource.plural);
        Self::new(role, &kind.resource.group, &resource, verbs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_allowed_by_a_wildcard() {
        for permission in permissions() {
            assert!(!permission.resource.contains('*') && !permission.group.contains('*'));
            assert!(permission.verbs.iter().all(|verb| !verb.contains('*')));
        }
    }

    #[test]
    fn no_secret_is_touched_and_a_pod_only_to_give_it_an_owner() {
        let verbs_on = |name: &str| -> Vec<&str> {
            let of_it = |it: &&Permission| it.resource.split('/').next() == Some(name);
            let found = permissions().iter().filter(of_it);
            found.flat_map(|it| it.verbs.clone()).collect()
        };
        assert!(verbs_on("secrets").is_empty());
        assert_eq!(verbs_on("pods"), ["get", "list", "watch", "patch"]);
    }
}
