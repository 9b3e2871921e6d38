//! The brokers of a topic.

use innkeeper_crds::EventTopic;

use crate::executor::ClusterDefaults;

/// The brokers of a topic: those that it names, else those of the installation.
pub fn bootstrap_servers<'a>(
    topic: &'a EventTopic,
    defaults: &'a ClusterDefaults,
) -> Option<&'a str> {
    let own = topic.spec.bootstrap_servers.as_deref();
    own.or(defaults.bootstrap_servers.as_deref())
}
