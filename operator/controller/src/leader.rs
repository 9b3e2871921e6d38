//! Elects the replica that works: the one that holds the Lease. A holder that stops releases it. A
//! holder that dies loses it when no other replica has seen it renewed for its whole duration, by
//! that replica's own clock.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::options::Standby;

/// How long a Lease is valid after it was renewed.
const DURATION: Duration = Duration::from_secs(15);
/// How long a holder keeps working without being able to renew.
const RENEW_WITHIN: Duration = Duration::from_secs(10);
/// How long an attempt to hold or to release the Lease may take.
const ATTEMPT_WITHIN: Duration = Duration::from_secs(5);
/// How long to wait between attempts.
const ATTEMPT_EVERY: Duration = Duration::from_secs(2);

/// The Lease was not renewed in time, or another replica holds it.
#[derive(Debug, thiserror::Error)]
#[error("lost the lease: another replica may be working now")]
pub struct LostLease;

/// A replica that takes part in the election.
pub(crate) struct Candidate {
    api: Api<Lease>,
    name: String,
    identity: String,
    now: fn() -> Timestamp,
}

/// The version of the Lease that was last seen, and since when.
struct SeenLease {
    version: Option<String>,
    since: Instant,
    complained: bool,
}

impl SeenLease {
    fn nothing() -> Self {
        Self {
            version: None,
            since: Instant::now(),
            complained: false,
        }
    }
}

/// The result of an attempt to hold the Lease.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Attempt {
    Held,
    HeldByAnother,
    Unknown,
}

impl Candidate {
    pub(crate) fn new(client: Client, standby: Standby, now: fn() -> Timestamp) -> Self {
        Self {
            api: Api::namespaced(client, &standby.namespace),
            name: standby.lease,
            identity: standby.identity,
            now,
        }
    }

    /// Waits until this replica holds the Lease, and returns since when; `None` if it is told to
    /// stop before.
    pub(crate) async fn await_election(&self, stop: &CancellationToken) -> Option<Instant> {
        let mut seen = SeenLease::nothing();
        loop {
            let started = Instant::now();
            if self.attempt(&mut seen).await == Attempt::Held {
                tracing::info!(lease = self.name, "this replica works");
                return Some(started);
            }
            tokio::select! {
                () = stop.cancelled() => return None,
                () = tokio::time::sleep(ATTEMPT_EVERY) => {}
            }
        }
    }

    /// Keeps renewing a Lease that was last renewed at `renewed`. Returns only when it is lost.
    pub(crate) async fn keep(&self, mut renewed: Instant) -> LostLease {
        let mut seen = SeenLease::nothing();
        while let Ok(Some(again)) = timeout_at(renewed + RENEW_WITHIN, self.renew(&mut seen)).await
        {
            renewed = again;
        }
        LostLease
    }

    /// Tries until the Lease is renewed, and returns when; `None` if another replica holds it.
    async fn renew(&self, seen: &mut SeenLease) -> Option<Instant> {
        loop {
            tokio::time::sleep(ATTEMPT_EVERY).await;
            let started = Instant::now();
            match self.attempt(seen).await {
                Attempt::Held => return Some(started),
                Attempt::HeldByAnother => return None,
                Attempt::Unknown => {}
            }
        }
    }

    /// Releases the Lease, so that another replica does not have to wait.
    pub(crate) async fn release(&self) {
        let outcome = timeout(ATTEMPT_WITHIN, self.try_to_release()).await;
        if let Err(error) = outcome.unwrap_or_else(|_| Err(no_answer())) {
            tracing::warn!(%error, lease = self.name, "could not give the lease back");
        }
    }

    async fn try_to_release(&self) -> Result<(), kube::Error> {
        let mut lease = self.api.get(&self.name).await?;
        let Some(spec) = lease.spec.as_mut().filter(|spec| self.holds(spec)) else {
            return Ok(());
        };
        spec.holder_identity = None;
        let params = PostParams::default();
        self.api.replace(&self.name, &params, &lease).await?;
        Ok(())
    }

    async fn attempt(&self, seen: &mut SeenLease) -> Attempt {
        let attempt = timeout(ATTEMPT_WITHIN, self.try_to_hold(seen)).await;
        match attempt.unwrap_or_else(|_| Err(no_answer())) {
            Ok(attempt) => attempt,
            // Another replica wrote at the same time; the next attempt sees which one.
            Err(kube::Error::Api(status)) if status.code == 409 => Attempt::Unknown,
            Err(error) => {
                if !seen.complained {
                    tracing::warn!(%error, lease = self.name, "could not reach the lease; trying on");
                    seen.complained = true;
                }
                Attempt::Unknown
            }
        }
    }

    async fn try_to_hold(&self, seen: &mut SeenLease) -> Result<Attempt, kube::Error> {
        let params = PostParams::default();
        let Some(mut lease) = self.api.get_opt(&self.name).await? else {
            self.api.create(&params, &self.fresh()).await?;
            return Ok(Attempt::Held);
        };
        let version = lease.metadata.resource_version.clone();
        if seen.version != version {
            *seen = SeenLease {
                version,
                ..SeenLease::nothing()
            };
        }
        let before = lease.spec.take().unwrap_or_default();
        if !self.holds(&before) && !is_free(&before, seen.since.elapsed()) {
            return Ok(Attempt::HeldByAnother);
        }
        // Because of the resource version this fails if another replica was faster.
        lease.spec = Some(self.renewed(before));
        self.api.replace(&self.name, &params, &lease).await?;
        Ok(Attempt::Held)
    }

    fn holds(&self, spec: &LeaseSpec) -> bool {
        spec.holder_identity.as_deref() == Some(&self.identity)
    }

    fn fresh(&self) -> Lease {
        Lease {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                ..ObjectMeta::default()
            },
            spec: Some(self.renewed(LeaseSpec::default())),
        }
    }

    fn renewed(&self, before: LeaseSpec) -> LeaseSpec {
        let now = MicroTime((self.now)());
        let again = self.holds(&before);
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            acquire_time: if again {
                before.acquire_time
            } else {
                Some(now.clone())
            },
            renew_time: Some(now),
            lease_transitions: Some(before.lease_transitions.unwrap_or(0) + i32::from(!again)),
            ..LeaseSpec::default()
        }
    }
}

/// The error for an API server that takes too long.
fn no_answer() -> kube::Error {
    kube::Error::Service(format!("no answer within {ATTEMPT_WITHIN:?}").into())
}

/// Whether nobody holds a Lease that has been unchanged for `unchanged_for`.
fn is_free(spec: &LeaseSpec, unchanged_for: Duration) -> bool {
    let holder = spec.holder_identity.as_deref().unwrap_or_default();
    let seconds = spec.lease_duration_seconds.unwrap_or(0).max(0);
    holder.is_empty() || unchanged_for > Duration::from_secs(u64::from(seconds.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::silence::silent;

    /// A candidate whose API server never answers.
    fn unheard() -> Candidate {
        let standby = Standby {
            namespace: "innkeeper-system".to_owned(),
            lease: "innkeeper".to_owned(),
            identity: "me".to_owned(),
        };
        Candidate::new(silent(), standby, || Timestamp::UNIX_EPOCH)
    }

    #[tokio::test(start_paused = true)]
    async fn a_leader_that_cannot_renew_ends_before_the_lease_is_free_to_others() {
        let renewed = Instant::now();
        let lost = timeout(DURATION, unheard().keep(renewed)).await;
        assert!(lost.is_ok());
        assert_eq!(renewed.elapsed(), RENEW_WITHIN);
    }

    #[tokio::test(start_paused = true)]
    async fn an_api_server_that_never_answers_does_not_keep_a_candidate_from_stopping() {
        let stop = CancellationToken::new();
        stop.cancel();
        let candidate = unheard();
        let elected = timeout(DURATION, candidate.await_election(&stop)).await;
        assert_eq!(elected, Ok(None));
        assert!(timeout(DURATION, candidate.release()).await.is_ok());
    }

    fn held() -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some("another".to_owned()),
            lease_duration_seconds: Some(15),
            ..LeaseSpec::default()
        }
    }

    #[test]
    fn a_lease_is_free_once_nobody_renews_it() {
        assert!(!is_free(&held(), Duration::from_secs(14)));
        assert!(is_free(&held(), Duration::from_secs(16)));
    }

    #[test]
    fn a_lease_that_was_given_back_is_free_at_once() {
        let given_back = LeaseSpec {
            holder_identity: None,
            ..held()
        };
        assert!(is_free(&given_back, Duration::ZERO));
    }
}
