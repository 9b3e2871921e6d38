//! Who may do what: the rules of the chart's roles are made from this list, and `/readyz` names what the operator lacks
//! of it. What concerns kinds follows from their registry.

use std::sync::LazyLock;

use crate::kinds::{self, Kind};

/// Some verbs on a resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Permission {
    /// The role that gives it.
    pub role: Role,
    /// The API group; empty for the core group.
    pub group: String,
    /// The resource, with its subresource after a slash.
    pub resource: String,
    /// What may be done with it.
    pub verbs: Vec<&'static str>,
}

/// A set of permissions that the chart gives together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// The operator's, wherever there are platforms.
    Platforms,
    /// The operator's, in every namespace, also when it looks after one only. A namespace that is deleted takes the rights
    /// in it along, and a topic that goes with its object must still be let go; and a topic is kept while a platform or an
    /// EventTopic anywhere names it.
    Everywhere,
    /// The operator's, in its own namespace: its replicas agree who works.
    Operator,
    /// That of people who may view everything in a namespace.
    View,
    /// That of people who may edit everything in a namespace.
    Edit,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [
        Self::Platforms,
        Self::Everywhere,
        Self::Operator,
        Self::View,
        Self::Edit,
    ];

    /// Its name, which is that of the file of its rules in the chart.
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

/// Every permission.
pub fn permissions() -> &'static [Permission] {
    static PERMISSIONS: LazyLock<Vec<Permission>> = LazyLock::new(|| {
        let on_kinds = kinds::kinds().iter().flat_map(on_kind);
        let of_people = kinds::ours().flat_map(of_people);
        on_kinds.chain(others()).chain(of_people).collect()
    });
    &PERMISSIONS
}

/// What the operator does with a kind wherever there are platforms.
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
    // Whoever makes an object that blocks its owner's deletion needs this, where that is enforced.
    if kind.is_parent() {
        let finalizers = Permission::on(Role::Platforms, kind, "/finalizers", &["update"]);
        permissions.push(finalizers);
    }
    permissions
}

/// What people may do with a kind of ours who may do it with the kinds of Kubernetes.
fn of_people(kind: &Kind) -> [Permission; 2] {
    let edit = ["create", "update", "patch", "delete", "deletecollection"];
    [
        Permission::on(Role::View, kind, "", SEE),
        Permission::on(Role::Edit, kind, "", &edit),
    ]
}

/// What the operator does beside its work on kinds.
fn others() -> [Permission; 7] {
    use Role::{Everywhere, Operator, Platforms};
    let ours = innkeeper_crds::GROUP;
    let new = Permission::new;
    [
        // A pod that a changed label took from its ReplicaSet is given its service as an owner.
        new(Platforms, "", "pods", &["list", "patch"]),
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

    /// On a kind, or on a subresource of it.
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
        assert_eq!(verbs_on("pods"), ["list", "patch"]);
    }
}
