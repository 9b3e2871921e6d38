//! Whatever event of a booking is lost: no money stays with a booking that does not live, and none
//! is given back of one that does.

#[cfg(test)]
mod losing;
#[cfg(test)]
mod platform;

use innkeeper_contracts::EventType;
use innkeeper_contracts::settings::Capture;

use platform::{Bridge, Platform};

const ALL_ENDS: [EventType; 3] = [
    EventType::BOOKING_CANCELLED,
    EventType::BOOKING_EXPIRED,
    EventType::BOOKING_REJECTED,
];

#[tokio::test]
async fn a_lost_cancellation_gives_back_what_was_authorized_or_captured() {
    for (capture, held, given_back) in [
        (Capture::Manual, "authorized", "voided"),
        (Capture::Automatic, "captured", "refunded"),
    ] {
        let rentcar = Platform::that_loses(&ALL_ENDS, capture).await;
        let [lives, ends] = [rentcar.place().await, rentcar.place().await];
        rentcar.shows_payment(lives, held).await;
        rentcar.shows_payment(ends, held).await;
        rentcar.cancel(ends).await;

        rentcar.minutes_pass(11);

        rentcar.shows_payment(ends, given_back).await;
        rentcar.shows_payment(lives, held).await;
        rentcar.stop().await;
    }
}

#[tokio::test]
async fn a_booking_that_ended_before_the_payment_heard_of_it_is_asked_about_early() {
    let lost = [EventType::BOOKING_CONFIRMED, EventType::BOOKING_CANCELLED];
    let rentcar = Platform::that_loses(&lost, Capture::Manual).await;
    let ends = rentcar.place().await;
    rentcar.cancel(ends).await;

    rentcar.minutes_pass(2);

    rentcar.shows_payment(ends, "voided").await;
    rentcar.stop().await;
}

#[tokio::test]
async fn a_lost_confirmation_captures_the_money_later_and_voids_nothing() {
    let lost = [EventType::BOOKING_CONFIRMED];
    let rentcar = Platform::that_loses(&lost, Capture::Automatic).await;
    let lives = rentcar.place().await;
    rentcar.shows_payment(lives, "authorized").await;

    rentcar.minutes_pass(2);

    rentcar.shows_payment(lives, "captured").await;
    rentcar.stop().await;
}

#[tokio::test]
async fn a_lost_expiry_or_rejection_voids_what_was_authorized() {
    for (bridge, status, ended) in [
        (Bridge::LosesAnswers, 503, "expired"),
        (Bridge::SaysDeclined, 402, "rejected"),
    ] {
        let rentcar = Platform::that_loses(&ALL_ENDS, Capture::Automatic).await;
        rentcar.set_bridge(bridge);
        assert_eq!(rentcar.try_to_place().await.status, status);
        rentcar.shows_payment(1, "authorized").await;

        rentcar.minutes_pass(1);
        rentcar.shows_booking(1, ended).await;
        rentcar.minutes_pass(1);

        rentcar.shows_payment(1, "voided").await;
        rentcar.stop().await;
    }
}

#[tokio::test]
async fn nothing_is_given_back_while_a_booking_is_pending() {
    let mut rentcar = Platform::that_loses(&ALL_ENDS, Capture::Automatic).await;
    rentcar.allow_pending_for(10).await;
    rentcar.set_bridge(Bridge::LosesAnswers);
    assert_eq!(rentcar.try_to_place().await.status, 503);
    rentcar.authorize_unknown().await;

    rentcar.minutes_pass(2);
    rentcar.shows_payment(2, "voided").await;
    rentcar.shows_payment(1, "authorized").await;
    rentcar.minutes_pass(8);

    rentcar.shows_payment(1, "voided").await;
    rentcar.stop().await;
}

#[tokio::test]
async fn a_payment_of_an_unknown_booking_is_voided() {
    let rentcar = Platform::that_loses(&[], Capture::Automatic).await;
    rentcar.authorize_unknown().await;

    rentcar.minutes_pass(2);

    rentcar.shows_payment(1, "voided").await;
    rentcar.stop().await;
}

#[tokio::test]
async fn a_booking_service_that_gives_no_answer_is_asked_again() {
    let lost = [EventType::BOOKING_CONFIRMED, EventType::BOOKING_CANCELLED];
    let mut rentcar = Platform::that_loses(&lost, Capture::Manual).await;
    let [lives, ends] = [rentcar.place().await, rentcar.place().await];
    rentcar.cancel(ends).await;
    rentcar.stop_bookings().await;

    rentcar.minutes_pass(2);
    // The last question shows that none of the answers before was taken for an answer.
    let not_found = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
    for answer in ["", not_found, ""] {
        rentcar.answers_a_question(answer).await;
        rentcar.shows_payment(ends, "authorized").await;
        rentcar.minutes_pass(5);
    }
    rentcar.start_bookings().await;

    rentcar.shows_payment(ends, "voided").await;
    rentcar.shows_payment(lives, "authorized").await;
    rentcar.stop().await;
}

#[tokio::test]
async fn another_service_at_the_address_says_nothing_about_bookings() {
    let rentcar = Platform::that_loses(&[], Capture::Manual).await;
    assert_eq!(rentcar.ask("/default/rentcar/1/reservation").await, 200);
    for other in ["/default/rentcar/2/reservation", "/default/hotel/1/stay"] {
        assert_eq!(rentcar.ask(other).await, 421, "{other}");
    }
    rentcar.stop().await;
}
