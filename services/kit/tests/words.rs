//! A platform's words, read and shown.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its fixtures too"
)]

use innkeeper_contracts::{Attribute, AttributeType, Event, EventType, Field, Snapshot, Words};
use innkeeper_kit::label::{self, Asked};
use innkeeper_kit::show::{self, Shown};
use innkeeper_kit::{Entity, Rejection, State, request};
use serde_json::{Map, Value, json};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Lamp {
    Off,
    Low,
    High,
}

impl State for Lamp {
    const AGGREGATE: &'static str = "lamp";
    const ALL: &'static [Self] = &[Self::Off, Self::Low, Self::High];

    fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Low => "low",
            Self::High => "high",
        }
    }

    fn event(self) -> Option<EventType> {
        None
    }
}

fn words() -> Words {
    Words {
        fields: [
            (Field::Customer, "userName"),
            (Field::Item, "carId"),
            (Field::Amount, "price"),
        ]
        .map(|(field, name)| (field, name.to_owned()))
        .into(),
        attributes: vec![
            Attribute {
                name: "userHp".to_owned(),
                max_length: Some(20),
                ..Attribute::default()
            },
            Attribute {
                name: "period".to_owned(),
                kind: AttributeType::Integer,
                minimum: Some(1),
                ..Attribute::default()
            },
        ],
        statuses: [("low", "on"), ("high", "on")]
            .map(|(state, label)| (state.to_owned(), label.to_owned()))
            .into(),
        ..Words::default()
    }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().expect("tests send objects").clone()
}

fn read(body: &Value) -> Result<Snapshot, Rejection> {
    request::snapshot(
        &words(),
        &["userName".to_owned(), "carId".to_owned()],
        &object(body),
    )
}

fn faults(body: &Value) -> Vec<(String, String)> {
    match read(body) {
        Err(Rejection::Invalid(faults)) => faults
            .into_iter()
            .map(|fault| (fault.pointer, fault.detail))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn numbers_may_come_as_strings_and_strings_as_numbers() {
    let body = json!({"userName": "kim", "userHp": "010-1234-5678", "carId": 7, "period": "3", "price": "50000"});
    let snapshot = read(&body).unwrap();
    assert_eq!(
        (snapshot.item.as_deref(), snapshot.amount),
        (Some("7"), Some(50_000))
    );
    assert_eq!(snapshot.attributes["period"], json!(3));
}

#[test]
fn unknown_fields_and_the_status_are_ignored() {
    let plain = read(&json!({"userName": "kim", "carId": "7"})).unwrap();
    let more =
        read(&json!({"userName": "kim", "carId": "7", "memuId": 2, "status": "ordered"})).unwrap();
    assert_eq!(plain, more);
}

#[test]
fn every_fault_is_listed_with_its_pointer() {
    let body = json!({"carId": null, "period": "soon", "price": -1, "userHp": "0".repeat(21)});
    let expected = [
        ("/userName", "is required"),
        ("/carId", "is required"),
        ("/price", "must be at least 0"),
        ("/userHp", "must have at most 20 characters"),
        ("/period", "must be a whole number"),
    ];
    assert_eq!(
        faults(&body),
        expected.map(|(pointer, detail)| (pointer.to_owned(), detail.to_owned()))
    );
}

#[test]
fn bounds_of_attributes_are_kept() {
    let fault = faults(&json!({"userName": "kim", "carId": "7", "period": 0}));
    assert_eq!(
        fault,
        [("/period".to_owned(), "must be at least 1".to_owned())]
    );
}

fn entity() -> Entity<Lamp> {
    let snapshot =
        read(&json!({"userName": "kim", "carId": "7", "quantity": 2, "period": 3})).unwrap();
    Entity {
        correlation_id: Uuid::nil(),
        id: 1,
        version: 1,
        clock: 1,
        state: Lamp::Low,
        snapshot: Snapshot {
            currency: Some("KRW".to_owned()),
            ..snapshot
        },
        reason: None,
    }
}

#[test]
fn a_booking_shows_what_clients_said_and_others_what_they_declare() {
    let all = json!({"id": 1, "userName": "kim", "carId": "7", "quantity": 2, "period": 3, "status": "on"});
    let declared = json!({"id": 1, "userName": "kim", "carId": "7", "period": 3, "status": "on"});
    assert_eq!(
        Value::Object(show::entity(&words(), Shown::All, &entity())),
        all
    );
    assert_eq!(
        Value::Object(show::entity(&words(), Shown::Declared, &entity())),
        declared
    );
}

#[test]
fn an_attribute_is_stored_under_its_source_and_shown_under_its_own_name() {
    let words = Words {
        attributes: vec![Attribute {
            name: "branchLoc".to_owned(),
            from: Some("branchId".to_owned()),
            ..Attribute::default()
        }],
        ..Words::default()
    };
    let body = object(&json!({"branchLoc": "Jongno"}));
    let snapshot = request::snapshot(&words, &[], &body).unwrap();
    assert_eq!(
        snapshot.attributes,
        [("branchId".to_owned(), json!("Jongno"))].into()
    );
    let entity = Entity {
        snapshot,
        ..entity()
    };
    let shown = show::entity(&words, Shown::All, &entity);
    assert_eq!(
        Value::Object(shown),
        json!({"id": 1, "branchLoc": "Jongno", "status": "low"})
    );
}

#[test]
fn several_states_may_share_a_label_and_the_present_one_decides() {
    let asked = label::asked::<Lamp>(&words(), &object(&json!({"status": "on"}))).unwrap();
    assert_eq!(asked, Asked::OneOf(vec![Lamp::Low, Lamp::High]));
    let path = |current: Lamp, asked: &Asked<Lamp>| {
        label::path_to(&words(), current, asked, |target| {
            (target == Lamp::High).then_some(&[Lamp::High][..])
        })
    };
    assert_eq!(path(Lamp::Low, &asked), Ok(&[][..]));
    assert_eq!(path(Lamp::Off, &asked), Ok(&[Lamp::High][..]));
    let off = label::asked::<Lamp>(&words(), &object(&json!({"status": "off"}))).unwrap();
    assert!(
        matches!(path(Lamp::High, &off), Err(Rejection::Conflict(why)) if why.contains("\"on\""))
    );
}

#[test]
fn an_unknown_label_is_invalid_and_the_known_ones_are_named() {
    let refused =
        label::asked::<Lamp>(&words(), &object(&json!({"status": "bright"}))).unwrap_err();
    let Rejection::Invalid(faults) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(faults[0].pointer, "/status");
    assert!(
        faults[0].detail.ends_with("off, on"),
        "{}",
        faults[0].detail
    );
}

#[test]
fn a_record_of_another_kind_is_not_ours_and_a_broken_one_is_refused() {
    let headers = |event_type: &str| vec![("ce_type".to_owned(), event_type.to_owned())];
    assert_eq!(
        Event::decode(&headers("com.example.other"), b"{}").unwrap(),
        None
    );
    assert!(Event::decode(&headers(EventType::BookingConfirmed.as_str()), b"{}").is_err());
    assert!(Event::decode(&[], b"{}").is_err());
}
