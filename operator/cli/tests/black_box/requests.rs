//! Requests by the standards: lists, versions, idempotency keys, and refusals.

use hyper::Request;
use serde_json::{Value, json};

use crate::http::{get, patch, post, post_text, send, with};
use crate::platform::{Platform, items, kims_wish};

fn of_method(method: &str, path: &str) -> Request<String> {
    Request::builder()
        .method(method)
        .uri(path)
        .body(String::new())
        .unwrap()
}

#[tokio::test]
async fn lists_come_in_pages_that_lead_to_one_another() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    let empty = rentcar.get("/reservations").await;
    assert_eq!(
        (empty.status, empty.header("content-type")),
        (200, "application/hal+json")
    );
    assert_eq!(empty.json()["_embedded"]["reservations"], json!([]));
    for _ in 0..5 {
        assert_eq!(
            rentcar.post("/reservations", &kims_wish()).await.status,
            201
        );
    }

    let (mut next, mut seen, mut pages) = (Some("/reservations?size=2".to_owned()), Vec::new(), 0);
    while let Some(link) = next {
        let page = rentcar.get(&link).await.json();
        assert_eq!(page["_links"]["self"]["href"], link.as_str());
        seen.extend(
            items(&page, "/reservations")
                .into_iter()
                .map(|item| item["id"].as_i64().unwrap()),
        );
        next = page["_links"]["next"]["href"].as_str().map(str::to_owned);
        pages += 1;
    }

    assert_eq!((seen, pages), (vec![1, 2, 3, 4, 5], 3));
    for query in ["size=0", "size=1001", "size=x", "after=-1", "page=1"] {
        let refused = rentcar.get(&format!("/reservations?{query}")).await;
        refused.is_problem(422);
    }
    innkeeper.stop().await;
}

#[tokio::test]
async fn a_script_of_another_site_may_book_as_the_example_says() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    let from_elsewhere = |request| with(request, "origin", "https://rentcar.example");
    let preflight = || {
        let request = Request::options("/reservations").body(String::new());
        let request = from_elsewhere(request.unwrap());
        with(request, "access-control-request-method", "POST")
    };
    let asked = rentcar.send(preflight()).await;
    let methods = asked.header("access-control-allow-methods");
    assert_eq!((asked.status, methods), (200, "GET,HEAD,POST,PATCH"));
    assert!(
        asked
            .header("access-control-allow-headers")
            .contains("idempotency-key")
    );

    let booked = from_elsewhere(post("/reservations", &kims_wish()));
    let booked = rentcar.send(booked).await;
    assert_eq!(booked.status, 201);
    let nowhere = rentcar.send(from_elsewhere(get("/nowhere"))).await;
    nowhere.is_problem(404);
    for answer in [booked, nowhere] {
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let exposed = answer.header("access-control-expose-headers");
        assert_eq!(exposed, "location,etag,retry-after");
    }
    innkeeper.stop().await;
}

#[tokio::test]
async fn a_change_can_be_bound_to_the_version_that_was_seen() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    rentcar.post("/reservations", &kims_wish()).await;
    let seen = rentcar.get("/reservations/1").await;
    let cancel = || patch("/reservations/1", &json!({ "status": "canceled" }));

    rentcar
        .send(with(cancel(), "if-match", "\"0\""))
        .await
        .is_problem(412);
    rentcar
        .send(with(cancel(), "if-match", "nonsense"))
        .await
        .is_problem(412);
    assert_eq!(
        rentcar.get("/reservations/1").await.json()["status"],
        "Reserved"
    );
    let changed = rentcar
        .send(with(cancel(), "if-match", seen.header("etag")))
        .await;

    assert_eq!(
        (changed.status, changed.json()["status"].as_str()),
        (200, Some("canceled"))
    );
    let after = rentcar.get("/reservations/1").await;
    assert_ne!(after.header("etag"), seen.header("etag"));
    assert_eq!(after.header("etag"), changed.header("etag"));
    assert_eq!(
        rentcar.send(with(cancel(), "if-match", "*")).await.status,
        200,
        "it is so already"
    );
    innkeeper.stop().await;
}

#[tokio::test]
async fn a_key_makes_one_reservation_and_replays_its_answer() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    let keyed = |body: &Value| with(post("/reservations", body), "idempotency-key", "kims-first");

    let first = rentcar.send(keyed(&kims_wish())).await;
    let again = rentcar.send(keyed(&kims_wish())).await;
    let mut other = kims_wish();
    other["carId"] = json!("8");
    let abused = rentcar.send(keyed(&other)).await;

    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(
        (again.header("location"), &again.text),
        (first.header("location"), &first.text)
    );
    abused.is_problem(422);
    assert_eq!(rentcar.items("/reservations").await.len(), 1);
    assert_eq!(rentcar.items("/pays").await.len(), 1);
    rentcar
        .send(with(
            post("/reservations", &kims_wish()),
            "idempotency-key",
            "",
        ))
        .await
        .is_problem(400);

    let mut dear = kims_wish();
    dear["price"] = json!("10000001");
    for _ in 0..2 {
        let refused = with(post("/reservations", &dear), "idempotency-key", "too-dear");
        rentcar.send(refused).await.is_problem(402);
    }
    assert_eq!(rentcar.items("/reservations").await.len(), 2);
    innkeeper.stop().await;
}

#[tokio::test]
async fn a_wish_is_refused_with_every_fault_and_its_pointer() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;

    let wrong =
        json!({ "userName": "kim", "userHp": "x".repeat(21), "period": "0", "price": "much" });
    let refused = rentcar.post("/reservations", &wrong).await;

    let mut pointers = refused.pointers();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/carId", "/period", "/price", "/userHp"]);

    let numbers = json!({ "userName": 5, "carId": 7, "period": 3, "price": 50000, "status": "ordered", "unknown": [1] });
    let taken = rentcar.post("/reservations", &numbers).await;
    assert_eq!(taken.status, 201, "{}", taken.text);
    let taken = taken.json();
    assert_eq!(
        (&taken["userName"], &taken["carId"], &taken["status"]),
        (&json!("5"), &json!("7"), &json!("Reserved"))
    );
    innkeeper.stop().await;
}

#[tokio::test]
async fn labels_are_commands_and_the_state_decides() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    rentcar.post("/reservations", &kims_wish()).await;
    let status = |label: &str| json!({ "status": label });

    rentcar
        .patch("/reservations/1", &status("nonsense"))
        .await
        .is_problem(422);
    rentcar
        .patch("/reservations/1", &status("completed"))
        .await
        .is_problem(409);
    assert_eq!(
        rentcar
            .patch("/reservations/1", &status("Reserved"))
            .await
            .status,
        200
    );
    let ignoring = json!({ "status": "payed", "price": "50000", "carId": 8, "period": "soon" });
    let paid = rentcar.patch("/pays/1", &ignoring).await;
    assert_eq!((paid.status, &paid.json()["carId"]), (200, &json!("7")));
    assert_eq!(
        rentcar.patch("/pays/1", &status("payed")).await.status,
        200,
        "it is so already"
    );
    assert_eq!(
        rentcar.patch("/pays/1", &status("canceled")).await.status,
        200
    );
    rentcar
        .patch("/pays/1", &status("payed"))
        .await
        .is_problem(409);
    innkeeper.stop().await;
}

#[tokio::test]
async fn what_is_not_there_or_not_allowed_is_a_problem() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    let direct = rentcar.port("reservation");

    for path in [
        "/nowhere",
        "/reservations/99",
        "/reservations/x",
        "/reservationsextra",
    ] {
        rentcar.get(path).await.is_problem(404);
        send(direct, get(path)).await.unwrap().is_problem(404);
    }
    rentcar
        .patch("/reservations/99", &json!({ "status": "canceled" }))
        .await
        .is_problem(404);
    for (method, path, allowed) in [
        ("DELETE", "/reservations", "GET,HEAD,POST"),
        ("PUT", "/reservations/1", "GET,HEAD,PATCH"),
        ("POST", "/pays", "GET,HEAD"),
        ("POST", "/myReservations", "GET,HEAD"),
    ] {
        let refused = rentcar.send(of_method(method, path)).await;
        refused.is_problem(405);
        assert_eq!(refused.header("allow"), allowed, "{method} {path}");
    }
    rentcar
        .post("/_innkeeper/authorizations", &json!({}))
        .await
        .is_problem(404);
    innkeeper.stop().await;
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused_as_the_standards_say() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    let sent = |media_type: &str, body: &str| {
        with(post_text("/reservations", body), "content-type", media_type)
    };

    rentcar.send(sent("text/plain", "{}")).await.is_problem(415);
    rentcar
        .send(sent("application/json", "{\"userName\":"))
        .await
        .is_problem(400);
    rentcar
        .send(sent("application/json", ""))
        .await
        .is_problem(400);
    rentcar
        .send(sent("application/json", "[1]"))
        .await
        .is_problem(422);
    let huge = format!("{{\"userName\":\"{}\"}}", "x".repeat(1024 * 1024));
    rentcar
        .send(sent("application/json", &huge))
        .await
        .is_problem(413);
    assert!(rentcar.items("/reservations").await.is_empty());
    innkeeper.stop().await;
}

#[tokio::test]
async fn head_and_options_say_what_get_would_and_what_is_allowed() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    rentcar.post("/reservations", &kims_wish()).await;

    for port in [rentcar.gateway(), rentcar.port("reservation")] {
        let whole = send(port, get("/reservations/1")).await.unwrap();
        let head = send(port, of_method("HEAD", "/reservations/1"))
            .await
            .unwrap();
        assert_eq!((head.status, head.text.as_str()), (200, ""));
        for header in ["content-type", "content-length", "etag"] {
            assert_eq!(head.header(header), whole.header(header), "{header}");
        }
        let options = send(port, of_method("OPTIONS", "/reservations"))
            .await
            .unwrap();
        assert_eq!(
            (options.status, options.header("allow")),
            (204, "GET,HEAD,POST")
        );
    }
    innkeeper.stop().await;
}
