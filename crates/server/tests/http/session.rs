use crate::support::{
    NOW, PAGE, Server, TOKEN_SECRET, forge_jwt, jwt_part, jwt_signature, settings, web_client,
    without_proof_of_work,
};
use saltmine_server::Settings;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::Duration;

fn claims(app: &str) -> Value {
    json!({
        "iss": "inkeep", "sub": "anon_00000000-0000-4000-8000-000000000000", "tid": "acme", "pid": "docs",
        "app": app, "type": "anonymous", "iat": NOW - 10, "exp": NOW + 10,
    })
}

fn hs256() -> Value {
    json!({ "typ": "JWT", "alg": "HS256" })
}

/// Returns the `sub` of the session that a request with this `Authorization` gets.
async fn sub_with(server: &Server, app: &str, authorization: &str) -> String {
    let solution = server.solution().await;
    let headers = [("x-inkeep-challenge-solution", &*solution), ("authorization", authorization)];
    let answer = server.open_session(app, &headers).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    sub(answer.json()["token"].as_str().unwrap())
}

fn sub(token: &str) -> String {
    jwt_part(token, 1)["sub"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_session_is_as_the_protocol_says() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let solution = server.solution().await;
    let answer = server.open_session(&app, &[("x-inkeep-challenge-solution", &solution)]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().len(), 2);
    assert_eq!(body["expiresAt"], "2026-10-21T14:13:20Z", "30 days on");

    let token = body["token"].as_str().unwrap();
    assert_eq!(jwt_part(token, 0), hs256());
    let claims = jwt_part(token, 1);
    let uuid = claims["sub"].as_str().unwrap().strip_prefix("anon_").unwrap().to_owned();
    let uuid: uuid::Uuid = uuid.parse().unwrap();
    assert_eq!(uuid.get_version_num(), 4);
    assert_eq!(
        claims,
        json!({
            "iss": "inkeep", "sub": format!("anon_{uuid}"), "tid": "acme", "pid": "docs", "app": app,
            "type": "anonymous", "iat": NOW, "exp": NOW + 2_592_000,
        })
    );
    let (message, signature) = token.rsplit_once('.').unwrap();
    assert_eq!(signature, jwt_signature(message, TOKEN_SECRET), "HMAC-SHA-256 of the two other parts");
    assert_eq!(message.split('.').count(), 2);
}

#[tokio::test]
async fn without_proof_of_work_a_session_opens_as_well() {
    let server = Server::with(without_proof_of_work()).await;
    let app = server.web_client().await;
    assert_eq!(server.open_session(&app, &[]).await.status, 200);
    let headers = [("x-inkeep-challenge-solution", "whatever")];
    assert_eq!(server.open_session(&app, &headers).await.status, 200, "a solution is not looked at");
}

#[tokio::test]
async fn the_lifetime_is_the_operators() {
    let server = Server::with(Settings { session_lifetime_seconds: 60, ..settings() }).await;
    let app = server.web_client().await;
    let token = server.token(&app).await;
    assert_eq!(jwt_part(&token, 1)["exp"], NOW + 60);
}

#[tokio::test]
async fn an_unknown_or_disabled_app_is_not_found() {
    let server = Server::new().await;
    let mut disabled = web_client(json!({ "allowedDomains": ["*"] }));
    disabled["enabled"] = json!(false);
    let disabled = server.make_app(disabled).await;
    for app in [&disabled, "app_unknown000000000", "app'--", "%00", "%F0%9F%98%80"] {
        let answer = server.open_session(app, &[]).await;
        answer.assert_problem(404, "not_found", "app_not_found", "App not found");
    }
}

#[tokio::test]
async fn only_web_clients_have_anonymous_sessions() {
    let server = Server::new().await;
    let app = server.make_app(json!({ "name": "Api", "type": "api", "config": { "type": "api" } })).await;
    let answer = server.open_session(&app, &[]).await;
    let detail = "This app is not of type web_client.";
    answer.assert_problem(400, "bad_request", "app_type_not_supported", detail);
}

#[tokio::test]
async fn anonymous_visitors_can_be_unwanted() {
    let server = Server::new().await;
    let app = web_client(json!({ "allowedDomains": ["docs.example.com"], "allowAnonymous": false }));
    let app = server.make_app(app).await;
    let answer = server.open_session(&app, &[("origin", "https://evil.com")]).await;
    let detail = "Anonymous sessions are not allowed for this app.";
    answer.assert_problem(401, "unauthorized", "anonymous_not_allowed", detail);
}

#[tokio::test]
async fn the_origin_must_be_allowed() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let path = format!("/run/auth/apps/{app}/anonymous-session");
    let detail = "Origin not allowed for this app";
    let without = server.post(&path, &[], "").await;
    without.assert_problem(403, "forbidden", "origin_not_allowed", detail);
    for origin in ["https://evil.com", "https://docs.example.com.evil.com", "null", ""] {
        let answer = server.open_session(&app, &[("origin", origin)]).await;
        answer.assert_problem(403, "forbidden", "origin_not_allowed", detail);
    }
    let twice = server.post(&path, &[("origin", PAGE), ("origin", PAGE)], "").await;
    twice.assert_problem(403, "forbidden", "origin_not_allowed", detail);
}

#[tokio::test]
async fn any_origin_is_one_that_is_there() {
    let server = Server::with(without_proof_of_work()).await;
    let app = server.make_app(web_client(json!({ "allowedDomains": ["*"] }))).await;
    for origin in ["null", "https://anywhere.example", "http://localhost:1"] {
        assert_eq!(server.open_session(&app, &[("origin", origin)]).await.status, 200, "{origin}");
    }
    let path = format!("/run/auth/apps/{app}/anonymous-session");
    assert_eq!(server.post(&path, &[], "").await.status, 403, "it must be told");
}

/// Each request also fails every later check: the response reports only the first failure.
#[tokio::test]
async fn checks_come_in_their_order() {
    let server = Server::new().await;
    let api = json!({ "name": "Api", "type": "api", "config": { "type": "api" } });
    let closed = web_client(json!({ "allowedDomains": ["docs.example.com"], "allowAnonymous": false }));
    let (api, closed, open) =
        (server.make_app(api).await, server.make_app(closed).await, server.web_client().await);
    let evil = [("origin", "https://evil.com"), ("x-inkeep-challenge-solution", "x")];
    for (app, headers, reason) in [
        ("app_unknown000000000", &evil[..], "app_not_found"),
        (&api, &evil, "app_type_not_supported"),
        (&closed, &evil, "anonymous_not_allowed"),
        (&open, &evil, "origin_not_allowed"),
        (&open, &evil[1..], "pow_invalid"),
    ] {
        assert_eq!(server.open_session(app, headers).await.json()["reason"], reason);
    }
}

#[tokio::test]
async fn a_refresh_keeps_the_user_and_moves_the_end() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let token = server.token(&app).await;
    server.clock.pass(Duration::from_secs(100));

    let solution = server.solution().await;
    for scheme in ["Bearer", "bearer", "BEARER "] {
        let bearer = format!("{scheme} {token}");
        assert_eq!(sub_with(&server, &app, &bearer).await, sub(&token));
    }
    let bearer = format!("Bearer {token}");
    let headers = [("x-inkeep-challenge-solution", &*solution), ("authorization", &*bearer)];
    let answer = server.open_session(&app, &headers).await.json();
    let claims = jwt_part(answer["token"].as_str().unwrap(), 1);
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(NOW + 100), &json!(NOW + 100 + 2_592_000)));
    assert_eq!(answer["expiresAt"], "2026-10-21T14:15:00Z");
}

#[tokio::test]
async fn a_refresh_needs_its_own_proof_of_work() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let bearer = format!("Bearer {}", server.token(&app).await);
    let answer = server.open_session(&app, &[("authorization", &bearer)]).await;
    assert_eq!(answer.json()["reason"], "pow_required");
}

/// Each forged token below has one difference from this one.
#[tokio::test]
async fn a_token_made_by_hand_with_the_right_key_is_known() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let token = forge_jwt(&hs256(), &claims(&app), TOKEN_SECRET);
    assert_eq!(sub_with(&server, &app, &format!("Bearer {token}")).await, sub(&token));
}

#[tokio::test]
async fn any_other_token_is_ignored() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let with = |member: &str, value: Value| {
        let mut claims = claims(&app);
        claims[member] = value;
        forge_jwt(&hs256(), &claims, TOKEN_SECRET)
    };
    let without = |member: &str| {
        let mut claims = claims(&app);
        claims.as_object_mut().unwrap().remove(member);
        forge_jwt(&hs256(), &claims, TOKEN_SECRET)
    };
    let good = forge_jwt(&hs256(), &claims(&app), TOKEN_SECRET);
    let (message, signature) = good.rsplit_once('.').unwrap();
    let none = forge_jwt(&json!({ "typ": "JWT", "alg": "none" }), &claims(&app), TOKEN_SECRET);
    let tokens = [
        ("of another app", with("app", json!("app_other00000000000"))),
        ("expired", with("exp", json!(NOW))),
        ("of another issuer", with("iss", json!("evil"))),
        ("of another kind", with("type", json!("staff"))),
        ("without an end", without("exp")),
        ("without a user", without("sub")),
        ("with a text as its end", with("exp", json!("9999999999"))),
        ("of another key", forge_jwt(&hs256(), &claims(&app), "another secret, as long as the right one")),
        ("of no key", forge_jwt(&hs256(), &claims(&app), "")),
        ("alg none, signed", none.clone()),
        ("alg none, unsigned", format!("{}.", none.rsplit_once('.').unwrap().0)),
        ("alg HS512", forge_jwt(&json!({ "typ": "JWT", "alg": "HS512" }), &claims(&app), TOKEN_SECRET)),
        ("alg RS256", forge_jwt(&json!({ "typ": "JWT", "alg": "RS256" }), &claims(&app), TOKEN_SECRET)),
        ("unsigned", format!("{message}.")),
        ("cut", format!("{message}.{}", &signature[..20])),
        ("lengthened", format!("{good}A")),
        ("in two parts", message.to_owned()),
        ("in four parts", format!("{good}.x")),
        ("no token", "x".to_owned()),
    ];
    let original = sub(&good);
    for (what, token) in tokens {
        let fresh = sub_with(&server, &app, &format!("Bearer {token}")).await;
        assert!(fresh.starts_with("anon_") && fresh != original, "{what}");
    }
    for authorization in [format!("Basic {good}"), good.clone(), "Bearer".to_owned(), "Bearer ".to_owned()] {
        assert_ne!(sub_with(&server, &app, &authorization).await, original, "{authorization}");
    }
}

#[tokio::test]
async fn without_random_numbers_there_is_no_session() {
    let server = Server::with(without_proof_of_work()).await;
    let app = server.web_client().await;
    server.random.broken.store(true, Ordering::SeqCst);
    let answer = server.open_session(&app, &[]).await;
    let detail = "Something went wrong on the server. Please try again later.";
    answer.assert_problem(500, "internal_server_error", "internal", detail);
}
