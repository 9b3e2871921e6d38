//! The unchanged example is applied, used, scaled, partly switched off, deleted and applied again.

mod booking;
mod outage;
mod scaling;

use innkeeper_e2e::claims;
use innkeeper_e2e::lanes::Lane;
use innkeeper_e2e::namespace::Namespace;

const RENTCAR: Namespace = Namespace("rentcar");

fn topic_name() -> String {
    RENTCAR.topic("rentcar")
}

pub fn lane() -> Lane {
    Lane {
        name: "rentcar",
        namespaces: &["rentcar"],
        claims: claims![
            booking::the_example_becomes_ready,
            booking::events_tell_how_it_went,
            booking::a_reservation_is_paid_and_cancelled_through_the_gateway,
            booking::its_records_are_in_kafka,
            booking::its_rows_are_in_the_database,
            booking::a_value_of_the_file_is_in_force_in_the_pod,
            booking::probes_are_as_rendered,
            booking::a_change_that_is_wrong_is_refused,
            scaling::under_load_pods_are_added,
            scaling::an_edit_keeps_the_pods_that_the_autoscaler_holds,
            scaling::without_load_pods_are_taken_away,
            outage::a_service_without_replicas_is_off_and_its_callers_say_so,
            outage::a_reservation_is_settled_once_when_it_is_back,
            outage::what_is_deleted_leaves_the_topic_and_the_rows,
            outage::what_is_applied_again_goes_on_where_it_was,
        ],
    }
}
