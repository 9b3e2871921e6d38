//! The cases of the table of refusals.

use super::{Case, Refuser};
use crate::rules;

const FIRST: &str = "  services:\n";

const fn case(
    name: &'static str,
    edits: &'static [(&'static str, &'static str)],
    refused_by: Refuser,
    field_path: &'static str,
    message: &'static str,
) -> Case {
    Case {
        name,
        edits,
        update: false,
        refused_by,
        field_path,
        message,
        kubectl: None,
    }
}

/// A case in which the change is refused although its result would be accepted.
const fn update(
    name: &'static str,
    edits: &'static [(&'static str, &'static str)],
    message: &'static str,
) -> Case {
    Case {
        update: true,
        ..case(name, edits, Refuser::Cel, "", message)
    }
}

impl Case {
    const fn to_kubectl(self, message: &'static str) -> Self {
        Self {
            kubectl: Some(message),
            ..self
        }
    }
}

/// Every case of the table.
pub const CASES: &[Case] = &[
    case(
        "a service is nothing",
        &[(FIRST, "  services:\n    - { name: extra, path: /extra }\n")],
        Refuser::Cel,
        "spec.services[0]",
        rules::ONE_COMPONENT.1,
    ),
    case(
        "a service is two things",
        &[(FIRST, "  services:\n    - { name: extra, path: /extra, booking: {}, fulfillment: {} }\n")],
        Refuser::Cel,
        "spec.services[0]",
        rules::ONE_COMPONENT.1,
    ),
    case(
        "a component block is begun and left empty",
        &[("gateway: { serviceType: ClusterIP }", "gateway:")],
        Refuser::Cel,
        "spec.services[0]",
        rules::ONE_COMPONENT.1,
    ),
    case(
        "a field is unknown",
        &[("capture: Manual", "colour: red")],
        Refuser::Parser,
        "spec.services[2].payment.colour",
        "unknown field \"spec.services[2].payment.colour\"",
    ),
    case(
        "a choice is unknown",
        &[("when: OnPlacement", "when: Sometimes")],
        Refuser::Schema,
        "spec.services[1].booking.payment.when",
        "Unsupported value: \"Sometimes\": supported values: \"OnPlacement\", \"Later\"",
    ),
    case(
        "a disruption budget is of an unknown kind",
        &[("      path: /pays\n", "      path: /pays\n      disruptionBudget: TwoAtATime\n")],
        Refuser::Schema,
        "spec.services[2].disruptionBudget",
        "Unsupported value: \"TwoAtATime\": supported values: \"OneAtATime\", \"None\"",
    ),
    case(
        "SQLite has several replicas",
        &[("      path: /pays\n", "      path: /pays\n      database: { sqlite: {} }\n      replicas: 3\n")],
        Refuser::Cel,
        "spec.services[2]",
        rules::SQLITE_HAS_ONE_REPLICA.1,
    ),
    case(
        "SQLite is scaled",
        &[("      path: /myReservations\n", "      path: /myReservations\n      database: { sqlite: {} }\n")],
        Refuser::Cel,
        "spec.services[4]",
        rules::SQLITE_IS_NOT_SCALED.1,
    ),
    case(
        "the platform's SQLite is scaled",
        &[(FIRST, "  database: { sqlite: {} }\n  services:\n")],
        Refuser::Cel,
        "spec",
        rules::SHARED_SQLITE_IS_NOT_SCALED.1,
    ),
    case(
        "SQLite is on a cluster, before volumes exist",
        &[("      path: /pays\n", "      path: /pays\n      database: { sqlite: {} }\n")],
        Refuser::Validate,
        "spec.services[2].database.sqlite",
        "SQLite on a cluster needs volumes, which Innkeeper does not have yet: use postgres, or leave database out to take the installation's",
    ),
    case(
        "two databases are named",
        &[("      path: /pays\n", "      path: /pays\n      database: { sqlite: {}, postgres: { host: db, secretRef: { name: db } } }\n")],
        Refuser::Cel,
        "spec.services[2].database",
        "say either sqlite or postgres",
    ),
    case(
        "replicas and autoscaling are both there",
        &[("      path: /myReservations\n", "      path: /myReservations\n      replicas: 2\n")],
        Refuser::Cel,
        "spec.services[4]",
        rules::REPLICAS_OR_AUTOSCALING.1,
    ),
    case(
        "the least is above the most",
        &[("minReplicas: 1,", "minReplicas: 11,")],
        Refuser::Cel,
        "spec.services[4].autoscaling",
        "minReplicas must not be above maxReplicas",
    ),
    case(
        "an attribute's least is above its most",
        &[("minimum: 1 }", "minimum: 1, maximum: 0 }")],
        Refuser::Cel,
        "spec.services[1].booking.attributes[1]",
        "minimum must not be above maximum",
    ),
    case(
        "an attribute's shortest is above its longest",
        &[("maxLength: 20 }", "minLength: 21, maxLength: 20 }")],
        Refuser::Cel,
        "spec.services[1].booking.attributes[0]",
        rules::MIN_LENGTH_IS_NOT_ABOVE_MAX_LENGTH.1,
    ),
    case(
        "an attribute's shortest is above what its longest is unless it says so",
        &[("maxLength: 20 }", "minLength: 257 }")],
        Refuser::Cel,
        "spec.services[1].booking.attributes[0]",
        rules::MIN_LENGTH_IS_NOT_ABOVE_MAX_LENGTH.1,
    ),
    case(
        "a whole number has a length",
        &[("minimum: 1 }", "minLength: 1 }")],
        Refuser::Cel,
        "spec.services[1].booking.attributes[1]",
        rules::ONLY_A_STRING_HAS_A_MIN_LENGTH.1,
    ),
    case(
        "a shortest text has no characters",
        &[("maxLength: 20 }", "minLength: 0 }")],
        Refuser::Schema,
        "spec.services[1].booking.attributes[0].minLength",
        "spec.services[1].booking.attributes[0].minLength in body should be greater than or equal to 1",
    ),
    case(
        "the image is older than a field",
        &[
            ("  currency: KRW\n", "  currency: KRW\n  image: innkeeper.dev/innkeeper:0.0.9\n"),
            ("maxLength: 20 }", "minLength: 9 }"),
        ],
        Refuser::Validate,
        "spec.services[1].booking.attributes[0].minLength",
        "the image innkeeper.dev/innkeeper:0.0.9 does not know minLength, which came with 0.2.0: set spec.image to ",
    ),
    case(
        "the image does not say whether it is older than a field",
        &[
            ("  currency: KRW\n", "  currency: KRW\n  image: innkeeper.dev/innkeeper:old\n"),
            ("maxLength: 20 }", "minLength: 9 }"),
        ],
        Refuser::Validate,
        "spec.services[1].booking.attributes[0].minLength",
        "the image innkeeper.dev/innkeeper:old has no tag that names its release, and may not know minLength, which came with 0.2.0: set spec.image to ",
    ),
    case(
        "two services have one name",
        &[("name: rent\n", "name: pay\n")],
        Refuser::Schema,
        "spec.services[3]",
        "Duplicate value: {\"name\":\"pay\"}",
    ),
    case(
        "two services have one path",
        &[("path: /rents", "path: /pays")],
        Refuser::Cel,
        "spec",
        rules::PATHS_ARE_UNIQUE.1,
    ),
    case(
        "an alias is another service's path",
        &[("      path: /rents\n", "      path: /rents\n      aliases: { list: /pays }\n")],
        Refuser::Cel,
        "spec",
        rules::ALIASES_ARE_UNIQUE.1,
    ),
    case(
        "two services have one alias",
        &[
            ("      path: /rents\n", "      path: /rents\n      aliases: { list: /all }\n"),
            ("      path: /pays\n", "      path: /pays\n      aliases: { update: /all }\n"),
        ],
        Refuser::Cel,
        "spec",
        rules::ALIASES_ARE_UNIQUE.1,
    ),
    case(
        "one service has one alias twice",
        &[("      path: /rents\n", "      path: /rents\n      aliases: { list: /all, update: /all }\n")],
        Refuser::Validate,
        "spec.services[3].aliases.update",
        "the path /all is taken by spec.services[3].aliases.list: choose another",
    ),
    case(
        "two services have one dev port",
        &[("port: 8083", "port: 8082")],
        Refuser::Cel,
        "spec",
        rules::DEV_PORTS_ARE_UNIQUE.1,
    ),
    case(
        "a service has no path",
        &[("      path: /rents\n", "")],
        Refuser::Cel,
        "spec.services[3]",
        rules::A_RESOURCE_HAS_A_PATH.1,
    ),
    case(
        "a gateway has a path",
        &[("gateway: { serviceType: ClusterIP }", "path: /all\n      gateway: {}")],
        Refuser::Cel,
        "spec.services[0]",
        rules::A_GATEWAY_HAS_NO_PATH.1,
    ),
    case(
        "a gateway has a database",
        &[("gateway: { serviceType: ClusterIP }", "database: { sqlite: {} }\n      gateway: {}")],
        Refuser::Cel,
        "spec.services[0]",
        rules::A_GATEWAY_KEEPS_NO_ROWS.1,
    ),
    case(
        "a call leads nowhere",
        &[("[{ service: pay, timeout: 610ms }]", "[{ service: bank, timeout: 610ms }]")],
        Refuser::Cel,
        "spec",
        rules::CALLS_LEAD_SOMEWHERE.1,
    ),
    case(
        "a service calls itself",
        &[(
            "[{ service: pay, timeout: 610ms }]",
            "[{ service: reservation, timeout: 610ms }]",
        )],
        Refuser::Validate,
        "spec.services[1].calls[0].service",
        "a service cannot call itself: remove the call",
    ),
    case(
        "calls go round in a circle",
        &[("      path: /pays\n", "      path: /pays\n      calls: [{ service: reservation }]\n")],
        Refuser::Validate,
        "spec.services",
        "go round in a circle, so that none could start first: remove one",
    ),
    case(
        "a time limit is no duration",
        &[("timeout: 610ms", "timeout: soon")],
        Refuser::Schema,
        "spec.services[1].calls[0].timeout",
        "spec.services[1].calls[0].timeout in body should match '^[0-9]{1,7}(ms|s|m|h)$'",
    ),
    case(
        "a time limit is too long",
        &[("timeout: 610ms", "timeout: 61m")],
        Refuser::Cel,
        "spec.services[1].calls[0].timeout",
        rules::AN_HOUR_AT_MOST.1,
    ),
    case(
        "a call has no time",
        &[("timeout: 610ms", "timeout: 0s")],
        Refuser::Validate,
        "spec.services[1].calls[0].timeout",
        "a call needs some time: say at least 1ms",
    ),
    case(
        "a column shows a service that does not exist",
        &[("from: rent.id", "from: car.id")],
        Refuser::Validate,
        "spec.services[4].view.columns[2].from",
        "there is no service car: name one of gateway, reservation, pay, rent, myreservation",
    ),
    case(
        "a column shows a field that does not exist",
        &[("from: reservation.price", "from: reservation.cost")],
        Refuser::Validate,
        "spec.services[4].view.columns[7].from",
        "the service reservation has no field cost: take one of id, userName, carId, itemName, quantity, price, currency, status, userHp, period",
    ),
    case(
        "a column shows the latest of a field that does not exist",
        &[("pay.status, rent.status", "pay.state, rent.status")],
        Refuser::Validate,
        "spec.services[4].view.columns[8].latestOf[1]",
        "the service pay has no field state: take one of id, reservationId, userName, carId, price, status, userHp, period",
    ),
    case(
        "a required field does not exist",
        &[("required: [userName, carId]", "required: [userName, bookId]")],
        Refuser::Validate,
        "spec.services[1].booking.required[1]",
        "there is no field bookId: name one of userName, carId, itemName, quantity, price, currency, userHp, period",
    ),
    case(
        "a currency is required that the platform does not have",
        &[
            ("  currency: KRW\n", ""),
            ("required: [userName, carId]", "required: [userName, currency]"),
        ],
        Refuser::Validate,
        "spec.services[1].booking.required[1]",
        "the platform has no currency, so that a request cannot have one either: set spec.currency, or remove currency",
    ),
    case(
        "a currency is required by its word that the platform does not have",
        &[
            ("  currency: KRW\n", ""),
            ("item: carId, amount: price }\n        attributes:\n          - { name: userHp, type: String, maxLength: 20 }", "item: carId, currency: won }\n        attributes:\n          - { name: userHp, type: String, maxLength: 20 }"),
            ("from: reservation.price", "from: reservation.amount"),
            ("required: [userName, carId]", "required: [won]"),
        ],
        Refuser::Validate,
        "spec.services[1].booking.required[0]",
        "the platform has no currency, so that a request cannot have one either: set spec.currency, or remove won",
    ),
    case(
        "a field is required by a name that has another word",
        &[("required: [userName, carId]", "required: [userName, item]")],
        Refuser::Validate,
        "spec.services[1].booking.required[1]",
        "there is no field item: name one of userName, carId, itemName, quantity, price, currency, userHp, period",
    ),
    case(
        "the row's own id is required",
        &[("required: [userName, carId]", "required: [id]")],
        Refuser::Validate,
        "spec.services[1].booking.required[0]",
        "there is no field id: name one of userName, carId, itemName, quantity, price, currency, userHp, period",
    ),
    case(
        "the status is required",
        &[("required: [userName, carId]", "required: [status]")],
        Refuser::Validate,
        "spec.services[1].booking.required[0]",
        "there is no field status: name one of userName, carId, itemName, quantity, price, currency, userHp, period",
    ),
    case(
        "an attribute comes from one that does not exist",
        &[("- { name: userHp, type: String }", "- { name: userHp, type: String, from: phone }")],
        Refuser::Validate,
        "spec.services[2].payment.attributes[0].from",
        "no booking has an attribute phone: take one of period, userHp with from",
    ),
    case(
        "one word stands for two fields",
        &[("customer: userName, item: carId, amount: price }\n        attributes:\n          - { name: userHp, type: String, maxLength: 20 }", "customer: carId, item: carId, amount: price }\n        attributes:\n          - { name: userHp, type: String, maxLength: 20 }")],
        Refuser::Validate,
        "spec.services[1].booking.fields.item",
        "the word carId already stands for the field customer: give one of them another",
    ),
    case(
        "one word stands for a field and an attribute",
        &[("- { name: userHp, type: String, maxLength: 20 }", "- { name: price, type: String }")],
        Refuser::Validate,
        "spec.services[1].booking.attributes[0].name",
        "the word price already stands for the field amount: give one of them another",
    ),
    case(
        "a resource's own id has a second name",
        &[("{ booking: reservationId, customer:", "{ payment: payId, customer:")],
        Refuser::Validate,
        "spec.services[2].payment.fields.payment",
        "the resource's own id is always called id: remove this name",
    ),
    case(
        "a booking is paid by nobody",
        &[("payment: { service: pay,", "payment: { service: rent,")],
        Refuser::Cel,
        "spec",
        rules::BOOKINGS_ARE_PAID.1,
    ),
    case(
        "a payment serves nobody",
        &[("        payment: { service: pay, when: OnPlacement }\n", "")],
        Refuser::Cel,
        "spec",
        rules::PAYMENTS_ARE_USED.1,
    ),
    case(
        "a probe's attempt outlasts its period",
        &[("      path: /pays\n", "      path: /pays\n      probes: { readiness: { periodSeconds: 2, timeoutSeconds: 3 } }\n")],
        Refuser::Cel,
        "spec.services[2].probes.readiness",
        rules::AN_ATTEMPT_ENDS_IN_TIME.1,
    ),
    case(
        "a liveness probe must succeed twice",
        &[("      path: /pays\n", "      path: /pays\n      probes: { liveness: { successThreshold: 2 } }\n")],
        Refuser::Cel,
        "spec.services[2].probes",
        "successThreshold of the liveness probe must be 1; leave it out",
    ),
    case(
        "a probe never comes",
        &[("      path: /pays\n", "      path: /pays\n      probes: { liveness: { periodSeconds: 0 } }\n")],
        Refuser::Schema,
        "spec.services[2].probes.liveness.periodSeconds",
        "spec.services[2].probes.liveness.periodSeconds in body should be greater than or equal to 1",
    ),
    case(
        "no pod may come first",
        &[("      path: /pays\n", "      path: /pays\n      rollout: { surge: 0 }\n")],
        Refuser::Schema,
        "spec.services[2].rollout.surge",
        "spec.services[2].rollout.surge in body should be greater than or equal to 1",
    ),
    case(
        "no share of pods may come first",
        &[("      path: /pays\n", "      path: /pays\n      rollout: { surge: 0% }\n")],
        Refuser::Schema,
        "spec.services[2].rollout.surge",
        "spec.services[2].rollout.surge in body should match '^([1-9][0-9]?|100)%?$'",
    ),
    case(
        "more than twice the pods may run",
        &[("      path: /pays\n", "      path: /pays\n      rollout: { surge: 101 }\n")],
        Refuser::Schema,
        "spec.services[2].rollout.surge",
        "spec.services[2].rollout.surge in body should be less than or equal to 100",
    ),
    case(
        "less than nothing is requested",
        &[("requests: { cpu: 200m }", "requests: { cpu: -1 }")],
        Refuser::Schema,
        "spec.services[4].resources.requests.cpu",
        "spec.services[4].resources.requests.cpu in body should be greater than or equal to 0",
    ),
    case(
        "more is requested than allowed",
        &[("requests: { cpu: 200m }", "requests: { cpu: 600m }")],
        Refuser::Validate,
        "spec.services[4].resources.requests.cpu",
        "a pod cannot request 600m and be limited to 500m: lower the request or raise the limit",
    ),
    case(
        "a variable has no name that a shell could use",
        &[("env: { PROFILE: docker }", "env: { 2PROFILE=: docker }")],
        Refuser::Validate,
        "spec.services[4].config.env",
        "2PROFILE= cannot name an environment variable: use letters, digits and underscores, and begin with a letter or an underscore",
    ),
    case(
        "a Kafka setting is unknown",
        &[(FIRST, "  messaging: { topic: { config: { retention.hours: 1 } } }\n  services:\n")],
        Refuser::Parser,
        "spec.messaging.topic.config.retention.hours",
        "unknown field \"spec.messaging.topic.config.retention.hours\"",
    ),
    case(
        "gzip has no such level",
        &[(FIRST, "  messaging: { topic: { config: { compression.gzip.level: 0 } } }\n  services:\n")],
        Refuser::Schema,
        "spec.messaging.topic.config.compression.gzip.level",
        "Unsupported value: 0: supported values: \"-1\", \"1\"",
    ),
    case(
        "a platform's topic keeps records for longer than its services remember",
        &[(FIRST, "  messaging: { topic: { config: { retention.ms: -1 } } }\n  services:\n")],
        Refuser::Validate,
        "spec.messaging.topic.config.retention.ms",
        "set at most 2592000000 (30 days)",
    ),
    case(
        "a platform's topic is compacted",
        &[(FIRST, "  messaging: { topic: { config: { cleanup.policy: compact } } }\n  services:\n")],
        Refuser::Validate,
        "spec.messaging.topic.config.cleanup.policy",
        "compaction would leave the newest alone: use delete",
    ),
    case(
        "the platform's name is too long",
        &[("name: rentcar\n", "name: rentcar-for-the-whole-of-the-northern-hemisphere\n")],
        Refuser::Cel,
        "",
        rules::A_PLATFORM_HAS_A_SHORT_NAME.1,
    ),
    case(
        "a bare word is a boolean to YAML 1.1",
        &[("env: { PROFILE: docker }", "env: { PROFILE: on }")],
        Refuser::Parser,
        "spec.services[4].config.env.PROFILE",
        "the bare value on is a boolean or a directive to YAML 1.1, which kubectl follows: put it in quotes, or write it plainly",
    )
    .to_kubectl("spec.services[4].config.env.PROFILE in body must be of type string: \"boolean\""),
    case(
        "a bare number is octal to YAML 1.1",
        &[("env: { PROFILE: docker }", "env: { PROFILE: 010 }")],
        Refuser::Parser,
        "spec.services[4].config.env.PROFILE",
        "the bare value *** is a number to YAML 1.1, which kubectl follows: put it in quotes, or write it plainly",
    )
    .to_kubectl("spec.services[4].config.env.PROFILE in body must be of type string: \"integer\""),
    update(
        "a topic is renamed",
        &[(FIRST, "  messaging: { topic: { name: cars } }\n  services:\n")],
        rules::A_PLATFORM_KEEPS_ITS_TOPIC.1,
    ),
    update(
        "a topic loses partitions",
        &[(FIRST, "  messaging: { topic: { partitions: 6 } }\n  services:\n")],
        rules::A_PLATFORMS_TOPIC_DOES_NOT_SHRINK.1,
    ),
    update(
        "a platform's own topic grows",
        &[(FIRST, "  messaging: { topic: { partitions: 24 } }\n  services:\n")],
        rules::A_PLATFORMS_TOPIC_DOES_NOT_GROW.1,
    ),
];
