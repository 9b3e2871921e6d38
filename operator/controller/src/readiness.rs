//! Checks what the operator lacks on its cluster: kinds that are not served, and permissions that
//! it does not have.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use innkeeper_crds::{GROUP, VERSION};
use innkeeper_plan::kinds;
use innkeeper_plan::permissions::{Permission, Role, permissions};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::context::Scope;

/// How long to wait before the next check while something is missing.
const CHECK_AGAIN: Duration = Duration::from_secs(5);
/// How long to wait before the next check while nothing is missing. What is lost is noticed within
/// this time and [`CHECK_WITHIN`].
const CHECK_ONCE_IN_A_WHILE: Duration = Duration::from_secs(10);
/// How long a check may take. Each verb of each permission is a question to the API server, some
/// seventy in all.
const CHECK_WITHIN: Duration = Duration::from_secs(5);
/// How many questions of a check are asked concurrently.
const AT_ONCE: usize = 8;

/// What is missing, in words; empty if nothing is.
pub(crate) type Missing = Vec<String>;

/// Checks what the operator lacks.
pub(crate) struct ReadinessCheck {
    client: Client,
    scope: Scope,
    own_namespace: Option<String>,
}

impl ReadinessCheck {
    /// Creates a check with a client. `own_namespace` is where the operator needs leases, if its
    /// replicas elect a leader.
    pub(crate) const fn new(client: Client, scope: Scope, own_namespace: Option<String>) -> Self {
        Self {
            client,
            scope,
            own_namespace,
        }
    }

    /// Keeps `answer` up to date until the operator stops.
    pub(crate) async fn keep_checking(
        self,
        answer: watch::Sender<Missing>,
        stop: CancellationToken,
    ) {
        while let Some(missing) = stop.run_until_cancelled(self.run()).await {
            let pause = if missing.is_empty() {
                CHECK_ONCE_IN_A_WHILE
            } else {
                CHECK_AGAIN
            };
            if *answer.borrow() != missing {
                tracing::info!(?missing, "looked for what the operator needs");
                answer.send_replace(missing);
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn run(&self) -> Missing {
        match timeout(CHECK_WITHIN, self.fetch_missing()).await {
            Ok(Ok(missing)) => missing,
            Ok(Err(error)) => vec![format!("an answer of the API server: {error}")],
            Err(_) => vec![format!(
                "an answer of the API server within {CHECK_WITHIN:?}"
            )],
        }
    }

    async fn fetch_missing(&self) -> Result<Missing, kube::Error> {
        let mut missing = missing_kinds(&self.fetch_served_kinds().await?);
        let needed = permissions()
            .iter()
            .filter_map(|permission| Some((permission, self.namespace_of(permission)?)));
        let lacked: Vec<Option<String>> = stream::iter(needed)
            .map(|(permission, namespace)| self.fetch_lacked(permission, namespace))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        missing.extend(lacked.into_iter().flatten());
        Ok(missing)
    }

    /// Fetches the plural names of Innkeeper's kinds that the API server serves.
    async fn fetch_served_kinds(&self) -> Result<BTreeSet<String>, kube::Error> {
        let group_version = format!("{GROUP}/{VERSION}");
        match self.client.list_api_group_resources(&group_version).await {
            Ok(list) => Ok(list.resources.into_iter().map(|it| it.name).collect()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(BTreeSet::new()),
            Err(error) => Err(error),
        }
    }

    /// The namespace in which the operator needs a permission: empty for every namespace, `None`
    /// for nowhere.
    fn namespace_of(&self, permission: &Permission) -> Option<&str> {
        match (permission.role, &self.scope) {
            (Role::Operator, _) => self.own_namespace.as_deref(),
            (Role::Everywhere, _) | (Role::Platforms, Scope::Cluster) => Some(""),
            (Role::Platforms, Scope::Namespace(namespace)) => Some(namespace),
            (Role::View | Role::Edit, _) => None,
        }
    }

    /// What a permission lacks in a namespace, in words; `None` if nothing.
    async fn fetch_lacked(
        &self,
        permission: &Permission,
        namespace: &str,
    ) -> Result<Option<String>, kube::Error> {
        let mut refused = Vec::new();
        for verb in &permission.verbs {
            if !self.fetch_is_allowed(permission, verb, namespace).await? {
                refused.push(*verb);
            }
        }
        let is_lacking = !refused.is_empty();
        Ok(is_lacking.then(|| lacking(permission, &refused, namespace)))
    }

    async fn fetch_is_allowed(
        &self,
        permission: &Permission,
        verb: &str,
        namespace: &str,
    ) -> Result<bool, kube::Error> {
        let (resource, subresource) = split(&permission.resource);
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(ResourceAttributes {
                    group: Some(permission.group.clone()),
                    resource: Some(resource.to_owned()),
                    subresource: subresource.map(str::to_owned),
                    verb: Some(verb.to_owned()),
                    namespace: Some(namespace.to_owned()),
                    ..ResourceAttributes::default()
                }),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let answer = Api::all(self.client.clone())
            .create(&PostParams::default(), &review)
            .await?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }
}

fn missing_kinds(served: &BTreeSet<String>) -> Missing {
    kinds::ours()
        .map(|kind| &kind.resource.plural)
        .filter(|plural| !served.contains(*plural))
        .map(|plural| {
            format!(
                "the CustomResourceDefinition {plural}.{GROUP}: install the chart, or apply charts/innkeeper/definitions"
            )
        })
        .collect()
}

fn lacking(permission: &Permission, verbs: &[&str], namespace: &str) -> String {
    let (resource, subresource) = split(&permission.resource);
    let group = match permission.group.as_str() {
        "" => String::new(),
        group => format!(".{group}"),
    };
    let subresource = subresource.map_or_else(String::new, |it| format!("/{it}"));
    let verbs = verbs.join(", ");
    let place = match namespace {
        "" => "every namespace".to_owned(),
        namespace => format!("namespace {namespace}"),
    };
    format!("the permission to {verbs} {resource}{group}{subresource} in {place}")
}

/// Splits a resource from its subresource.
fn split(resource: &str) -> (&str, Option<&str>) {
    resource
        .split_once('/')
        .map_or((resource, None), |(resource, subresource)| {
            (resource, Some(subresource))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::silence::silent;

    #[tokio::test(start_paused = true)]
    async fn an_api_server_that_never_answers_is_missing() {
        let check = ReadinessCheck::new(silent(), Scope::Cluster, None);
        let missing = timeout(Duration::from_mins(1), check.run()).await;
        assert_eq!(missing.unwrap(), ["an answer of the API server within 5s"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_readiness_check_stops_while_the_api_server_does_not_answer() {
        let stop = CancellationToken::new();
        stop.cancel();
        let check = ReadinessCheck::new(silent(), Scope::Cluster, None);
        let checking = check.keep_checking(watch::channel(Missing::new()).0, stop);
        assert!(timeout(Duration::from_secs(1), checking).await.is_ok());
    }

    #[test]
    fn a_kind_that_is_not_served_is_named() {
        let served = BTreeSet::from(["domainservices".to_owned(), "eventtopics".to_owned()]);
        let missing = missing_kinds(&served);
        assert_eq!(missing.len(), 1);
        assert!(missing[0].contains("bookingplatforms.innkeeper.dev"));
    }

    #[test]
    fn a_permission_that_is_lacking_is_named() {
        let on = |resource: &str| {
            let mut all = permissions().iter();
            all.find(|it| it.resource == resource).unwrap()
        };
        assert_eq!(
            lacking(on("domainservices/status"), &["patch"], "shop"),
            "the permission to patch domainservices.innkeeper.dev/status in namespace shop"
        );
        assert_eq!(
            lacking(on("services"), &["list", "watch"], ""),
            "the permission to list, watch services in every namespace"
        );
    }
}
