//! Which scripts of other sites may call (<https://fetch.spec.whatwg.org/#http-cors-protocol>).

use std::convert::Infallible;
use std::future::ready;
use std::str::FromStr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use innkeeper_contracts::settings::Cors;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer, ExposeHeaders};

use crate::edge::NO_ROUTE;
use crate::metrics::Metrics;

/// Everything, in a list.
const ANY: &str = "*";

/// Tells browsers whose scripts may call the routes of a router, and answers and counts their
/// preflights. Every answer of the router carries what they want to know, whoever gave it.
pub fn around(router: Router, cors: &CorsLayer, metrics: Metrics) -> Router {
    let options = (router.clone(), cors.clone(), metrics);
    let router = router.layer(cors.clone());
    router.layer(from_fn_with_state(options, answer_options))
}

/// Adds to an answer what browsers want to know before the script of a site may read it; `asked`
/// are the headers of its request.
pub async fn tell(cors: &CorsLayer, asked: &HeaderMap, answer: Response) -> Response {
    let mut request = Request::default();
    if let Some(origin) = asked.get(ORIGIN) {
        request.headers_mut().insert(ORIGIN, origin.clone());
    }
    let mut answer = Some(answer);
    let answering = service_fn(move |_: Request| {
        let answer = answer.take().expect("one request is made");
        ready(Ok::<_, Infallible>(answer))
    });
    let Ok(answer) = cors.layer(answering).oneshot(request).await;
    answer
}

/// Counts the answer to a preflight, and passes another `OPTIONS` on to the routes.
async fn answer_options(
    State((plain, cors, metrics)): State<(Router, CorsLayer, Metrics)>,
    request: Request,
    next: Next,
) -> Response {
    if *request.method() != Method::OPTIONS {
        return next.run(request).await;
    }
    let headers = request.headers();
    if headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        let began = Instant::now();
        let answer = next.run(request).await;
        metrics.count_answer(&Method::OPTIONS, NO_ROUTE, answer.status(), began.elapsed());
        return answer;
    }
    let asked = headers.clone();
    let Ok(answer) = plain.oneshot(request).await;
    tell(&cors, &asked, answer).await
}

/// Adds the headers that browsers want to see, as a platform describes them.
pub fn layer(cors: &Cors) -> CorsLayer {
    let lists = [
        &cors.allow_origins,
        &cors.allow_methods,
        &cors.allow_headers,
        &cors.expose_headers,
    ];
    // The schema refuses both at once; browsers would, too.
    let may_have_credentials = !lists.into_iter().any(|list| has_any(list));
    let mut layer = CorsLayer::new()
        .allow_credentials(cors.allow_credentials && may_have_credentials)
        .allow_origin(list_or(
            &cors.allow_origins,
            AllowOrigin::any,
            AllowOrigin::list,
        ))
        .allow_methods(list_or(
            &cors.allow_methods,
            AllowMethods::any,
            AllowMethods::list,
        ))
        .allow_headers(list_or(
            &cors.allow_headers,
            AllowHeaders::any,
            AllowHeaders::list,
        ))
        .expose_headers(list_or(
            &cors.expose_headers,
            ExposeHeaders::any,
            ExposeHeaders::list,
        ));
    if let Some(seconds) = cors.max_age_seconds {
        layer = layer.max_age(Duration::from_secs(seconds.into()));
    }
    layer
}

fn has_any(list: &[String]) -> bool {
    list.iter().any(|item| item == ANY)
}

/// What a list allows: everything, or its items.
fn list_or<T: FromStr, A>(list: &[String], any: fn() -> A, of: fn(Vec<T>) -> A) -> A {
    if has_any(list) {
        any()
    } else {
        of(list.iter().filter_map(|item| item.parse().ok()).collect())
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::StatusCode;
    use axum::routing::get;

    use super::*;
    use crate::edge;

    const SITE: (&str, &str) = ("origin", "https://rentcar.example");
    const PREFLIGHT: (&str, &str) = ("access-control-request-method", "PATCH");

    fn cors() -> Cors {
        let texts = |all: &[&str]| all.iter().map(ToString::to_string).collect();
        Cors {
            allow_origins: texts(&["https://rentcar.example"]),
            allow_methods: texts(&["GET", "PATCH"]),
            allow_headers: texts(&["content-type", "if-match"]),
            expose_headers: texts(&["etag"]),
            allow_credentials: true,
            max_age_seconds: Some(600),
        }
    }

    async fn answer(
        cors: &Cors,
        method: Method,
        path: &str,
        sent: &[(&str, &str)],
    ) -> (StatusCode, HeaderMap) {
        let router = Router::new().route("/pays", get(async || "pays"));
        let metrics = Metrics::new("rentcar", "gateway");
        let router = around(
            edge::around(router, metrics.clone()),
            &layer(cors),
            metrics.clone(),
        );
        let request = Request::builder().method(method).uri(path);
        let request = sent
            .iter()
            .fold(request, |it, (name, value)| it.header(*name, *value));
        let Ok(answer) = router.oneshot(request.body(Body::empty()).unwrap()).await;
        let counted = metrics.render();
        let counted = counted.matches("innkeeper_http_requests_total{").count();
        assert_eq!(counted, 1, "every request is counted once");
        (answer.status(), answer.headers().clone())
    }

    #[tokio::test]
    async fn a_script_of_a_named_site_may_read_every_answer_and_one_of_another_site_none() {
        for (path, status) in [("/pays", 200), ("/nowhere", 404)] {
            let (found, headers) = answer(&cors(), Method::GET, path, &[SITE]).await;
            assert_eq!(found, status);
            assert_eq!(headers["access-control-allow-origin"], SITE.1, "{path}");
            assert_eq!(headers["access-control-expose-headers"], "etag");
            assert_eq!(headers["access-control-allow-credentials"], "true");
            let other = [("origin", "https://elsewhere.example")];
            let (_, headers) = answer(&cors(), Method::GET, path, &other).await;
            assert!(
                !headers.contains_key("access-control-allow-origin"),
                "{path}"
            );
        }
    }

    #[tokio::test]
    async fn a_preflight_is_answered_and_another_options_reaches_the_routes() {
        let (status, headers) = answer(&cors(), Method::OPTIONS, "/pays", &[SITE, PREFLIGHT]).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers["access-control-allow-methods"], "GET,PATCH");
        assert_eq!(
            headers["access-control-allow-headers"],
            "content-type,if-match"
        );
        assert_eq!(headers["access-control-max-age"], "600");
        let (status, headers) = answer(&cors(), Method::OPTIONS, "/pays", &[SITE]).await;
        assert_eq!(
            (status, &headers["allow"]),
            (StatusCode::NO_CONTENT, &"GET,HEAD".parse().unwrap())
        );
        assert_eq!(headers["access-control-allow-origin"], SITE.1);
        assert_eq!(headers["access-control-expose-headers"], "etag");
    }

    #[tokio::test]
    async fn everything_is_allowed_without_credentials_only() {
        let everything = Cors {
            allow_origins: vec![ANY.to_owned()],
            ..cors()
        };
        let (_, headers) = answer(&everything, Method::GET, "/pays", &[SITE]).await;
        assert_eq!(headers["access-control-allow-origin"], "*");
        assert!(!headers.contains_key("access-control-allow-credentials"));
    }
}
