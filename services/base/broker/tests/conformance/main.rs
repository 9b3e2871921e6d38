//! One conformance suite for every log, and tests that are specific to each. The Kafka cases need
//! the feature `services` and a broker whose `host:port` is in `INNKEEPER_TEST_KAFKA`.

#[cfg(test)]
mod cases;
#[cfg(test)]
#[cfg(feature = "services")]
mod kafka;
#[cfg(test)]
mod kafka_mock;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod platform_file;
#[cfg(test)]
mod reader;
#[cfg(test)]
mod sqlite;
#[cfg(test)]
mod subject;

/// Runs every case against a new subject, and takes the subject down even if the case fails.
macro_rules! conformance {
    ($subject:expr) => {
        conformance!(@ $subject;
            a_new_group_starts_at_the_earliest,
            groups_do_not_share_records,
            keys_keep_their_order_with_concurrent_appenders,
            members_rebalance_under_traffic_without_loss,
            a_death_between_effect_and_offset_redelivers,
            a_late_done_never_moves_the_group_back,
            a_repeated_id_can_be_told,
            a_large_append_is_taken_whole,
            a_record_that_is_refused_stops_only_the_later_ones_of_its_key,
            a_poison_message_stops_nothing,
            what_retention_overtook_is_counted,
            next_is_safe_to_drop,
            close_commits_what_is_done,
            lag_counts_what_is_not_done,
            a_log_that_works_answers_a_ping,
        );
    };
    (@ $subject:expr; $($case:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                crate::subject::check($subject, async |subject| crate::cases::$case(subject).await).await;
            }
        )+
    };
}
use conformance;
