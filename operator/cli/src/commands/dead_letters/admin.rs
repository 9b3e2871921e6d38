//! The dead letters behind an admin address, which is that of one service or of `innkeeper dev`.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, Uri};
use innkeeper_runtime::client::Client;
use innkeeper_runtime::problem::causes;
use serde_json::{Value, json};

use super::subject::Subject;
use crate::exit::Failure;

/// How long an answer may take. A replay waits for the database.
const WITHIN: Duration = Duration::from_secs(30);

/// The largest answer that is read, in bytes: a page of dead letters, each of which holds a record.
const MAX_ANSWER_BYTES: usize = 256 * 1024 * 1024;

/// How many dead letters are asked for at once.
const PAGE: usize = 100;

/// The outcome where something could not be done.
pub const FAILED: &str = "failed";

/// The services behind an admin address.
pub struct Admin {
    client: Client,
    address: String,
    services: Vec<Service>,
    subject: &'static Subject,
}

/// A service with dead letters.
struct Service {
    /// Its platform and name; `-` if the address is its own.
    name: String,
    /// Where its dead letters are.
    url: String,
}

/// What there is, as far as it was asked for.
pub struct Listing {
    /// The dead letters of every service, oldest first.
    pub letters: Vec<Value>,
    /// The services that have more of them.
    pub have_more: Vec<String>,
}

/// The oldest dead letters of a service after a number.
struct Page {
    letters: Vec<Value>,
    has_more: bool,
}

impl Page {
    fn last_number(&self) -> Option<i64> {
        self.letters.last()?["number"].as_i64()
    }
}

struct Answer {
    status: StatusCode,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What a problem says, or the status.
    fn says(&self) -> String {
        let problem = self.json();
        let texts = ["title", "detail"].map(|name| problem[name].as_str());
        let texts: Vec<&str> = texts.into_iter().flatten().collect();
        if texts.is_empty() {
            return self.status.to_string();
        }
        texts.join(": ")
    }
}

impl Admin {
    /// Finds the services behind an address.
    pub async fn find(address: &str, subject: &'static Subject) -> Result<Self, Failure> {
        let address = address.trim_end_matches('/');
        let (origin, path) = split(address)?;
        let mut admin = Self {
            client: Client::new(),
            address: address.to_owned(),
            services: Vec::new(),
            subject,
        };
        let listing = admin.ask(Method::GET, &format!("{origin}/")).await?;
        admin.services = match listing.status {
            StatusCode::OK => listed(
                &origin,
                &path,
                subject.path,
                &String::from_utf8_lossy(&listing.body),
            ),
            // A service of its own has no list of services.
            _ => vec![Service {
                name: "-".to_owned(),
                url: format!("{address}{}", subject.path),
            }],
        };
        if admin.services.is_empty() {
            return Err(Failure::Refused(format!(
                "there is no service with {}s below {address}; {origin}/ lists all paths",
                subject.noun
            )));
        }
        Ok(admin)
    }

    /// The oldest of every service, up to a limit.
    pub async fn list(&self, limit: u32) -> Result<Listing, Failure> {
        let mut listing = Listing {
            letters: Vec::new(),
            have_more: Vec::new(),
        };
        for service in &self.services {
            let page = self.list_of(service, limit as usize).await?;
            if page.has_more {
                listing.have_more.push(service.name.clone());
            }
            listing.letters.extend(page.letters);
        }
        Ok(listing)
    }

    /// The oldest of a service, up to a limit, page after page. A service of an earlier release
    /// does not say whether it has more: what follows a full page is asked for.
    async fn list_of(&self, service: &Service, limit: usize) -> Result<Page, Failure> {
        let (mut letters, mut after) = (Vec::new(), 0);
        loop {
            let wanted = PAGE.min(limit - letters.len());
            let page = self.page(service, after, wanted).await?;
            let (last, is_full) = (page.last_number(), page.letters.len() >= wanted);
            letters.extend(page.letters);
            match last {
                Some(last) if is_full && letters.len() < limit => after = last,
                // All that there are or were asked for; parked events have no number, and one page.
                _ => {
                    let has_more = page.has_more || letters.len() > limit;
                    letters.truncate(limit);
                    return Ok(Page { letters, has_more });
                }
            }
        }
    }

    /// One with all that it holds, from the first service that has it.
    pub async fn show(&self, id: &str) -> Result<Value, Failure> {
        for service in &self.services {
            let answer = self
                .ask(Method::GET, &format!("{}/{id}", service.url))
                .await?;
            if answer.status != StatusCode::NOT_FOUND {
                return Ok(of_service(service, expected(answer)?.json()));
            }
        }
        Err(Failure::Failed(self.missing(id)))
    }

    /// Replays those with these ids, in every service that has them.
    pub async fn replay(&self, ids: &[String]) -> Result<Vec<Value>, Failure> {
        self.each(Method::POST, ids, "/replay").await
    }

    /// Discards those with these ids, in every service that has them.
    pub async fn discard(&self, ids: &[String]) -> Result<Vec<Value>, Failure> {
        self.each(Method::DELETE, ids, "").await
    }

    /// Replays every dead letter once.
    pub async fn replay_all(&self) -> Result<Vec<Value>, Failure> {
        let mut outcomes = Vec::new();
        for service in &self.services {
            let mut after = 0;
            loop {
                let page = self.page(service, after, PAGE).await?;
                for letter in &page.letters {
                    let id = letter["id"].as_str().unwrap_or_default();
                    let url = format!("{}/{id}/replay", service.url);
                    let answer = self.ask(Method::POST, &url).await?;
                    if answer.status != StatusCode::NOT_FOUND {
                        outcomes.push(of_service(service, outcome(id, &answer)));
                    }
                }
                match page.last_number() {
                    Some(last) => after = last,
                    None => break,
                }
            }
        }
        Ok(outcomes)
    }

    /// Does something about ids in every service that has them. The record of a dead letter has the
    /// same id in each service that could not handle it.
    async fn each(
        &self,
        method: Method,
        ids: &[String],
        action: &str,
    ) -> Result<Vec<Value>, Failure> {
        let mut outcomes = Vec::new();
        for id in ids {
            let before = outcomes.len();
            for service in &self.services {
                let url = format!("{}/{id}{action}", service.url);
                let answer = self.ask(method.clone(), &url).await?;
                if answer.status != StatusCode::NOT_FOUND {
                    outcomes.push(of_service(service, outcome(id, &answer)));
                }
            }
            if outcomes.len() == before {
                let missing = json!({ "service": "-", "id": id, "outcome": FAILED, "error": self.missing(id) });
                outcomes.push(missing);
            }
        }
        Ok(outcomes)
    }

    fn missing(&self, id: &str) -> String {
        let (address, Subject { command, noun, .. }) = (&self.address, self.subject);
        format!(
            "there is no {noun} {id} at {address}; `innkeeper {command} list --admin {address}` shows those that there are"
        )
    }

    async fn page(&self, service: &Service, after: i64, limit: usize) -> Result<Page, Failure> {
        let url = format!("{}?after={after}&limit={limit}", service.url);
        let answer = expected(self.ask(Method::GET, &url).await?)?;
        let answer = answer.json();
        let items = answer["items"].as_array().cloned();
        let items = items.unwrap_or_default().into_iter();
        Ok(Page {
            letters: items.map(|letter| of_service(service, letter)).collect(),
            has_more: answer["hasMore"] == true,
        })
    }

    async fn ask(&self, method: Method, url: &str) -> Result<Answer, Failure> {
        let request = Request::builder().method(method).uri(url);
        let request = request
            .body(Body::empty())
            .map_err(|error| Failure::Refused(format!("{url} is no address: {error}")))?;
        let exchange = tokio::time::timeout(WITHIN, self.exchange(request));
        let answer = exchange.await.unwrap_or_else(|_| {
            let seconds = WITHIN.as_secs();
            Err(format!("none within {seconds} s"))
        });
        answer.map_err(|why| {
            Failure::Failed(format!(
                "no answer from {}: {why}; start `innkeeper dev`, or name another address with --admin (of a pod: kubectl port-forward POD 9090)",
                self.address
            ))
        })
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Answer, String> {
        let answer = self.client.send(request).await;
        let answer = answer.map_err(|error| causes(&error))?;
        let (head, body) = answer.into_parts();
        let body = to_bytes(Body::new(body), MAX_ANSWER_BYTES).await;
        Ok(Answer {
            status: head.status,
            body: body.map_err(|error| causes(&error))?.to_vec(),
        })
    }
}

/// The origin and the path of an admin address.
fn split(address: &str) -> Result<(String, String), Failure> {
    let refused = || {
        Failure::Refused(format!(
            "--admin {address} is no address; one is http://127.0.0.1:9090"
        ))
    };
    let uri: Uri = address.parse().map_err(|_| refused())?;
    match (uri.scheme_str(), uri.authority()) {
        (Some("http"), Some(authority)) => {
            let path = uri.path().trim_end_matches('/');
            Ok((format!("http://{authority}"), path.to_owned()))
        }
        _ => Err(refused()),
    }
}

/// The services below a path in the list that `innkeeper dev` has.
fn listed(origin: &str, path: &str, resource: &str, listing: &str) -> Vec<Service> {
    let below = format!("{path}/");
    let lines = listing.lines().filter(|line| line.starts_with(&below));
    let services = lines.filter_map(|line| {
        let name = line.strip_suffix(resource)?;
        Some(Service {
            name: name.trim_start_matches('/').to_owned(),
            url: format!("{origin}{line}"),
        })
    });
    services.collect()
}

fn of_service(service: &Service, letter: Value) -> Value {
    let mut shown = json!({ "service": service.name });
    if let (Some(shown), Value::Object(letter)) = (shown.as_object_mut(), letter) {
        shown.extend(letter);
    }
    shown
}

/// What became of an id in a service.
fn outcome(id: &str, answer: &Answer) -> Value {
    if answer.status == StatusCode::NO_CONTENT {
        return json!({ "id": id, "outcome": "discarded" });
    }
    if answer.status.is_success() {
        return answer.json();
    }
    let detail = answer.json()["detail"].clone();
    let error = if detail.is_null() {
        answer.says().into()
    } else {
        detail
    };
    json!({ "id": id, "outcome": FAILED, "error": error })
}

fn expected(answer: Answer) -> Result<Answer, Failure> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    Err(Failure::Failed(answer.says()))
}
