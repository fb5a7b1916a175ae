//! Origins that look like an allowed one, at every route that checks them.

use crate::support::{Server, request, web_client};
use axum::http::Method;
use serde_json::json;

const TRICKS: &[&str] = &[
    "https://docs.example.com.evil.com",
    "https://evil.com#docs.example.com",
    "https://evil.com?docs.example.com",
    "https://evil.com/docs.example.com",
    "https://evil.com/.docs.example.com",
    "https://evil.com\\@docs.example.com",
    "https://docs.example.com@evil.com",
    "https://evil.com@docs.example.com",
    "https://user:password@docs.example.com:8443",
    "https://docs.example.com:8443@evil.com",
    "https://docs.example.com:8443.evil.com",
    "https://docs.example.com.:8443",
    "https://docs.example.com",
    "https://docs.example.com:8444",
    "https://docs.example.com:84430",
    "https://docs.example.com:8443/",
    "https://docs.example.com:8443 ",
    "https://docs.example.com:8443,https://evil.com",
    "https://evildocs.example.com:8443",
    "https://xdocs.example.com:8443",
    "https://docs-example.com:8443",
    "https://docs%2eexample.com:8443",
    "https://xn--dcs-exa.example.com:8443",
    "https://d\u{043e}cs.example.com:8443",
    "ftp://docs.example.com:8443",
    "docs.example.com:8443",
    "//docs.example.com:8443",
    "null",
    "undefined",
    "*",
    "",
];

const ALLOWED: &[&str] =
    &["https://docs.example.com:8443", "HTTPS://DOCS.EXAMPLE.COM:8443", "http://docs.example.com:8443"];

/// The routes that open a session and those that use it give the same response.
#[tokio::test]
async fn look_alikes_are_refused_on_every_route() {
    let server = Server::new().await;
    let app = server.make_app(web_client(json!({ "allowedDomains": ["docs.example.com:8443"] }))).await;
    let solution = server.solution().await;
    let headers = [("origin", ALLOWED[0]), ("x-inkeep-challenge-solution", &*solution)];
    let session = server.open_session(&app, &headers).await.json();
    let bearer = format!("Bearer {}", session["token"].as_str().unwrap());

    let ask = async |method: Method, path: &str, origin: &str| {
        let origin = axum::http::HeaderValue::from_bytes(origin.as_bytes()).unwrap();
        let headers =
            [("authorization", &*bearer), ("x-inkeep-app-id", &*app), ("content-type", "application/json")];
        let body = r#"{"messages":[{"role":"user","content":"hi"}],"stream":false}"#;
        let mut request = request(method, path, &headers, body);
        request.headers_mut().insert("origin", origin);
        server.send(request).await
    };
    let session_path = format!("/run/auth/apps/{app}/anonymous-session");
    let routes = [
        (Method::POST, &*session_path, 400),
        (Method::POST, "/run/api/chat", 200),
        (Method::POST, "/run/v1/chat/completions", 200),
        (Method::GET, "/run/v1/conversations", 200),
        (Method::GET, "/run/v1/conversations/none", 404),
    ];
    for (method, path, allowed) in routes {
        for origin in TRICKS {
            let answer = ask(method.clone(), path, origin).await;
            let detail = "Origin not allowed for this app";
            assert_eq!(answer.status, 403, "{path}: {origin}");
            answer.assert_problem(403, "forbidden", "origin_not_allowed", detail);
        }
        for origin in ALLOWED {
            // The session route then requires a solution.
            assert_eq!(ask(method.clone(), path, origin).await.status, allowed, "{path}: {origin}");
        }
    }
}

#[tokio::test]
async fn an_international_name_is_its_ascii_form() {
    let server = Server::new().await;
    let app = server.make_app(web_client(json!({ "allowedDomains": ["*.bücher.example"] }))).await;
    for (origin, reason) in [
        ("https://xn--bcher-kva.example", "pow_required"),
        ("https://shop.xn--bcher-kva.example", "pow_required"),
        ("https://xn--bcher-kvb.example", "origin_not_allowed"),
        ("https://bucher.example", "origin_not_allowed"),
        ("https://xn--bcher-kva.example.evil.com", "origin_not_allowed"),
    ] {
        assert_eq!(
            server.open_session(&app, &[("origin", origin)]).await.json()["reason"],
            reason,
            "{origin}"
        );
    }
}
