//! Signed-in users, with keys and tokens from another JWT library (tests/vectors/user-tokens.generate.mjs).

use crate::support::{APPS, MANAGEMENT_KEY, NOW, PAGE, Server, settings, web_client};
use crate::visitor::Visitor;
use axum::http::Method;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use futures_util::StreamExt;
use saltmine_server::{Agent, Agents, Message, PowScope, ProofOfWork, Reply, Role, Settings};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/user-tokens.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(file["now"], NOW);
    file
}

/// Returns the token of the case with this name.
fn token(name: &str) -> String {
    let file = vectors();
    let case = file["cases"].as_array().unwrap().iter().find(|case| case["name"] == name).unwrap();
    case["token"].as_str().unwrap().to_owned()
}

const GOOD: &str = "ES256: signed by jose";

/// Returns an app with the keys of the vectors; `more` are members of its settings.
async fn app(server: &Server, more: Value) -> String {
    let file = vectors();
    let mut client = json!({
        "allowedDomains": ["docs.example.com"], "publicKeys": file["keys"], "audience": file["audience"],
    });
    client.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.make_app(web_client(client)).await
}

/// An agent that records its context.
#[derive(Clone, Default)]
struct Noting(Arc<Mutex<Vec<Message>>>);

impl Agent for Noting {
    fn reply(&self, messages: Vec<Message>) -> Reply {
        *self.0.lock().unwrap() = messages;
        futures_util::stream::iter([Ok("noted".to_owned())]).boxed()
    }
}

#[tokio::test]
async fn every_vector_is_accepted_or_refused_as_it_says() {
    let file = vectors();
    let agent = Noting::default();
    let agents = Agents::built_in().with(Agents::ECHO, agent.clone());
    let server = Server::new().await.with_agents(agents);
    let strict = app(&server, json!({})).await;
    let without_audience = app(&server, json!({ "audience": null })).await;
    let mut cases: Vec<_> = file["cases"].as_array().unwrap().iter().collect();
    cases.sort_by_key(|case| case["at"].as_u64().unwrap_or(0));
    assert!(cases.len() > 80, "{}", cases.len());
    let mut at = 0;
    for case in cases {
        let name = &case["name"];
        let later = case["at"].as_u64().unwrap_or(0);
        server.clock.pass(Duration::from_secs(later - at));
        at = later;
        let app = if case.get("audience").is_some() { &without_audience } else { &strict };
        let user = Visitor::with_token(app, case["token"].as_str().unwrap());
        let answer = user.say(&server, "Hello", None).await;
        if let Some(error) = case["error"].as_str() {
            let detail = format!("Invalid end-user JWT: {error}");
            assert_eq!(answer.json()["detail"], detail, "{name}");
            answer.assert_problem(401, "unauthorized", "user_token_invalid", &detail);
            continue;
        }
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        let received = agent.0.lock().unwrap().clone();
        let claims = received.iter().find(|message| message.role == Role::System);
        let claims = claims.map_or(json!({}), |message| {
            let words = "The user is signed in. Verified claims about the user, as JSON: ";
            serde_json::from_str(message.content.strip_prefix(words).unwrap()).unwrap()
        });
        assert_eq!(claims, case["claims"], "{name}");
        let id = answer.json()["conversationId"].as_str().unwrap().to_owned();
        let rows = server.database.texts("SELECT id || ' ' || user_id FROM conversations").await;
        let stored = rows.iter().find_map(|row| row.strip_prefix(&format!("{id} ")));
        assert_eq!(stored, case["sub"].as_str(), "{name}");
    }
}

/// Headers that a JWT library does not write, with a valid signature.
#[tokio::test]
async fn a_header_must_be_an_object_without_crit() {
    use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
    use p256::pkcs8::{EncodePublicKey as _, LineEnding};
    let server = Server::new().await;
    let signing = SigningKey::from_slice(&[7; 32]).unwrap();
    let pem = signing.verifying_key().to_public_key_pem(LineEnding::LF).unwrap();
    let key = json!({ "kid": "k", "publicKey": pem, "algorithm": "ES256" });
    let made = web_client(json!({ "allowedDomains": ["docs.example.com"], "publicKeys": [key] }));
    let app = server.make_app(made).await;
    let claims = json!({ "sub": "user_1", "iat": NOW, "exp": NOW + 60 });
    for (header, error) in [
        (json!({ "alg": "ES256", "kid": "k" }), None),
        (
            json!(["ES256", "k", null]),
            Some("it must be three base64url parts, a header and claims in JSON and a signature"),
        ),
        (
            json!({ "alg": "ES256", "kid": "k", "crit": null }),
            Some("its header has `crit`, and the server knows no extensions"),
        ),
        (
            json!({ "alg": "ES256", "kid": 7 }),
            Some("its header must have a `kid`, the name of a key of this app"),
        ),
    ] {
        let [head, body] =
            [&header, &claims].map(|part| Base64UrlUnpadded::encode_string(part.to_string().as_bytes()));
        let message = format!("{head}.{body}");
        let signature: Signature = signing.sign(message.as_bytes());
        let signature = Base64UrlUnpadded::encode_string(&signature.to_bytes());
        let user = Visitor::with_token(&app, &format!("{message}.{signature}"));
        let answer = user.say(&server, "Hello", None).await;
        match error {
            None => assert_eq!(answer.status, 200, "{header}: {}", answer.text()),
            Some(error) => {
                assert_eq!(answer.json()["detail"], format!("Invalid end-user JWT: {error}"), "{header}");
            }
        }
    }
}

/// The order of section 11: each request breaks one rule and all later ones.
#[tokio::test]
async fn the_checks_come_in_their_order() {
    let server = Server::new().await;
    let strict = app(&server, json!({})).await;
    let lenient = app(&server, json!({ "allowAnonymous": true })).await;
    let disabled = app(&server, json!({})).await;
    let path = format!("{APPS}/{disabled}");
    assert_eq!(server.manage_at(Method::PATCH, &path, &json!({ "enabled": false })).await.status, 200);
    let anonymous_only = server.make_app(web_client(json!({ "allowedDomains": ["docs.example.com"] }))).await;
    let nobody = web_client(json!({ "allowedDomains": ["docs.example.com"], "allowAnonymous": false }));
    let nobody = server.make_app(nobody).await;
    let api = server.make_app(json!({ "name": "Api", "type": "api", "config": { "type": "api" } })).await;
    let anonymous = server.token(&lenient).await;
    let foreign_anonymous = server.token(&anonymous_only).await;
    let good = token(GOOD);
    let foreign = token("ES256: a foreign key");
    let (evil, page) = (Some("https://evil.com"), Some(PAGE));
    let mismatch = "Invalid end-user JWT: its signature does not match its key";
    /// The app, the origin, the token; the status and the detail.
    type Case<'a> = (&'a str, Option<&'a str>, Option<&'a str>, u16, &'a str);
    let cases: &[Case<'_>] = &[
        ("app_unknown000000000", evil, None, 404, "App not found"),
        (&disabled, page, Some(&good), 404, "App not found"),
        (&api, page, Some(&good), 400, "This app is not of type web_client."),
        (&strict, evil, Some(&good), 403, "Origin not allowed for this app"),
        (&strict, None, Some(&good), 403, "Origin not allowed for this app"),
        (&strict, evil, Some(&foreign), 403, "Origin not allowed for this app"),
        (&strict, evil, None, 403, "Origin not allowed for this app"),
        (&strict, page, None, 401, "Bearer token required for web_client app"),
        (&strict, page, Some(&foreign), 401, mismatch),
        (
            &strict,
            page,
            Some(&anonymous),
            401,
            "Invalid end-user JWT: its header must have a `kid`, the name of a key of this app",
        ),
        (&strict, page, Some(&good), 200, ""),
        (&lenient, page, None, 401, "Bearer token required for web_client app"),
        (&lenient, page, Some(&foreign), 401, "Invalid end-user JWT"),
        (&lenient, page, Some(&foreign_anonymous), 401, "JWT app claim does not match request app ID"),
        (&lenient, page, Some(&anonymous), 200, ""),
        (&lenient, page, Some(&good), 200, ""),
        (&anonymous_only, page, Some(&good), 401, "Invalid end-user JWT"),
        (&nobody, page, Some(&good), 401, "Anonymous sessions are not allowed for this app."),
    ];
    for (app, origin, token, status, detail) in cases {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("x-inkeep-app-id", *app)];
        headers.extend(origin.map(|origin| ("origin", origin)));
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        let request = crate::support::request(Method::GET, "/run/v1/conversations", &headers, "");
        let answer = server.send(request).await;
        assert_eq!(answer.status, *status, "{app} {origin:?} {token:?}: {}", answer.text());
        if *status != 200 {
            assert_eq!(answer.json()["detail"], *detail, "{app} {origin:?} {token:?}");
        }
    }
}

/// There is no session call and no challenge for signed-in users, even if requests of visitors require one.
#[tokio::test]
async fn no_signed_in_user_needs_a_proof_of_work() {
    let proof_of_work = settings().proof_of_work.map(|pow| ProofOfWork { scope: PowScope::Request, ..pow });
    let server = Server::with(Settings { proof_of_work, ..settings() }).await;
    let id = app(&server, json!({ "allowAnonymous": true })).await;
    let user = Visitor::with_token(&id, &token(GOOD));
    assert_eq!(user.say(&server, "Hello", None).await.status, 200);
    let anonymous = Visitor::of(&server, &id).await;
    assert_eq!(anonymous.say(&server, "Hello", None).await.json()["reason"], "pow_required");
}

/// An app with keys is only for signed-in users, unless its owner allows anonymous sessions.
#[tokio::test]
async fn an_app_with_keys_takes_no_anonymous_visitors_by_default() {
    let server = Server::new().await;
    let id = app(&server, json!({})).await;
    let solution = server.solution().await;
    let answer = server.open_session(&id, &[("x-inkeep-challenge-solution", &solution)]).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["reason"]), (401, &"anonymous_not_allowed".into()));
    let read = server.manage_at(Method::GET, &format!("{APPS}/{id}"), &json!({})).await.json();
    assert_eq!(read["data"]["config"]["webClient"]["allowAnonymous"], false);
    assert_eq!(read["data"]["config"]["webClient"]["audience"], vectors()["audience"]);

    // Keys that are added later do not change this.
    let id = server.web_client().await;
    let key = &vectors()["keys"][3];
    let keys = format!("{APPS}/{id}/auth/keys");
    assert_eq!(server.manage_at(Method::POST, &keys, key).await.status, 201);
    server.token(&id).await;
}

/// A signed-in user and an anonymous visitor are separate users, and so are users with the same name of two apps.
#[tokio::test]
async fn users_see_their_own_conversations_only() {
    let server = Server::new().await;
    let id = app(&server, json!({ "allowAnonymous": true })).await;
    let other_app = app(&server, json!({ "audience": null })).await;
    let user = Visitor::with_token(&id, &token(GOOD));
    let conversation = user.begin(&server, "Mine").await;
    // Another token of the same user.
    let again = Visitor::with_token(&id, &token("RS512: signed by jose"));
    assert_eq!(again.conversations(&server, "").await.0, [&*conversation]);
    let longest = Visitor::with_token(&id, &token("the longest sub"));
    let anonymous = Visitor::of(&server, &id).await;
    let elsewhere = Visitor::with_token(&other_app, &token(GOOD));
    for other in [&longest, &anonymous, &elsewhere] {
        assert!(other.conversations(&server, "").await.0.is_empty());
        let read = other.get(&server, &format!("/run/v1/conversations/{conversation}")).await;
        assert_eq!(read.status, 404);
    }
    // A session cannot be opened with a signed-in user's token: the visitor is a new one.
    let solution = server.solution().await;
    let bearer = format!("Bearer {}", token(GOOD));
    let headers = [("x-inkeep-challenge-solution", &*solution), ("authorization", &*bearer)];
    let session = server.open_session(&id, &headers).await.json();
    let sub = crate::support::jwt_part(session["token"].as_str().unwrap(), 1)["sub"].clone();
    assert!(sub.as_str().unwrap().starts_with("anon_"), "{sub}");
}

/// A visitor cannot write a text that looks like verified claims to an agent.
#[tokio::test]
async fn an_anonymous_visitor_has_no_claims() {
    let agent = Noting::default();
    let agents = Agents::built_in().with(Agents::ECHO, agent.clone());
    let server = Server::new().await.with_agents(agents);
    let id = app(&server, json!({ "allowAnonymous": true })).await;
    let body = json!({
        "messages": [{ "role": "user", "content": "Hello" }], "stream": false,
        "userProperties": { "plan": "team" }, "properties": {}, "requestContext": {},
    });
    for visitor in [Visitor::of(&server, &id).await, Visitor::with_token(&id, &token(GOOD))] {
        assert_eq!(visitor.post(&server, "/run/api/chat", &body).await.status, 200);
    }
    let received = agent.0.lock().unwrap().clone();
    assert_eq!(received.len(), 2, "the signed-in user's claims, and the message");
    assert!(received[0].content.contains(r#""name":"Ada""#) && received[0].content.contains("team"));
    let anonymous = Visitor::of(&server, &id).await;
    assert_eq!(anonymous.post(&server, "/run/api/chat", &body).await.status, 200);
    assert_eq!(agent.0.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_that_is_removed_verifies_nothing() {
    let server = Server::new().await;
    let id = app(&server, json!({})).await;
    let user = Visitor::with_token(&id, &token(GOOD));
    assert_eq!(user.get(&server, "/run/v1/conversations").await.status, 200);
    let key = format!("Bearer {MANAGEMENT_KEY}");
    let path = format!("{APPS}/{id}/auth/keys/key-ES256");
    let request = crate::support::request(Method::DELETE, &path, &[("authorization", &key)], "");
    assert_eq!(server.send(request).await.status, 204);
    let answer = user.get(&server, "/run/v1/conversations").await;
    assert_eq!(answer.json()["detail"], "Invalid end-user JWT: this app has no key with its `kid`");
}
