//! A platform's words, read and shown.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its fixtures too"
)]

use innkeeper_contracts::settings::Booking;
use innkeeper_contracts::{Attribute, AttributeType, EventType, Field, PublicIds, Snapshot, Words};
use innkeeper_kit::json::Object;
use innkeeper_kit::show::{self, Shown};
use innkeeper_kit::{Entity, Rejection, State, contradiction, label, request};
use serde_json::{Value, json};
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

fn settings() -> Booking {
    Booking {
        words: words(),
        required: vec!["userName".to_owned(), "carId".to_owned()],
        currency: Some("KRW".into()),
        ..Booking::default()
    }
}

fn sent(body: &str) -> Object {
    Object::read(body.as_bytes()).expect("tests send objects")
}

fn object(value: &Value) -> Object {
    sent(&value.to_string())
}

fn read(body: &Value) -> Result<Snapshot, Rejection> {
    request::snapshot(&settings(), &object(body))
}

fn faults_of<T: std::fmt::Debug>(refused: Result<T, Rejection>) -> Vec<(String, String)> {
    match refused {
        Err(Rejection::Invalid(faults)) => faults
            .into_iter()
            .map(|fault| (fault.pointer, fault.detail))
            .collect(),
        other => panic!("{other:?}"),
    }
}

fn faults(body: &Value) -> Vec<(String, String)> {
    faults_of(read(body))
}

fn fault(pointer: &str, detail: &str) -> Vec<(String, String)> {
    vec![(pointer.to_owned(), detail.to_owned())]
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

#[test]
fn a_number_for_a_text_keeps_its_digits() {
    for literal in ["12345678901234567890123", "1e2", "-0", "1.10", "1E+400"] {
        let body = format!("{{\"userName\":{literal},\"carId\":{literal},\"userHp\":{literal}}}");
        let snapshot = request::snapshot(&settings(), &sent(&body));
        if literal.len() > 20 {
            let refused = fault("/userHp", "must have at most 20 characters");
            assert_eq!(faults_of(snapshot), refused);
            continue;
        }
        let snapshot = snapshot.unwrap();
        assert_eq!(
            (snapshot.customer.as_deref(), snapshot.item.as_deref()),
            (Some(literal), Some(literal))
        );
        assert_eq!(snapshot.attributes["userHp"], literal);
    }
}

#[test]
fn a_whole_number_beyond_its_bounds_is_told_from_what_is_none() {
    let refused = |period: &str, price: &str| {
        let body = format!("{{\"userName\":1,\"carId\":1,\"period\":{period},\"price\":{price}}}");
        let faults = faults_of(request::snapshot(&settings(), &sent(&body)));
        faults
            .into_iter()
            .map(|(_, detail)| detail)
            .collect::<Vec<_>>()
    };
    let (most, least) = (
        "must be at most 9223372036854775807",
        ["must be at least 0", "must be at least 1"],
    );
    assert_eq!(
        refused("9223372036854775808", "\"9223372036854775808\""),
        [most, most]
    );
    assert_eq!(
        refused("-9223372036854775809", "-9223372036854775809"),
        [least[0], least[1]]
    );
    assert_eq!(refused("1.0", "1e2"), ["must be a whole number"; 2]);
    assert_eq!(refused("1e400", "1e-2"), ["must be a whole number"; 2]);
}

#[test]
fn required_text_is_not_blank_and_is_kept_as_it_came() {
    for blank in ["", "  ", "\t\n", "\u{200b}", "\u{3164}\u{2800}\u{ad}"] {
        let body = json!({"userName": blank, "carId": "7", "userHp": blank});
        let expected = fault("/userName", "must not be blank");
        assert_eq!(faults(&body), expected, "{blank:?}");
    }
    let kept = read(&json!({"userName": " kim\u{200b} ", "carId": "7", "userHp": ""})).unwrap();
    assert_eq!(kept.customer.as_deref(), Some(" kim\u{200b} "));
    assert_eq!(kept.attributes["userHp"], "");
}

#[test]
fn a_required_attribute_is_not_blank_either() {
    let settings = Booking {
        required: vec!["userHp".to_owned(), "period".to_owned()],
        ..settings()
    };
    let refused = request::snapshot(&settings, &sent(r#"{"userHp":" ","period":null}"#));
    let expected = [("/period", "is required"), ("/userHp", "must not be blank")]
        .map(|(pointer, detail)| (pointer.to_owned(), detail.to_owned()));
    assert_eq!(faults_of(refused), expected);
}

#[test]
fn a_text_is_as_long_as_it_must_be() {
    let mut settings = settings();
    settings.words.attributes[0].min_length = Some(3);
    let read = |phone: &str| {
        let body = json!({"userName": "kim", "carId": "7", "userHp": phone});
        request::snapshot(&settings, &object(&body))
    };
    for phone in ["", "12", "  "] {
        let refused = fault("/userHp", "must have at least 3 characters");
        assert_eq!(faults_of(read(phone)), refused, "{phone:?}");
    }
    for phone in ["123", "   ", "\u{1f600}\u{1f600}\u{1f600}"] {
        assert_eq!(read(phone).unwrap().attributes["userHp"], phone);
    }
    let without = request::snapshot(&settings, &sent(r#"{"userName":"kim","carId":"7"}"#));
    assert!(without.unwrap().attributes.is_empty());
}

#[test]
fn a_field_is_found_under_its_word_or_else_its_canonical_name() {
    let by_name = read(&json!({"customer": "kim", "item": 7, "amount": "5"})).unwrap();
    let by_word = read(&json!({"userName": "kim", "carId": "7", "price": 5})).unwrap();
    assert_eq!(by_name, by_word);
    let both = read(&json!({"userName": "kim", "customer": "lee", "carId": "7"})).unwrap();
    assert_eq!(both.customer.as_deref(), Some("kim"));
    let fallen_back = read(&json!({"userName": null, "customer": "lee", "carId": "7"})).unwrap();
    assert_eq!(fallen_back.customer.as_deref(), Some("lee"));
    let blank = faults(&json!({"customer": " ", "carId": "7", "amount": -1}));
    let expected = [
        ("/customer", "must not be blank"),
        ("/amount", "must be at least 0"),
    ];
    assert_eq!(
        blank,
        expected.map(|(pointer, detail)| (pointer.to_owned(), detail.to_owned()))
    );
}

#[test]
fn a_canonical_name_that_is_an_attribute_or_another_word_here_is_no_other_field() {
    let mut settings = settings();
    settings.words.attributes[0].name = "amount".to_owned();
    settings
        .words
        .fields
        .insert(Field::ItemName, "item".to_owned());
    settings.required.clear();
    let snapshot = request::snapshot(&settings, &sent(r#"{"amount":"much","item":"Ioniq"}"#));
    let snapshot = snapshot.unwrap();
    assert_eq!((snapshot.amount, snapshot.item), (None, None));
    assert_eq!(snapshot.item_name.as_deref(), Some("Ioniq"));
    assert_eq!(snapshot.attributes["amount"], "much");
}

#[test]
fn an_amount_under_a_second_name_must_be_the_same() {
    for same in [
        json!({"price": 5, "amount": "5"}),
        json!({"price": 5, "amount": null}),
        json!({"price": null, "amount": 5}),
    ] {
        let mut wish = same;
        wish["userName"] = json!("kim");
        wish["carId"] = json!("7");
        assert_eq!(read(&wish).unwrap().amount, Some(5), "{wish}");
    }
    for other in [json!(6), json!("much"), json!(5.0), json!({})] {
        let wish = json!({"userName": "kim", "carId": "7", "price": 5, "amount": other});
        let expected = fault("/amount", "must be what price says, or be left out");
        assert_eq!(faults(&wish), expected, "{wish}");
    }
}

#[test]
fn a_currency_is_the_platforms_under_each_of_its_names() {
    let mut settings = settings();
    let wish = |more: &str| sent(&format!("{{\"userName\":\"kim\",\"carId\":\"7\"{more}}}"));
    let expected = "must be KRW, the currency of this platform";
    for wrong in [
        "\"USD\"",
        "\"krw\"",
        "\" KRW \"",
        "\"\"",
        "410",
        "true",
        "{}",
    ] {
        let refused = request::snapshot(&settings, &wish(&format!(",\"currency\":{wrong}")));
        assert_eq!(faults_of(refused), fault("/currency", expected), "{wrong}");
    }
    for right in ["", ",\"currency\":\"KRW\"", ",\"currency\":null"] {
        let read = request::snapshot(&settings, &wish(right));
        assert!(read.is_ok(), "{right}: {read:?}");
    }
    settings
        .words
        .fields
        .insert(Field::Currency, "won".to_owned());
    for (given, pointer) in [
        (",\"won\":\"USD\"", "/won"),
        (",\"currency\":\"USD\"", "/currency"),
        (",\"won\":\"KRW\",\"currency\":\"USD\"", "/currency"),
    ] {
        let refused = request::snapshot(&settings, &wish(given));
        assert_eq!(faults_of(refused), fault(pointer, expected), "{given}");
    }
    settings.words.attributes[0].name = "currency".to_owned();
    let attribute = request::snapshot(&settings, &wish(",\"currency\":\"USD\"")).unwrap();
    assert_eq!(attribute.attributes["currency"], "USD");
}

#[test]
fn a_platform_without_a_currency_takes_none() {
    let settings = Booking {
        currency: None,
        ..settings()
    };
    let wish = |currency: &str| {
        let body = format!("{{\"userName\":1,\"carId\":1,\"currency\":{currency}}}");
        request::snapshot(&settings, &sent(&body))
    };
    let refused = fault(
        "/currency",
        "must be left out: this platform has no currency",
    );
    assert_eq!(faults_of(wish("\"KRW\"")), refused);
    assert_eq!(faults_of(wish("false")), refused);
    assert!(wish("null").is_ok());
}

#[test]
fn a_required_currency_must_be_said() {
    let settings = Booking {
        required: vec!["currency".to_owned()],
        ..settings()
    };
    let refused = request::snapshot(&settings, &sent("{}"));
    assert_eq!(faults_of(refused), fault("/currency", "is required"));
    assert!(request::snapshot(&settings, &sent(r#"{"currency":"KRW"}"#)).is_ok());
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
            currency: Some("KRW".into()),
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
    let settings = Booking {
        words: words.clone(),
        ..Booking::default()
    };
    let snapshot = request::snapshot(&settings, &sent(r#"{"branchLoc":"Jongno"}"#)).unwrap();
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

/// A lamp is lit fully, or put out once it is lit.
fn table(current: Lamp, target: Lamp) -> Option<&'static [Lamp]> {
    match (current, target) {
        _ if current == target => Some(&[]),
        (_, Lamp::High) => Some(&[Lamp::High]),
        _ => None,
    }
}

fn asked(change: &str) -> Result<label::Asked<Lamp>, Rejection> {
    label::asked(&words(), &sent(change), table)
}

#[test]
fn several_states_may_share_a_label_and_the_present_one_decides() {
    let on = asked(r#"{"status":"on"}"#).unwrap();
    assert!(on.allows(&Lamp::Low) && on.allows(&Lamp::High) && !on.allows(&Lamp::Off));
    let path = |current, asked| label::path_to(&words(), current, asked, table);
    assert_eq!(path(Lamp::Low, &on), Ok(&[][..]));
    assert_eq!(path(Lamp::Off, &on), Ok(&[Lamp::High][..]));
    let off = asked(r#"{"status":"off"}"#).unwrap();
    assert!(
        matches!(path(Lamp::High, &off), Err(Rejection::Conflict(why)) if why.contains("\"on\""))
    );
}

#[test]
fn an_unknown_label_is_invalid_and_the_known_ones_are_named() {
    let expected = "\"bright\" is unknown; the labels are off, on";
    assert_eq!(
        faults_of(asked(r#"{"status":"bright"}"#)),
        fault("/status", expected)
    );
    assert_eq!(
        faults_of(asked(r#"{"status":["on"]}"#)),
        fault("/status", "must be a string")
    );
}

#[test]
fn a_number_for_a_label_is_its_literal() {
    let mut words = words();
    words.statuses.insert("high".to_owned(), "2".to_owned());
    let asked = |change: &str| label::asked(&words, &sent(change), table);
    assert!(asked(r#"{"status":2}"#).unwrap().allows(&Lamp::High));
    assert_eq!(asked(r#"{"status":2}"#), asked(r#"{"status":"2"}"#));
    assert_eq!(faults_of(asked(r#"{"status":2.0}"#)).len(), 1);
}

#[test]
fn a_label_is_found_under_its_word_or_else_as_status() {
    let mut words = words();
    words.fields.insert(Field::Status, "state".to_owned());
    let asked = |change: &str| label::asked::<Lamp>(&words, &sent(change), table);
    assert_eq!(asked(r#"{"status":"on"}"#), asked(r#"{"state":"on"}"#));
    assert_eq!(
        asked(r#"{"state":"off","status":"on"}"#),
        asked(r#"{"state":"off"}"#)
    );
}

#[test]
fn a_change_of_nothing_lists_what_can_be_changed() {
    let expected = fault(
        "",
        "names nothing that can be changed; what can be is status, to one of on",
    );
    for change in [
        "{}",
        r#"{"Status":"on"}"#,
        r#"{"price":999999}"#,
        r#"{"status":null}"#,
    ] {
        assert_eq!(faults_of(asked(change)), expected, "{change}");
    }
}

fn contradiction(change: &str) -> Result<(), Rejection> {
    let mut row = entity();
    row.snapshot.amount = Some(50_000);
    row.snapshot.ids = PublicIds {
        booking: Some(4),
        payment: None,
        fulfillment: Some(1),
    };
    let mut words = words();
    words
        .fields
        .insert(Field::Booking, "reservationId".to_owned());
    contradiction::check(&words, &sent(change), &row)
}

#[test]
fn what_agrees_with_the_row_after_reading_is_no_contradiction() {
    for change in [
        "{}",
        r#"{"id":1,"reservationId":4,"price":50000,"currency":"KRW"}"#,
        r#"{"id":"1","booking":"4","amount":"50000","fulfillment":"1"}"#,
        r#"{"id":null,"reservationId":null,"price":null,"currency":null}"#,
        r#"{"userName":"lee","carId":8,"quantity":"many","period":0,"other":{}}"#,
        r#"{"payment":77}"#,
    ] {
        assert_eq!(contradiction(change), Ok(()), "{change}");
    }
}

#[test]
fn an_id_of_another_row_is_a_conflict() {
    for change in [
        r#"{"id":2}"#,
        r#"{"id":"2","price":1}"#,
        r#"{"reservationId":1}"#,
        r#"{"booking":"1"}"#,
        r#"{"fulfillment":2}"#,
        r#"{"reservationId":4,"booking":5}"#,
    ] {
        let refused = contradiction(change);
        assert!(
            matches!(refused, Err(Rejection::Conflict(_))),
            "{change}: {refused:?}"
        );
    }
}

#[test]
fn what_is_no_id_is_invalid_at_its_pointer() {
    for (change, pointer) in [
        (r#"{"id":1.0}"#, "/id"),
        (r#"{"id":"01"}"#, "/id"),
        (r#"{"id":"+1"}"#, "/id"),
        (r#"{"id":9223372036854775808}"#, "/id"),
        (r#"{"id":[1]}"#, "/id"),
        (r#"{"booking":" 4 "}"#, "/booking"),
    ] {
        let Err(Rejection::Invalid(faults)) = contradiction(change) else {
            panic!("{change}");
        };
        assert_eq!(faults[0].pointer, pointer, "{change}");
    }
}

#[test]
fn other_money_is_invalid_at_its_pointer() {
    for (change, pointers) in [
        (r#"{"price":1}"#, &["/price"][..]),
        (r#"{"amount":"much"}"#, &["/amount"]),
        (r#"{"price":50000.0}"#, &["/price"]),
        (r#"{"price":50000,"amount":1}"#, &["/amount"]),
        (r#"{"currency":"USD"}"#, &["/currency"]),
        (
            r#"{"price":true,"currency":false}"#,
            &["/price", "/currency"],
        ),
    ] {
        let faults = faults_of(contradiction(change));
        let said: Vec<&str> = faults.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(said, pointers, "{change}");
    }
}

#[test]
fn a_row_without_money_agrees_with_none() {
    let mut row = entity();
    row.snapshot.currency = None;
    for change in [
        r#"{"price":0}"#,
        r#"{"price":"much"}"#,
        r#"{"currency":"KRW"}"#,
        r#"{"currency":{}}"#,
    ] {
        let faults = faults_of(contradiction::check(&words(), &sent(change), &row));
        assert_eq!(faults.len(), 1, "{change}: {faults:?}");
    }
}
