//! What a store under test must offer to the cases, and the list of the cases.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_kit::store::Store;
use uuid::Uuid;

use crate::given::unpublished;

/// A database of its own for each test, which is deleted when the fixture is dropped.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// Opens the store in this database; several may be open at once where the backend allows it.
    async fn open(&self) -> Arc<dyn Store>;

    /// Ids of the events that were written and that nobody has published.
    async fn events(&self, store: &dyn Store) -> Vec<Uuid> {
        unpublished(store).await
    }

    /// Lets the database's time pass.
    async fn pass_time(&self, by: Duration);
}

/// How long a case may take before it counts as stuck.
pub const DEADLINE: Duration = Duration::from_mins(2);

/// Makes a test of every case for one kind of fixture; with `shared`, of those cases that also hold
/// for a store that shares its file and has no outbox.
macro_rules! conformance {
    ($fixture:ty) => {
        $crate::suite::conformance! { shared $fixture }
        $crate::suite::conformance! { $fixture:
            lifecycle::a_closed_store_refuses_work,
            writes::a_write_that_the_database_refuses_leaves_nothing,
            lifecycle::closing_finishes_what_was_accepted,
            outbox::a_parked_event_holds_its_saga_until_it_is_replayed,
            outbox::a_parked_event_that_is_discarded_is_gone_and_its_saga_goes_on,
            outbox::a_relay_that_lost_its_lease_while_sending_neither_gets_nor_frees_it,
            outbox::a_write_with_events_wakes_the_relay,
            outbox::an_event_that_another_relay_published_is_not_parked,
            outbox::events_of_a_saga_come_by_version_whatever_their_sequence,
            outbox::events_of_one_write_keep_their_order,
            outbox::of_two_relays_one_has_the_lease,
            outbox::pages_go_on_after_a_saga,
            outbox::published_events_do_not_come_again,
            outbox::writes_without_effect_on_the_outbox_do_not_wake_the_relay,
        }
    };
    (shared $fixture:ty) => {
        $crate::suite::conformance! { $fixture:
            claims::a_claim_changes_the_version_that_other_writers_know,
            claims::a_write_takes_and_releases_the_claim,
            claims::an_expired_claim_can_be_taken,
            claims::of_two_owners_one_claims_a_due_row,
            claims::the_oldest_rows_are_claimed_first,
            claims::young_rows_and_rows_in_another_state_are_not_due,
            dead_letters::a_dead_letter_is_found_by_its_id_and_keeps_its_latest_error,
            dead_letters::a_discarded_dead_letter_is_gone_and_its_event_has_no_effect_any_more,
            dead_letters::dead_letters_come_oldest_first_in_pages_of_a_kind,
            dead_letters::the_effect_of_an_event_and_the_end_of_its_dead_letter_are_one_write,
            dead_letters::the_same_dead_letter_again_is_stored_once,
            inbox::a_dead_letter_and_its_inbox_row_are_one_write,
            inbox::an_event_handled_by_two_at_once_has_one_effect,
            inbox::the_same_event_again_is_a_duplicate_without_effect,
            keys::a_key_of_which_two_make_use_is_taken_once,
            keys::a_settled_key_keeps_its_first_answer,
            keys::a_taken_key_refuses_the_write_without_effect,
            keys::settling_a_saga_without_a_key_does_nothing,
            keys::settling_records_the_answer,
            lifecycle::a_reopened_store_has_everything,
            lifecycle::an_open_store_answers_a_ping,
            lifecycle::ids_go_on_after_a_reopen,
            lifecycle::ids_start_at_one_and_grow,
            prune::pruning_deletes_more_than_one_batch,
            prune::pruning_takes_what_is_old_and_no_longer_needed,
            prune::what_is_young_or_still_needed_is_spared,
            rows::a_page_lists_rows_by_id_without_tombstones,
            rows::a_row_is_read_as_it_was_written,
            rows::a_row_that_is_not_there_is_not_found,
            steps::a_decision_is_taken_anew_when_another_writer_was_faster,
            steps::a_list_can_be_that_of_an_owner,
            steps::a_new_id_is_only_given_where_nothing_is_stored,
            steps::a_refused_step_changes_nothing,
            steps::a_second_key_that_is_taken_unseen_leaves_nothing,
            steps::a_step_that_changes_nothing_does_not_record_its_event,
            steps::of_64_writers_only_as_many_as_there_are_places_get_one,
            steps::of_two_rows_one_that_cannot_be_written_leaves_none,
            steps::of_two_writers_with_one_second_key_the_later_sees_the_row,
            steps::several_rows_of_a_saga_are_written_and_seen_together,
            writes::a_failing_write_leaves_its_neighbours,
            writes::a_tombstone_against_a_row_conflicts,
            writes::an_insert_against_a_tombstone_conflicts,
            writes::an_update_of_a_row_that_is_not_there_conflicts,
            writes::of_several_reasons_duplicate_comes_before_key_taken_before_conflict,
            writes::of_two_inserts_of_a_row_one_wins_and_the_other_leaves_nothing,
            writes::of_two_writers_at_one_version_one_wins_and_the_other_leaves_nothing,
        }
    };
    ($fixture:ty: $($file:ident::$case:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let fixture = <$fixture>::make();
                let case = $crate::cases::$file::$case(&fixture);
                tokio::time::timeout($crate::suite::DEADLINE, case)
                    .await
                    .expect("the case ends in time");
            }
        )*
    };
}
pub(crate) use conformance;
