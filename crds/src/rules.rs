//! The rules that the API server evaluates (CEL), each with its message for users.

use innkeeper_contracts::schema::Rule;
pub use innkeeper_contracts::schema::{
    A_PATH_IS_NO_ITEM, A_PATH_IS_NOT_SELF, NO_CONTROL_CHARACTERS,
};
pub use innkeeper_contracts::settings::CREDENTIALS_NEED_NAMES;
pub use innkeeper_contracts::words::{
    MIN_LENGTH_IS_NOT_ABOVE_MAX_LENGTH, ONLY_A_STRING_HAS_A_MIN_LENGTH,
};

/// A service has exactly one component.
pub const ONE_COMPONENT: Rule = (
    "[has(self.gateway), has(self.booking), has(self.payment), has(self.fulfillment), has(self.view)].filter(x, x).size() == 1",
    "say what the service is: exactly one of gateway, booking, payment, fulfillment or view",
);

/// Every service but a gateway has a path.
pub const A_RESOURCE_HAS_A_PATH: Rule = (
    "has(self.gateway) || has(self.path)",
    "say the path of its resource, such as path: /reservations",
);

/// A gateway has no path of its own.
pub const A_GATEWAY_HAS_NO_PATH: Rule = (
    "!has(self.gateway) || (!has(self.path) && !has(self.aliases))",
    "a gateway has no path: it routes those of the other services",
);

/// A gateway keeps no rows.
pub const A_GATEWAY_KEEPS_NO_ROWS: Rule = (
    "!has(self.gateway) || !has(self.database)",
    "a gateway keeps no rows: remove database",
);

/// Every resolved service except a gateway has a path. The rule must also work for the service of
/// an earlier release, which has no settings: if a rule cannot be evaluated, the API server refuses
/// the status of the object, too.
pub const A_RESOLVED_RESOURCE_HAS_A_PATH: Rule = (
    "!has(self.settings) || has(self.settings.component.gateway) || has(self.settings.path)",
    A_RESOURCE_HAS_A_PATH.1,
);

/// A resolved gateway has no path of its own.
pub const A_RESOLVED_GATEWAY_HAS_NO_PATH: Rule = (
    "!has(self.settings) || !has(self.settings.component.gateway) || (!has(self.settings.path) && !has(self.settings.aliases))",
    A_GATEWAY_HAS_NO_PATH.1,
);

/// A resolved gateway keeps no rows.
pub const A_RESOLVED_GATEWAY_KEEPS_NO_ROWS: Rule = (
    "!has(self.settings) || !has(self.settings.component.gateway) || !has(self.settings.database)",
    A_GATEWAY_KEEPS_NO_ROWS.1,
);

/// A process gets its credentials for PostgreSQL from a Secret.
pub const A_POSTGRES_DATABASE_HAS_A_SECRET: Rule = (
    "!has(self.settings) || has(self.databaseSecret) == (has(self.settings.database) && has(self.settings.database.postgres))",
    "name the Secret of a postgres database as databaseSecret, and none without such a database",
);

/// The number of replicas is either fixed or chosen by the autoscaler.
pub const REPLICAS_OR_AUTOSCALING: Rule = (
    "!has(self.replicas) || !has(self.autoscaling)",
    "say either replicas or autoscaling",
);

/// SQLite has only one writer, so there is only one replica.
pub const SQLITE_HAS_ONE_REPLICA: Rule = (
    "!has(self.database) || !has(self.database.sqlite) || !has(self.replicas) || self.replicas <= 1",
    "SQLite serves one replica: set replicas to 1, or use postgres",
);

/// SQLite cannot be scaled.
pub const SQLITE_IS_NOT_SCALED: Rule = (
    "!has(self.database) || !has(self.database.sqlite) || !has(self.autoscaling)",
    "SQLite serves one replica: remove autoscaling, or use postgres",
);

/// A resolved service with SQLite has only one replica.
pub const RESOLVED_SQLITE_HAS_ONE_REPLICA: Rule = (
    "!has(self.settings) || !has(self.settings.database) || !has(self.settings.database.sqlite) || !has(self.replicas) || self.replicas <= 1",
    SQLITE_HAS_ONE_REPLICA.1,
);

/// A resolved service with SQLite cannot be scaled.
pub const RESOLVED_SQLITE_IS_NOT_SCALED: Rule = (
    "!has(self.settings) || !has(self.settings.database) || !has(self.settings.database.sqlite) || !has(self.autoscaling)",
    SQLITE_IS_NOT_SCALED.1,
);

/// Services that use the platform's SQLite cannot be scaled either.
pub const SHARED_SQLITE_IS_NOT_SCALED: Rule = (
    "!has(self.database) || !has(self.database.sqlite) || self.services.all(s, has(s.gateway) || has(s.database) || (!has(s.autoscaling) && (!has(s.replicas) || s.replicas <= 1)))",
    "SQLite serves one replica: remove autoscaling and replicas from the services, or use postgres",
);

/// A path belongs to one service only.
pub const PATHS_ARE_UNIQUE: Rule = (
    "self.services.all(s, !has(s.path) || self.services.exists_one(t, has(t.path) && t.path == s.path))",
    "two services have one path: give one of them another",
);

/// An alias belongs to one service only.
pub const ALIASES_ARE_UNIQUE: Rule = (
    "self.services.all(s, !has(s.aliases) || [has(s.aliases.create) ? s.aliases.create : '', has(s.aliases.list) ? s.aliases.list : '', has(s.aliases.update) ? s.aliases.update : ''].all(p, p == '' || self.services.all(t, t.name == s.name || ((!has(t.path) || t.path != p) && (!has(t.aliases) || ((!has(t.aliases.create) || t.aliases.create != p) && (!has(t.aliases.list) || t.aliases.list != p) && (!has(t.aliases.update) || t.aliases.update != p)))))))",
    "an alias is also the path or an alias of another service: give one of them another",
);

/// A port in `innkeeper dev` belongs to one service only.
pub const DEV_PORTS_ARE_UNIQUE: Rule = (
    "self.services.all(s, !has(s.dev) || !has(s.dev.port) || self.services.exists_one(t, has(t.dev) && has(t.dev.port) && t.dev.port == s.dev.port))",
    "two services have one dev.port: give one of them another",
);

/// Every call leads to a service of the platform.
pub const CALLS_LEAD_SOMEWHERE: Rule = (
    "self.services.all(s, !has(s.calls) || s.calls.all(c, self.services.exists(t, t.name == c.service)))",
    "a call leads nowhere: calls must name services of this platform",
);

/// Bookings are paid by a payment service of the platform.
pub const BOOKINGS_ARE_PAID: Rule = (
    "self.services.all(s, !has(s.booking) || !has(s.booking.payment) || self.services.exists(t, has(t.payment) && t.name == s.booking.payment.service))",
    "a booking is paid nowhere: booking.payment.service must name a service with a payment block",
);

/// Every payment service serves at least one booking service.
pub const PAYMENTS_ARE_USED: Rule = (
    "self.services.all(s, !has(s.payment) || self.services.exists(t, has(t.booking) && has(t.booking.payment) && t.booking.payment.service == s.name))",
    "no booking is paid by one of the payment services: name it as payment.service of a booking, or remove it",
);

/// Every fulfillment service can be started by a payment service.
pub const FULFILLMENTS_CAN_START: Rule = (
    "!self.services.exists(s, has(s.fulfillment)) || self.services.exists(s, has(s.payment))",
    "no payment would ever start the fulfillment: add a service with a payment block",
);

/// A probe's attempts do not overlap.
pub const AN_ATTEMPT_ENDS_IN_TIME: Rule = (
    "!has(self.timeoutSeconds) || !has(self.periodSeconds) || self.timeoutSeconds <= self.periodSeconds",
    "timeoutSeconds must not be above periodSeconds: an attempt must end before the next begins",
);

/// Only what is paid later has a time in which to pay it.
pub const ONLY_WHAT_IS_PAID_LATER_HAS_A_TIME: Rule = (
    "!has(self.payWithin) || (has(self.when) && self.when == 'Later')",
    "what is paid on placement needs no payWithin: remove it, or set when to Later",
);

/// The time to pay is a second at least and 30 days at most.
pub const A_SECOND_TO_30_DAYS: Rule = (
    "duration(self) >= duration('1s') && duration(self) <= duration('720h')",
    "say from 1s to 720h, which are 30 days",
);

/// No duration is longer than an hour.
pub const AN_HOUR_AT_MOST: Rule = ("duration(self) <= duration('1h')", "say at most 1h");

/// The name of a platform is short, because it is part of many other names.
pub const A_PLATFORM_HAS_A_SHORT_NAME: Rule = (
    "size(self.metadata.name) <= 40 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    "the platform's name must have at most 40 lower-case letters, digits and hyphens, and begin with a letter",
);

/// A platform's topic keeps its name. A name that was left out stays left out.
pub const A_PLATFORM_KEEPS_ITS_TOPIC: Rule = (
    "(has(self.spec.messaging) && has(self.spec.messaging.topic) && has(self.spec.messaging.topic.name) ? self.spec.messaging.topic.name : '') == (has(oldSelf.spec.messaging) && has(oldSelf.spec.messaging.topic) && has(oldSelf.spec.messaging.topic.name) ? oldSelf.spec.messaging.topic.name : '')",
    "a topic cannot be renamed, since its records would stay behind: leave messaging.topic.name as it was, also where it was left out",
);

/// The topic of a platform must not get fewer partitions.
pub const A_PLATFORMS_TOPIC_DOES_NOT_SHRINK: Rule = (
    "(has(self.spec.messaging) && has(self.spec.messaging.topic) && has(self.spec.messaging.topic.partitions) ? self.spec.messaging.topic.partitions : 12) >= (has(oldSelf.spec.messaging) && has(oldSelf.spec.messaging.topic) && has(oldSelf.spec.messaging.topic.partitions) ? oldSelf.spec.messaging.topic.partitions : 12)",
    "a topic cannot lose partitions: put the old messaging.topic.partitions back",
);

/// The topic of a platform must not get more partitions.
pub const A_PLATFORMS_TOPIC_DOES_NOT_GROW: Rule = (
    "(has(self.spec.messaging) && has(self.spec.messaging.topic) && has(self.spec.messaging.topic.partitions) ? self.spec.messaging.topic.partitions : 12) <= (has(oldSelf.spec.messaging) && has(oldSelf.spec.messaging.topic) && has(oldSelf.spec.messaging.topic.partitions) ? oldSelf.spec.messaging.topic.partitions : 12)",
    "a platform's own topic cannot grow, since keys would move to other partitions: put the old messaging.topic.partitions back",
);

/// A topic keeps its name.
pub const A_TOPIC_KEEPS_ITS_NAME: Rule = (
    "self.topicName == oldSelf.topicName",
    "a topic cannot be renamed, since its records would stay behind: put the old topicName back",
);

/// A topic must not get fewer partitions.
pub const A_TOPIC_DOES_NOT_SHRINK: Rule = (
    "self.partitions >= oldSelf.partitions",
    "a topic cannot lose partitions: put the old number back",
);

/// The EventTopic of a platform must not get more partitions.
pub const A_PLATFORMS_OWN_TOPIC_DOES_NOT_GROW: Rule = (
    "!has(self.platform) || self.partitions <= oldSelf.partitions",
    "a platform's own topic cannot grow, since keys would move to other partitions: put the old number back",
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_topic::DEFAULT_PARTITIONS;

    #[test]
    fn a_number_of_partitions_that_was_left_out_is_the_default() {
        let left_out = format!(": {DEFAULT_PARTITIONS})");
        for (rule, _) in [
            A_PLATFORMS_TOPIC_DOES_NOT_SHRINK,
            A_PLATFORMS_TOPIC_DOES_NOT_GROW,
        ] {
            assert_eq!(rule.matches(&left_out).count(), 2, "{rule}");
        }
    }
}
