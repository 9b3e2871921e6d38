//! Why pods are not ready: what the scheduler and the kubelet say of those that do not run yet, and
//! the last words of those whose process has ended.

use std::collections::BTreeSet;

use innkeeper_contracts::pod::{NOT_SERVING, STARTING};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{
    ContainerState, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus, Event, Pod,
    PodCondition, PodStatus,
};
use kube::ResourceExt as _;
use serde_json::Value;

/// The condition of a pod that has a node.
const SCHEDULED: &str = "PodScheduled";
/// The label that tells pods of one template from those of another.
const TEMPLATE: &str = "pod-template-hash";
/// What the kubelet calls a container that it is about to start.
const ABOUT_TO_START: [&str; 2] = ["ContainerCreating", "PodInitializing"];
/// What the kubelet calls a container that it starts again later.
const BACK_OFF: &str = "CrashLoopBackOff";
/// How many restarts make a crash loop.
const CRASH_LOOP: i32 = 3;
/// After running this long, a process that ends is started again at once:
/// <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy>.
const BACK_OFF_ENDS: SignedDuration = SignedDuration::from_mins(10);
/// Exit codes of a process that was asked to end: 0, or 128 and the number of SIGTERM.
const ASKED_TO_END: [i32; 2] = [0, 143];
/// How long a process may take to start before it is asked what it waits for.
const STARTS_WITHIN: SignedDuration = SignedDuration::from_secs(10);
/// The reason of the events in which the kubelet says that a probe fails.
const UNHEALTHY: &str = "Unhealthy";
/// How a line begins with which `innkeeper` says why it ends.
const FAILURE: &str = "error: ";
/// Longest quotation of what a process said, in bytes.
const WORDS_LENGTH: usize = 1_000;
/// Most reasons that are told.
const REASONS: usize = 3;

/// Why pods of a service are not ready.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PodFindings {
    /// The reasons, without repetitions.
    pub reasons: BTreeSet<String>,
    /// Name of a pod whose process ends again and again.
    pub crash_loop: Option<String>,
    /// The pods whose status does not say enough; the events about them may.
    pub silent: Vec<SilentPod>,
    /// Addresses of the pods that run and should be ready; they say themselves what they miss.
    pub running: Vec<String>,
}

/// A pod whose status does not say enough.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SilentPod {
    /// Name of the pod.
    pub name: String,
    pub uid: String,
    /// Whether its process was asked to end.
    pub was_ended: bool,
}

impl PodFindings {
    /// What the statuses of a service's pods say. Only pods of the newest template count: the
    /// failures of older ones may be what the new template mends.
    pub fn of(pods: &[Pod], now: Timestamp) -> Self {
        let pods = pods.iter();
        let staying: Vec<&Pod> = pods
            .filter(|pod| pod.metadata.deletion_timestamp.is_none())
            .collect();
        let newest = staying.iter().max_by_key(|pod| pod.creation_timestamp());
        let newest = newest.and_then(|pod| template(pod));
        let mut findings = Self::default();
        for pod in staying.iter().filter(|pod| template(pod) == newest) {
            findings.look_at(pod, now);
        }
        findings
    }

    /// Adds what the events about a silent pod say.
    pub fn add_events(&mut self, pod: &SilentPod, events: &[Event]) {
        let telling = if pod.was_ended {
            let is_unhealthy = |event: &&Event| event.reason.as_deref() == Some(UNHEALTHY);
            latest(events.iter().filter(is_unhealthy))
        } else {
            // A warning before the latest event is over.
            latest(events.iter()).filter(|event| event.type_.as_deref() == Some("Warning"))
        };
        let told = |event: &Event| {
            let reason = event.reason.as_deref().unwrap_or("Warning");
            with_message(reason, event.message.as_deref())
        };
        self.reasons.extend(telling.map(told));
    }

    /// Adds what a pod that runs says of its readiness, as it answers to the probe.
    pub fn add_readiness(&mut self, answer: &Value) {
        let missing = answer["missing"].as_object().into_iter().flatten();
        let reasons = missing.filter_map(|(_, reason)| reason.as_str());
        let reasons = reasons.filter(|it| ![STARTING, NOT_SERVING].contains(it));
        let cut = |reason: &str| reason[..reason.floor_char_boundary(WORDS_LENGTH)].to_owned();
        self.reasons.extend(reasons.map(cut));
    }

    /// The first reasons, after a colon; empty if there are none.
    pub fn suffix(&self) -> String {
        let first: Vec<&str> = self.reasons.iter().take(REASONS).map(|it| &**it).collect();
        match (first.as_slice(), self.reasons.len().saturating_sub(REASONS)) {
            ([], _) => String::new(),
            (first, 0) => format!(": {}", first.join("; ")),
            (first, more) => format!(": {}; and {more} more", first.join("; ")),
        }
    }

    fn look_at(&mut self, pod: &Pod, now: Timestamp) {
        let Some(status) = &pod.status else {
            return;
        };
        if let Some(condition) = scheduling(status).filter(|it| it.status == "False") {
            self.reasons.insert(refusal(condition));
            return;
        }
        let init = status.init_container_statuses.iter().flatten();
        let containers = init.chain(status.container_statuses.iter().flatten());
        let unready: Vec<_> = containers.filter(|it| !it.ready).collect();
        if unready.iter().any(|it| should_be_ready(it, now)) {
            self.running.extend(status.pod_ip.clone());
        }
        let said: Vec<_> = unready.into_iter().filter_map(why_not_ready).collect();
        for container in &said {
            if container.is_in_crash_loop(now) {
                self.crash_loop = Some(pod.name_any());
            }
            self.reasons.extend(container.reason());
        }
        if let Some(silent) = said.iter().find(|it| it.is_silent()) {
            self.silent.push(SilentPod {
                name: pod.name_any(),
                uid: pod.uid().unwrap_or_default(),
                was_ended: matches!(silent, Unready::Ended { .. }),
            });
        }
    }
}

/// Whether a container runs for so long that it should be ready.
fn should_be_ready(container: &ContainerStatus, now: Timestamp) -> bool {
    let state = container.state.as_ref();
    let running = state.and_then(|state| state.running.as_ref());
    running.is_some_and(|it| {
        let since = it.started_at.as_ref();
        since.is_none_or(|since| now.duration_since(since.0) >= STARTS_WITHIN)
    })
}

fn template(pod: &Pod) -> Option<&String> {
    pod.labels().get(TEMPLATE)
}

fn scheduling(status: &PodStatus) -> Option<&PodCondition> {
    let mut conditions = status.conditions.iter().flatten();
    conditions.find(|it| it.type_ == SCHEDULED)
}

fn refusal(condition: &PodCondition) -> String {
    let reason = condition.reason.as_deref().unwrap_or("Unschedulable");
    with_message(reason, condition.message.as_deref())
}

/// A container that is not ready.
#[derive(Clone, Copy)]
enum Unready<'a> {
    /// The kubelet has not started it and does not say why.
    AboutToStart,
    /// The kubelet says why it does not start it.
    Waiting(&'a ContainerStateWaiting),
    /// Its process has ended.
    Ended {
        last: &'a ContainerStateTerminated,
        restarts: i32,
        /// When it was started again, if it runs.
        runs_since: Option<Timestamp>,
    },
}

/// Why a container is not ready; `None` if it runs and its process never ended.
fn why_not_ready(container: &ContainerStatus) -> Option<Unready<'_>> {
    let state = container.state.as_ref();
    let has_ended = |state: &&ContainerState| state.terminated.is_some();
    let last = state.filter(has_ended).or(container.last_state.as_ref());
    let waiting = state.and_then(|it| it.waiting.as_ref());
    let reason = waiting.and_then(|it| it.reason.as_deref());
    let is_told = reason.is_some_and(|it| it != BACK_OFF && !ABOUT_TO_START.contains(&it));
    match (waiting, last.and_then(|it| it.terminated.as_ref())) {
        (Some(waiting), _) if is_told => Some(Unready::Waiting(waiting)),
        (_, Some(last)) => Some(Unready::Ended {
            last,
            restarts: container.restart_count,
            runs_since: state
                .and_then(|it| it.running.as_ref()?.started_at.as_ref())
                .map(|it| it.0),
        }),
        (Some(_), None) => Some(Unready::AboutToStart),
        (None, None) => None,
    }
}

impl Unready<'_> {
    /// Whether the container's status does not say enough. Whatever asked a process to end says why
    /// in an event.
    fn is_silent(&self) -> bool {
        match self {
            Self::AboutToStart => true,
            Self::Waiting(_) => false,
            Self::Ended { last, .. } => ASKED_TO_END.contains(&last.exit_code),
        }
    }

    fn reason(&self) -> Option<String> {
        match self {
            Self::AboutToStart => None,
            Self::Waiting(waiting) => {
                let reason = waiting.reason.as_deref().unwrap_or("Waiting");
                Some(with_message(reason, waiting.message.as_deref()))
            }
            Self::Ended { last, .. } => Some(last_words(last)),
        }
    }

    /// Restarts are counted for the whole life of a pod, so a process that ran for long is in no
    /// loop, however many there were.
    fn is_in_crash_loop(&self, now: Timestamp) -> bool {
        let Self::Ended {
            last,
            restarts,
            runs_since,
        } = self
        else {
            return false;
        };
        let began = last.started_at.as_ref().map(|it| it.0);
        let ended = last.finished_at.as_ref().map(|it| it.0);
        *restarts >= CRASH_LOOP && is_short(began, ended) && is_short(*runs_since, Some(now))
    }
}

/// Whether a process ran for less than ten minutes, or it is not known how long.
fn is_short(began: Option<Timestamp>, ended: Option<Timestamp>) -> bool {
    let times = began.zip(ended);
    times.is_none_or(|(began, ended)| ended.duration_since(began) < BACK_OFF_ENDS)
}

/// How a process ended, with the end of its log.
fn last_words(ended: &ContainerStateTerminated) -> String {
    let code = format!("exit code {}", ended.exit_code);
    let how = match ended.reason.as_deref() {
        None | Some("Error" | "Completed") => code,
        Some(reason) => format!("{reason} ({code})"),
    };
    match ended.message.as_deref().map(end_of_log) {
        None | Some("") => how,
        Some(words) => format!("{how}: {words}"),
    }
}

/// What a process says about its end: from the last line on that begins like a failure, else the
/// last line. What is too long is cut.
fn end_of_log(log: &str) -> &str {
    let log = log.trim();
    let line = |beginning: &str| {
        let within = log.rfind(&format!("\n{beginning}")).map(|at| at + 1);
        within.or_else(|| log.starts_with(beginning).then_some(0))
    };
    let begin = line(FAILURE).or_else(|| line("")).unwrap_or(0);
    let words = &log[begin..];
    &words[..words.floor_char_boundary(WORDS_LENGTH)]
}

/// The latest of some events. That the kubelet waits before it tries again says nothing by itself.
fn latest<'a>(events: impl Iterator<Item = &'a Event>) -> Option<&'a Event> {
    let telling = events.filter(|event| event.reason.as_deref() != Some("BackOff"));
    telling.max_by_key(|event| seen_at(event))
}

/// When an event was seen last. Older and newer reporters fill different fields.
fn seen_at(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref();
    let series = series.and_then(|it| it.last_observed_time.as_ref());
    let micro = series.or(event.event_time.as_ref()).map(|it| it.0);
    let last = event.last_timestamp.as_ref().map(|it| it.0);
    micro.max(last)
}

fn with_message(reason: &str, message: Option<&str>) -> String {
    match message.map(|it| it.trim().trim_end_matches('.')) {
        None | Some("") => reason.to_owned(),
        Some(message) => format!("{reason}: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(status: &Value) -> Pod {
        let metadata = json!({ "name": "pay-1-a", "uid": "pod" });
        serde_json::from_value(json!({ "metadata": metadata, "status": status })).unwrap()
    }

    fn refused(message: &str) -> Pod {
        pod(&json!({ "conditions": [
            { "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message },
        ] }))
    }

    /// A pod whose only container has this state and this last state.
    fn with_states(state: &Value, last: &Value, restarts: i32) -> Pod {
        pod(&json!({ "containerStatuses": [{
            "name": "service", "image": "", "imageID": "", "ready": false,
            "restartCount": restarts, "state": state, "lastState": last,
        }] }))
    }

    fn waiting(reason: &str, message: Option<&str>) -> Value {
        json!({ "waiting": { "reason": reason, "message": message } })
    }

    fn ended(code: i32, reason: &str, message: &str) -> Value {
        json!({ "terminated": { "exitCode": code, "reason": reason, "message": message } })
    }

    fn event(kind: &str, reason: &str, second: u8, message: &str) -> Event {
        serde_json::from_value(json!({
            "metadata": {}, "involvedObject": {}, "type": kind, "reason": reason,
            "message": message, "lastTimestamp": format!("2026-01-01T00:00:0{second}Z"),
        }))
        .unwrap()
    }

    fn findings(pod: Pod) -> PodFindings {
        PodFindings::of(&[pod], "2026-01-01T01:00:00Z".parse().unwrap())
    }

    fn suffix(pod: Pod) -> String {
        findings(pod).suffix()
    }

    #[test]
    fn a_reason_that_several_pods_have_is_told_once() {
        let pods = ["no memory.", "no cpu", "no cpu"].map(refused);
        let suffix = PodFindings::of(&pods, Timestamp::UNIX_EPOCH).suffix();
        assert_eq!(suffix, ": Unschedulable: no cpu; Unschedulable: no memory");
    }

    #[test]
    fn a_pod_that_has_a_node_or_goes_needs_no_reason() {
        let placed = pod(&json!({ "conditions": [{ "type": "PodScheduled", "status": "True" }] }));
        let mut going = refused("no cpu");
        going.metadata.deletion_timestamp =
            serde_json::from_value(json!("2026-01-01T00:00:00Z")).ok();
        for pod in [placed, going] {
            assert_eq!(findings(pod), PodFindings::default());
        }
    }

    #[test]
    fn what_the_kubelet_says_of_a_container_that_it_cannot_start_is_told() {
        let secret = waiting(
            "CreateContainerConfigError",
            Some("secret \"keys\" not found"),
        );
        assert_eq!(
            suffix(with_states(&secret, &json!({}), 0)),
            ": CreateContainerConfigError: secret \"keys\" not found"
        );
        let image = waiting("ErrImageNeverPull", None);
        assert_eq!(
            suffix(with_states(&image, &json!({}), 0)),
            ": ErrImageNeverPull"
        );
    }

    #[test]
    fn a_container_that_is_about_to_start_is_silent_and_the_latest_event_speaks_for_it() {
        let creating = waiting("ContainerCreating", None);
        let told = |events: &[Event]| {
            let mut found = findings(with_states(&creating, &json!({}), 0));
            let silent = found.silent[0].clone();
            found.add_events(&silent, events);
            found.suffix()
        };
        assert_eq!(told(&[]), "");
        let missing = [
            event("Warning", "FailedMount", 2, "secret \"database\" not found"),
            event("Warning", "FailedMount", 1, "an earlier failure"),
        ];
        assert_eq!(
            told(&missing),
            ": FailedMount: secret \"database\" not found"
        );
        let mended = [missing[0].clone(), event("Normal", "Pulling", 3, "pulling")];
        assert_eq!(told(&mended), "");
    }

    #[test]
    fn the_last_words_of_a_process_are_told_while_it_waits_and_while_it_runs_again() {
        let log = "2026-01-01 INFO connecting\nerror: the user may not create tables:\n  GRANT CREATE ON SCHEMA public TO kim\n";
        let last = ended(1, "Error", log);
        let words = ": exit code 1: error: the user may not create tables:\n  GRANT CREATE ON SCHEMA public TO kim";
        for state in [
            last.clone(),
            waiting("CrashLoopBackOff", Some("back-off 10s restarting")),
            json!({ "running": { "startedAt": "2026-01-01T00:59:59Z" } }),
        ] {
            let found = findings(with_states(&state, &last, 2));
            assert_eq!(
                (found.suffix().as_str(), found.crash_loop.as_deref()),
                (words, None)
            );
        }
    }

    #[test]
    fn a_process_that_says_nothing_has_its_exit_code() {
        let out_of_memory = ended(137, "OOMKilled", "");
        assert_eq!(
            suffix(with_states(&out_of_memory, &json!({}), 0)),
            ": OOMKilled (exit code 137)"
        );
        let long = ended(101, "Error", &format!("first\n{}", "ä".repeat(600)));
        let suffix = suffix(with_states(&long, &json!({}), 0));
        assert_eq!(suffix, format!(": exit code 101: {}", "ä".repeat(500)));
    }

    #[test]
    fn events_say_why_a_process_was_asked_to_end() {
        let mut found = findings(with_states(&ended(0, "Completed", ""), &json!({}), 0));
        assert_eq!(found.suffix(), ": exit code 0");
        let silent = found.silent[0].clone();
        let events = [
            event("Warning", "Unhealthy", 1, "Liveness probe failed"),
            event(
                "Warning",
                "BackOff",
                3,
                "Back-off restarting failed container",
            ),
            event("Normal", "Pulled", 2, "pulled"),
        ];
        found.add_events(&silent, &events);
        assert_eq!(
            found.suffix(),
            ": Unhealthy: Liveness probe failed; exit code 0"
        );
    }

    #[test]
    fn three_restarts_make_a_crash_loop_unless_a_process_ran_for_ten_minutes() {
        let since = |minute: &str| json!({ "running": { "startedAt": format!("2026-01-01T00:{minute}:00Z") } });
        let again = |state: &Value, restarts, ran_until: &str| {
            let mut last = ended(1, "Error", "");
            last["terminated"]["startedAt"] = json!("2026-01-01T00:00:00Z");
            last["terminated"]["finishedAt"] = json!(format!("2026-01-01T00:{ran_until}:00Z"));
            findings(with_states(state, &last, restarts)).crash_loop
        };
        let back_off = waiting("CrashLoopBackOff", None);
        let looping = Some("pay-1-a".to_owned());
        assert_eq!(again(&back_off, 2, "01"), None);
        assert_eq!(again(&back_off, 3, "01"), looping);
        assert_eq!(again(&back_off, 3, "10"), None);
        assert_eq!(again(&since("51"), 3, "01"), looping);
        assert_eq!(again(&since("49"), 3, "01"), None);
    }

    #[test]
    fn pods_of_an_older_template_do_not_count() {
        let of_template = |hash: &str, created: &str, code: i32| {
            let mut pod = with_states(&ended(code, "Error", ""), &json!({}), 5);
            pod.metadata.labels = Some([("pod-template-hash".to_owned(), hash.to_owned())].into());
            pod.metadata.creation_timestamp =
                serde_json::from_value(json!(format!("2026-01-01T00:00:0{created}Z"))).ok();
            pod
        };
        let mut pods = vec![of_template("old", "1", 1), of_template("new", "2", 2)];
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(PodFindings::of(&pods, now).suffix(), ": exit code 2");
        let status = pods[1].status.as_mut().unwrap();
        status.container_statuses = None;
        assert_eq!(PodFindings::of(&pods, now), PodFindings::default());
    }

    #[test]
    fn a_few_reasons_are_told_and_the_others_counted() {
        let pods = ["a", "b", "c", "d", "e"].map(refused);
        let suffix = PodFindings::of(&pods, Timestamp::UNIX_EPOCH).suffix();
        assert!(suffix.ends_with("Unschedulable: c; and 2 more"), "{suffix}");
    }

    #[test]
    fn a_pod_that_has_just_started_is_not_asked() {
        let running = |started_at: &str| {
            let state = json!({ "running": { "startedAt": started_at } });
            let mut pod = with_states(&state, &json!({}), 0);
            pod.status.as_mut().unwrap().pod_ip = Some("10.0.0.7".to_owned());
            findings(pod).running.len()
        };
        assert_eq!(running("2026-01-01T00:59:55Z"), 0);
        assert_eq!(running("2026-01-01T00:59:50Z"), 1);
    }

    #[test]
    fn a_pod_that_runs_says_itself_what_it_misses() {
        let mut running = with_states(&json!({ "running": {} }), &json!({}), 0);
        running.status.as_mut().unwrap().pod_ip = Some("10.0.0.7".to_owned());
        let mut findings = findings(running);
        assert_eq!(findings.running, ["10.0.0.7"]);
        assert_eq!(findings.suffix(), "");
        let missing = json!({ "started": "the log is unavailable: Kafka does not allow it" });
        findings.add_readiness(&json!({ "ok": false, "missing": missing }));
        assert_eq!(
            findings.suffix(),
            ": the log is unavailable: Kafka does not allow it"
        );
        findings
            .add_readiness(&json!({ "missing": { "started": STARTING, "ready": NOT_SERVING } }));
        findings.add_readiness(&json!("no answer of ours"));
        assert_eq!(findings.reasons.len(), 1);
    }

    #[test]
    fn a_container_that_runs_or_is_ready_has_nothing_to_tell() {
        let running = json!({ "running": {} });
        assert_eq!(
            findings(with_states(&running, &json!({}), 0)),
            PodFindings::default()
        );
        let mut ready = with_states(&running, &ended(1, "Error", "before"), 9);
        ready
            .status
            .as_mut()
            .unwrap()
            .container_statuses
            .as_mut()
            .unwrap()[0]
            .ready = true;
        assert_eq!(findings(ready), PodFindings::default());
    }
}
