//! The three controllers: what each of them watches, and which objects a change wakes.

mod concerned;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt as _, Stream, StreamExt as _, stream};
use innkeeper_crds::{BookingPlatform, DomainService, EventTopic};
use innkeeper_plan::kinds::{self, Watch};
use innkeeper_plan::names::{FIELD_MANAGER, MANAGED_BY_LABEL, SERVICE_LABEL};
use innkeeper_plan::verdict::{State, holds};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::controller::{Action, Config, Controller, Error as ControllerError};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher;
use kube::{Api, Client, Resource, ResourceExt as _};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cache::Cache;
use crate::context::{Context, Scope};
use crate::error::Error;
use crate::metrics::Metrics;
use crate::status::{HasConditions, fetch_present};
use crate::{domain_service, platform, topic, unreadable};

/// How long a reconciliation may take.
const DEADLINE: Duration = Duration::from_secs(90);
/// How long to collect changes of an object before reconciling it.
const GATHER: Duration = Duration::from_millis(100);
/// How many objects of a kind are reconciled concurrently.
const AT_ONCE: u16 = 8;

/// The caches of the objects that the operator reconciles.
pub(crate) struct Watched {
    pub platforms: Cache<BookingPlatform>,
    pub services: Cache<DomainService>,
    pub topics: Cache<EventTopic>,
}

impl Watched {
    /// Counts the objects by kind and state.
    pub(crate) fn count_into(&self, metrics: &Metrics) {
        count(&self.platforms, metrics);
        count(&self.services, metrics);
        count(&self.topics, metrics);
    }
}

fn count<K: HasConditions>(store: &Cache<K>, metrics: &Metrics) {
    let objects = store.state();
    for state in State::ALL {
        let is_in_state = |object: &&Arc<DeserializeGuard<K>>| match &object.0 {
            Ok(object) => holds(object.conditions(), state),
            Err(_) => state == State::Stalled,
        };
        let count = objects.iter().filter(is_in_state).count();
        metrics.set_objects(&K::kind(&()), state, count);
    }
}

/// The three controllers, before they run.
pub(crate) struct Controllers {
    platforms: Controller<DeserializeGuard<BookingPlatform>>,
    services: Controller<DeserializeGuard<DomainService>>,
    topics: Controller<DeserializeGuard<EventTopic>>,
    /// The caches that the controllers fill.
    pub watched: Arc<Watched>,
}

impl Controllers {
    pub(crate) fn new(client: &Client, scope: &Scope) -> Self {
        let platforms = controller::<BookingPlatform>(client, scope);
        let services = controller::<DomainService>(client, scope)
            .watches(api::<ReplicaSet>(client, scope), ours(), |set| {
                service_of(&set)
            })
            .watches(api::<Pod>(client, scope), ours(), |pod| service_of(&pod));
        let store = services.store();
        let services = services
            .watches(api::<DomainService>(client, scope), ours(), {
                let store = store.clone();
                move |callee| callers(&store, &callee)
            })
            .reconcile_on(concerned::by::<HorizontalPodAutoscaler>(
                scope.api(client),
                store.clone(),
            ))
            .reconcile_on(concerned::by::<PodDisruptionBudget>(
                scope.api(client),
                store.clone(),
            ));
        let topics = controller::<EventTopic>(client, scope);
        let described = topics.store();
        let topics = topics.watches(
            scope.api::<DeserializeGuard<EventTopic>>(client),
            watcher::Config::default(),
            move |topic| {
                let readable = topic.0.as_ref().ok();
                readable.map_or_else(Vec::new, |topic| topic::rivals(&described, topic))
            },
        );
        let watched = Arc::new(Watched {
            platforms: platforms.store(),
            services: store,
            topics: topics.store(),
        });
        Self {
            platforms,
            services,
            topics,
            watched,
        }
    }

    /// Reconciles until it is told to stop, and then finishes what it has begun.
    pub(crate) async fn run(self, ctx: Arc<Context>, stop: CancellationToken) {
        let topics = self.watched.topics.clone();
        let platforms = self.watched.platforms.clone();
        let (wake, woken) = mpsc::unbounded_channel();
        let rollouts = Arc::clone(&ctx.rollouts);
        let rolled_out = self.platforms.reconcile_on(rollouts.woken());
        let looked_after = self.topics.reconcile_on(received(woken));
        tokio::join!(
            topic::drift::watch(Arc::clone(&ctx), topics.clone(), wake, stop.clone()),
            run(rolled_out, &ctx, &stop, move |platform, ctx| {
                platform::reconcile(platform, ctx, platforms.clone())
            }),
            run(self.services, &ctx, &stop, domain_service::reconcile),
            run(looked_after, &ctx, &stop, move |topic, ctx| {
                topic::reconcile(topic, ctx, topics.clone())
            }),
        );
    }
}

/// The controller of a kind. Changes to the children of its objects wake it, too.
fn controller<K: HasConditions>(client: &Client, scope: &Scope) -> Controller<DeserializeGuard<K>> {
    let config = Config::default().debounce(GATHER).concurrency(AT_ONCE);
    let controller =
        Controller::new(scope.api(client), watcher::Config::default()).with_config(config);
    kinds::children_of::<K>()
        .filter(|kind| kind.watch == Watch::Labelled)
        .fold(controller, |controller, kind| {
            let children = scope.api_of(client, &kind.resource);
            controller.owns_with(children, kind.resource.clone(), ours())
        })
}

fn received<T: Send + 'static>(receiver: mpsc::UnboundedReceiver<T>) -> impl Stream<Item = T> {
    stream::unfold(receiver, |mut receiver| async move {
        let next = receiver.recv().await?;
        Some((next, receiver))
    })
}

/// Reads only the metadata of a kind's objects, which is enough to notice changes.
fn api<K>(client: &Client, scope: &Scope) -> Api<PartialObjectMeta<K>>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    scope.api(client)
}

/// Watches only the objects with our label.
fn ours() -> watcher::Config {
    watcher::Config::default().labels(&format!("{MANAGED_BY_LABEL}={FIELD_MANAGER}"))
}

/// The service of a ReplicaSet or a pod by its label, because its owner is another object.
fn service_of<K>(
    object: &PartialObjectMeta<K>,
) -> Option<ObjectRef<DeserializeGuard<DomainService>>> {
    let name = object.metadata.labels.as_ref()?.get(SERVICE_LABEL)?;
    Some(ObjectRef::new(name).within(object.metadata.namespace.as_ref()?))
}

/// The services that call a service and may be waiting for it.
fn callers(
    store: &Cache<DomainService>,
    callee: &PartialObjectMeta<DomainService>,
) -> Vec<ObjectRef<DeserializeGuard<DomainService>>> {
    let name = callee.name_any();
    store
        .state_filter(|service| {
            let waits = |it: &DomainService| it.spec.waits_for.contains(&name);
            service.namespace() == callee.namespace() && service.0.as_ref().is_ok_and(waits)
        })
        .iter()
        .map(|service| ObjectRef::from_obj(service.as_ref()))
        .collect()
}

async fn run<K, Work>(
    controller: Controller<DeserializeGuard<K>>,
    ctx: &Arc<Context>,
    stop: &CancellationToken,
    reconcile: impl Fn(K, Arc<Context>) -> Work + Clone + Send + Sync + 'static,
) where
    K: HasConditions,
    Work: Future<Output = Result<Action, Error>> + Send + 'static,
{
    let store = controller.store();
    let mut failures = Failures::default();
    let reconciling = controller
        .graceful_shutdown_on(stop.clone().cancelled_owned())
        .run(
            |object, ctx| {
                let work = reconcile_present(object, Arc::clone(&ctx), reconcile.clone());
                measure(work, ctx, K::kind(&()))
            },
            |_, error, _| Action::requeue(error.class().retry_after()),
            Arc::clone(ctx),
        )
        .for_each(move |outcome| {
            failures.log(outcome);
            std::future::ready(())
        });
    tokio::select! {
        () = reconciling => {}
        () = await_stop_before_ready(&store, stop) => {}
    }
}

/// Reconciles the present version of an object, or reports that it cannot be read.
async fn reconcile_present<K, Work>(
    object: Arc<DeserializeGuard<K>>,
    ctx: Arc<Context>,
    reconcile: impl Fn(K, Arc<Context>) -> Work + Send,
) -> Result<Action, Error>
where
    K: HasConditions,
    Work: Future<Output = Result<Action, Error>> + Send,
{
    match fetch_present(&ctx, object.as_ref()).await? {
        None => Ok(Action::await_change()),
        Some(DeserializeGuard(Ok(object))) => reconcile(object, ctx).await,
        Some(DeserializeGuard(Err(invalid))) => {
            unreadable::tell(&ctx, object.as_ref(), &invalid.error).await
        }
    }
}

/// Returns when work that never began is to stop. The controller waits until its cache is filled
/// even then, although nobody fills it any more. Work that has begun is left to finish.
async fn await_stop_before_ready<K: HasConditions>(store: &Cache<K>, stop: &CancellationToken) {
    stop.cancelled().await;
    if store.wait_until_ready().now_or_never().is_some() {
        std::future::pending::<()>().await;
    }
}

async fn measure(
    work: impl Future<Output = Result<Action, Error>>,
    ctx: Arc<Context>,
    kind: impl AsRef<str>,
) -> Result<Action, Error> {
    let started = Instant::now();
    let outcome = tokio::time::timeout(DEADLINE, work)
        .await
        .unwrap_or(Err(Error::Deadline(DEADLINE)));
    let class = outcome.as_ref().err().map(Error::class);
    ctx.metrics
        .count_reconciliation(kind.as_ref(), class, started.elapsed());
    outcome
}

/// The failures that were logged, by the namespace and name of the object. A failure is logged
/// again only if its text has changed.
#[derive(Default)]
struct Failures(HashMap<String, String>);

impl Failures {
    fn log<K: Resource<DynamicType = ()>>(
        &mut self,
        outcome: Result<(ObjectRef<K>, Action), ControllerError<Error, watcher::Error>>,
    ) {
        match outcome {
            Ok((object, _)) => self.forget(&key(&object)),
            // It was deleted in the meantime.
            Err(ControllerError::ObjectNotFound(object)) => self.forget(&key(&object)),
            Err(ControllerError::ReconcilerFailed(error, object)) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                if self.is_news(key(&object), format!("{error}: {cause:?}")) {
                    tracing::warn!(%object, %error, cause, "could not finish; trying again");
                }
            }
            Err(ControllerError::QueueError(error)) => {
                tracing::warn!(%error, "a watch was interrupted");
            }
            Err(ControllerError::RunnerError(error)) => {
                tracing::error!(%error, "a controller failed");
            }
        }
    }

    fn is_news(&mut self, object: String, text: String) -> bool {
        self.0.insert(object, text.clone()) != Some(text)
    }

    fn forget(&mut self, object: &str) {
        self.0.remove(object);
    }
}

fn key<K: Resource>(object: &ObjectRef<K>) -> String {
    let namespace = object.namespace.as_deref().unwrap_or_default();
    format!("{namespace}/{}", object.name)
}

#[cfg(test)]
mod tests {
    use kube::runtime::reflector;

    use super::*;
    use crate::silence::silent;

    #[test]
    fn a_failure_is_told_again_only_when_its_text_changes() {
        let mut failures = Failures::default();
        let mut is_news = |text: &str| failures.is_news("default/pay".to_owned(), text.to_owned());
        assert_eq!(
            ["a quota", "a quota", "a webhook", "a quota"].map(&mut is_news),
            [true, false, true, true]
        );
        failures.forget("default/pay");
        assert!(failures.is_news("default/pay".to_owned(), "a quota".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_operator_whose_watches_never_succeeded_ends_at_once() {
        let stop = CancellationToken::new();
        stop.cancel();
        let controllers = Controllers::new(&silent(), &Scope::Cluster);
        let ctx = Arc::new(Context::of(silent()));
        let ended = tokio::time::timeout(Duration::from_secs(1), controllers.run(ctx, stop));
        assert!(ended.await.is_ok());
    }

    #[test]
    fn a_controller_that_has_begun_is_left_to_finish() {
        let stop = CancellationToken::new();
        stop.cancel();
        let (store, mut writer) = reflector::store::<DeserializeGuard<EventTopic>>();
        assert!(
            await_stop_before_ready(&store, &stop)
                .now_or_never()
                .is_some()
        );
        writer.apply_watcher_event(&watcher::Event::Init);
        writer.apply_watcher_event(&watcher::Event::InitDone);
        assert!(
            await_stop_before_ready(&store, &stop)
                .now_or_never()
                .is_none()
        );
    }
}
