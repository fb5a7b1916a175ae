use crate::support::{Answer, PAGE, Server, request};
use axum::http::Method;
use std::collections::BTreeSet;

async fn preflight(server: &Server, path: &str, origin: &str, method: &str, headers: &str) -> Answer {
    let asked = [
        ("origin", origin),
        ("access-control-request-method", method),
        ("access-control-request-headers", headers),
    ];
    server.send(request(Method::OPTIONS, path, &asked, "")).await
}

fn list(answer: &Answer, name: &str) -> BTreeSet<String> {
    let values = answer.headers.get_all(name).iter().flat_map(|value| value.to_str().unwrap().split(','));
    values.map(|value| value.trim().to_lowercase()).collect()
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[tokio::test]
async fn a_preflight_allows_the_headers_that_it_asks_for() {
    let server = Server::new().await;
    for path in
        ["/run/auth/apps/app_any0000000000000/anonymous-session", "/run/api/chat", "/run/auth/pow/challenge"]
    {
        for origin in [PAGE, "https://evil.com", "null"] {
            let asked = "authorization,x-inkeep-client-timezone,inkeep-filters,user-agent,x-the-owners-own";
            let answer = preflight(&server, path, origin, "POST", asked).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
            assert!(list(&answer, "vary").contains("origin"));
            let methods = set(["get", "post", "put", "patch", "delete", "options"]);
            assert_eq!(list(&answer, "access-control-allow-methods"), methods);
            let allowed = asked.split(',').map(str::to_owned).collect();
            assert_eq!(list(&answer, "access-control-allow-headers"), allowed);
            assert_eq!(answer.header("access-control-max-age"), Some("86400"));
            assert_eq!(answer.header("access-control-allow-credentials"), None);
        }
    }
}

/// A browser may use the response for a later request that has the header.
#[tokio::test]
async fn a_preflight_always_allows_authorization() {
    let server = Server::new().await;
    for path in ["/run/api/chat", "/run/nothing"] {
        let answer = preflight(&server, path, PAGE, "POST", "content-type").await;
        assert_eq!(list(&answer, "access-control-allow-headers"), set(["authorization", "content-type"]));
    }
    let answer = server.send(request(Method::GET, "/run/auth/pow/challenge", &[("origin", PAGE)], "")).await;
    assert_eq!(answer.header("access-control-allow-headers"), None, "only a preflight's response has it");
}

#[tokio::test]
async fn a_page_can_read_every_answer_of_the_run_api() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let path = format!("/run/auth/apps/{app}/anonymous-session");
    for (method, path, origin, status) in [
        (Method::GET, "/run/auth/pow/challenge", PAGE, 200),
        (Method::POST, &*path, PAGE, 400),
        (Method::POST, &*path, "https://evil.com", 403),
        (Method::POST, &*path, "null", 403),
        (Method::POST, "/run/auth/apps/app_unknown000000000/anonymous-session", PAGE, 404),
        (Method::POST, "/run/api/chat", PAGE, 401),
        (Method::GET, "/run/nothing", PAGE, 404),
        (Method::DELETE, "/run/api/chat", PAGE, 405),
    ] {
        let answer = server.send(request(method, path, &[("origin", origin)], "")).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin), "{path}");
        assert!(list(&answer, "vary").contains("origin"), "{path}");
        let exposed = list(&answer, "access-control-expose-headers");
        assert!(
            exposed.is_superset(&set(["date", "retry-after", "x-request-id", "ratelimit"])),
            "{exposed:?}"
        );
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
}

#[tokio::test]
async fn no_page_manages() {
    let server = Server::new().await;
    let answer = preflight(&server, crate::support::APPS, PAGE, "POST", "authorization").await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("access-control-allow-origin"), None);
    let answer = server.post(crate::support::APPS, &[("origin", PAGE)], "").await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
}
