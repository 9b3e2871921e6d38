//! Clients that book while processes crash and restart, and remember what they were told.

use futures::future::join_all;
use hyper::Request;
use innkeeper_testkit::patience::until;
use serde_json::{Value, json};

use crate::http::{Answer, get, patch, post, send, with};
use crate::platform::items;

/// How many clients book at a time.
const CLIENTS: usize = 3;

/// A price that the payment provider declines.
const TOO_DEAR: i64 = 10_000_001;

/// What a client does if it gets no final answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Manner {
    /// Sends the same request again with its key, until it gets one.
    Retries,
    /// Has no key, and does not try again.
    GivesUp,
}

/// The ports of a platform: those of the booking processes, which take turns, and the gateway for
/// everything else.
pub struct Doors {
    pub bookings: Vec<u16>,
    pub gateway: u16,
}

/// What a client wants of one reservation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Will {
    Keep,
    Pay,
    Cancel,
    PayAndCancel,
    BeDeclined,
}

/// What a client knows about a command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Heard {
    /// It was never sent.
    NeverAsked,
    /// It may have been carried out.
    Nothing,
    /// It was answered with this status.
    Status(u16),
}

/// One reservation as its client knows it.
#[derive(Debug)]
pub struct Saga {
    /// Name of the customer, which is unique.
    pub customer: String,
    pub key: Option<String>,
    pub will: Will,
    /// The final answer to the POST, if one was heard.
    pub placed: Option<Answer>,
    pub paid: Heard,
    pub cancelled: Heard,
}

/// Lets all clients book, each one reservation after another for as long as `wants_more`. The names
/// of customers begin with `title`.
pub async fn book(
    doors: &Doors,
    manner: Manner,
    title: &str,
    wants_more: impl AsyncFn(usize) -> bool,
) -> Vec<Saga> {
    let wants_more = &wants_more;
    let clients = (0..CLIENTS).map(async |client| {
        let mut sagas = Vec::new();
        while wants_more(sagas.len()).await {
            let number = sagas.len() * CLIENTS + client;
            sagas.push(live(doors, manner, title, number).await);
        }
        sagas
    });
    join_all(clients).await.into_iter().flatten().collect()
}

/// One reservation with all commands that its client wants.
async fn live(doors: &Doors, manner: Manner, title: &str, number: usize) -> Saga {
    let mut saga = Saga::wished(manner, title, number);
    let turn = turn_of_a_listener(doors, number).await;
    saga.placed = place(doors, manner, &saga, turn).await;
    let Some(id) = saga.reservation() else {
        return saga;
    };
    if matches!(saga.will, Will::Pay | Will::PayAndCancel) {
        saga.paid = pay(doors, manner, id).await;
    }
    if matches!(saga.will, Will::Cancel | Will::PayAndCancel) {
        let cancel = json!({ "status": "canceled" });
        saga.cancelled = tried(manner, async |attempt| {
            let cancel = patch(&format!("/reservations/{id}"), &cancel);
            heard(doors.booking(turn + attempt), cancel).await
        })
        .await;
    }
    saga
}

impl Saga {
    fn wished(manner: Manner, title: &str, number: usize) -> Self {
        let customer = format!("{title}-{number}");
        let wills = [
            Will::Pay,
            Will::Keep,
            Will::Cancel,
            Will::PayAndCancel,
            Will::BeDeclined,
        ];
        Self {
            key: (manner == Manner::Retries).then(|| format!("key-of-{customer}")),
            customer,
            will: wills[number % wills.len()],
            placed: None,
            paid: Heard::NeverAsked,
            cancelled: Heard::NeverAsked,
        }
    }

    /// The POST, which is the same each time.
    pub fn request(&self) -> Request<String> {
        let price = if self.will == Will::BeDeclined {
            TOO_DEAR
        } else {
            50_000
        };
        let wish = json!({ "userName": self.customer, "carId": "7", "price": price });
        let request = post("/reservations", &wish);
        match &self.key {
            Some(key) => with(request, "idempotency-key", key),
            None => request,
        }
    }

    /// The final status that the client got.
    pub fn status(&self) -> Option<u16> {
        self.placed.as_ref().map(|answer| answer.status)
    }

    /// The id of the reservation that was made.
    pub fn reservation(&self) -> Option<i64> {
        let answer = self.placed.as_ref().filter(|answer| answer.status == 201)?;
        let id = answer.header("location").strip_prefix("/reservations/")?;
        id.parse().ok()
    }
}

impl Doors {
    /// The port of the booking process whose turn it is.
    pub fn booking(&self, turn: usize) -> u16 {
        self.bookings[turn % self.bookings.len()]
    }
}

/// Waits until a booking process listens, and returns its turn.
async fn turn_of_a_listener(doors: &Doors, first: usize) -> usize {
    let mut turn = first;
    until("a booking process listens", async || {
        turn += 1;
        let answer = send(doors.booking(turn), get("/reservations?size=1")).await;
        let listens = answer.map(|_| turn);
        listens.map_err(|broken| format!("{broken:?} at turn {turn}"))
    })
    .await
}

async fn place(doors: &Doors, manner: Manner, saga: &Saga, turn: usize) -> Option<Answer> {
    if manner == Manner::GivesUp {
        let answer = send(doors.booking(turn), saga.request()).await;
        return answer.ok().filter(is_final);
    }
    let mut next = turn;
    let answer = until("a final answer", async || {
        let port = doors.booking(next);
        next += 1;
        match send(port, saga.request()).await {
            Ok(answer) if is_final(&answer) => Ok(answer),
            other => Err(format!("{saga:?} hears {other:?}")),
        }
    });
    Some(answer.await)
}

/// Whether an answer is final: not an outage, and not a request that is still being handled.
fn is_final(answer: &Answer) -> bool {
    assert_ne!(answer.status, 500, "{answer:?}");
    let tells_when_to_return = !answer.header("retry-after").is_empty();
    !matches!(answer.status, 502..=504) && !tells_when_to_return
}

async fn pay(doors: &Doors, manner: Manner, reservation: i64) -> Heard {
    tried(manner, async |_| {
        let list = send(doors.gateway, get("/pays?size=1000")).await.ok()?;
        let pays = (list.status == 200).then(|| items(&list.json(), "/pays"))?;
        let of_it = |pay: &&Value| pay["reservationId"] == reservation;
        let id = pays.iter().find(of_it)?["id"].as_i64()?;
        let payed = patch(&format!("/pays/{id}"), &json!({ "status": "payed" }));
        heard(doors.gateway, payed).await
    })
    .await
}

/// Sends a command, repeatedly if the client retries. The command must be idempotent.
async fn tried(manner: Manner, mut attempt: impl AsyncFnMut(usize) -> Option<u16>) -> Heard {
    if manner == Manner::GivesUp {
        return attempt(0).await.map_or(Heard::Nothing, Heard::Status);
    }
    let mut attempts = 0;
    let status = until("an answer", async || {
        attempts += 1;
        let status = attempt(attempts).await;
        status.ok_or_else(|| format!("{attempts} attempts without an answer"))
    });
    Heard::Status(status.await)
}

async fn heard(port: u16, command: Request<String>) -> Option<u16> {
    let answer = send(port, command).await.ok()?;
    is_final(&answer).then_some(answer.status)
}
