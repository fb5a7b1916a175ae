//! Tokens that are used for another purpose than their own.

use crate::support::{NOW, PAGE, Server, TOKEN_SECRET, forge_jwt, jwt_part, settings};
use crate::visitor::Visitor;
use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use saltmine_server::Settings;
use serde_json::{Value, json};
use sha2::{Sha384, Sha512};
use std::time::Duration;

const INVALID: &str = "Invalid end-user JWT";

/// Returns the claims of a valid token, with some replaced; `null` removes a claim.
fn claims(app: &str, replace: Value) -> Value {
    let mut claims = json!({
        "iss": "inkeep", "sub": "anon_5f0c9a52-7a31-4d5f-9a53-0d3a4f8a1c11", "tid": "acme", "pid": "docs",
        "app": app, "type": "anonymous", "iat": NOW, "exp": NOW + 99,
    });
    for (name, value) in replace.as_object().unwrap() {
        match value {
            Value::Null => _ = claims.as_object_mut().unwrap().remove(name),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

fn part(value: &Value) -> String {
    Base64UrlUnpadded::encode_string(value.to_string().as_bytes())
}

/// A token that is signed with the right secret, but with another HMAC.
fn by_another_hmac(algorithm: &str, claims: &Value) -> String {
    let message = format!("{}.{}", part(&json!({ "typ": "JWT", "alg": algorithm })), part(claims));
    let key = TOKEN_SECRET.as_bytes();
    let mac = match algorithm {
        "HS384" => Hmac::<Sha384>::new_from_slice(key)
            .unwrap()
            .chain_update(&message)
            .finalize()
            .into_bytes()
            .to_vec(),
        _ => Hmac::<Sha512>::new_from_slice(key)
            .unwrap()
            .chain_update(&message)
            .finalize()
            .into_bytes()
            .to_vec(),
    };
    format!("{message}.{}", Base64UrlUnpadded::encode_string(&mac))
}

#[tokio::test]
async fn what_is_not_signed_by_us_opens_nothing() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let hs256 = json!({ "typ": "JWT", "alg": "HS256" });
    let good = claims(&app, json!({}));
    let by_hand = |header: Value| forge_jwt(&header, &good, TOKEN_SECRET);
    let right = by_hand(hs256.clone());
    assert_eq!(
        Visitor::with_token(&app, &right).get(&server, "/run/v1/conversations").await.status,
        200,
        "made by the rules it is good: what follows is refused for its fault alone"
    );
    let (message, signature) = right.rsplit_once('.').unwrap();
    let wrong_key = forge_jwt(&hs256, &good, "another secret, as long as the right one is");
    let none = json!({ "typ": "JWT", "alg": "none" });
    let unsigned = format!("{}.{}.", part(&none), part(&good));
    let other_sub = part(&claims(&app, json!({ "sub": "anon_somebody else" })));
    let head = message.split_once('.').unwrap().0;
    let forged = [
        ("the wrong key", wrong_key),
        ("the empty key", forge_jwt(&hs256, &good, "")),
        ("alg none, no signature", unsigned.clone()),
        ("alg none, no last dot", unsigned.trim_end_matches('.').to_owned()),
        ("alg none, a signature", forge_jwt(&none, &good, TOKEN_SECRET)),
        ("alg None", by_hand(json!({ "typ": "JWT", "alg": "None" }))),
        ("alg NONE", format!("{}.{}.", part(&json!({ "alg": "NONE" })), part(&good))),
        ("no alg", by_hand(json!({ "typ": "JWT" }))),
        ("alg null", by_hand(json!({ "alg": null }))),
        ("alg hs256", by_hand(json!({ "alg": "hs256" }))),
        // Confusion: the same bytes, with another type in the header.
        ("HS256 called RS256", by_hand(json!({ "typ": "JWT", "alg": "RS256" }))),
        ("HS256 called ES256", by_hand(json!({ "typ": "JWT", "alg": "ES256" }))),
        ("HS256 called EdDSA", by_hand(json!({ "typ": "JWT", "alg": "EdDSA" }))),
        ("HS256 called HS512", by_hand(json!({ "typ": "JWT", "alg": "HS512" }))),
        ("HS384", by_another_hmac("HS384", &good)),
        ("HS512", by_another_hmac("HS512", &good)),
        ("HS512 called HS256", {
            let hs512 = by_another_hmac("HS512", &good);
            format!("{message}.{}", hs512.rsplit_once('.').unwrap().1)
        }),
        ("other claims", format!("{head}.{other_sub}.{signature}")),
        ("another signature", format!("{message}.{}", "A".repeat(43))),
        ("half a signature", format!("{message}.{}", &signature[..21])),
        ("no signature", format!("{message}.")),
        ("no dot", message.replace('.', "")),
        ("four parts", format!("{right}.{signature}")),
        ("five parts, as if encrypted", format!("{right}.x.y")),
        ("nothing", "..".to_owned()),
        ("a padded signature", format!("{right}=")),
        ("a space within", right.replacen('.', ". ", 1)),
        ("a very long one", format!("{message}.{}", "A".repeat(10_000))),
    ];
    for (what, token) in forged {
        let answer = Visitor::with_token(&app, &token).say(&server, "hi", None).await;
        assert_eq!(answer.json()["detail"], INVALID, "{what}");
        answer.assert_problem(401, "unauthorized", "token_invalid", INVALID);
    }
}

/// The server ignores keys in the header of a token.
#[tokio::test]
async fn a_header_cannot_bring_its_own_key() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let mine = "a key of the attacker's own, long enough for all";
    for header in [
        json!({ "alg": "HS256", "jwk": { "kty": "oct", "k": part(&json!(mine)) } }),
        json!({ "alg": "HS256", "jku": "https://evil.com/keys.json" }),
        json!({ "alg": "HS256", "x5u": "https://evil.com/cert.pem" }),
        json!({ "alg": "HS256", "kid": "../../../../dev/null" }),
        json!({ "alg": "HS256", "kid": "' UNION SELECT 'x" }),
        json!({ "alg": "HS256", "crit": ["exp"] }),
    ] {
        for key in [mine, ""] {
            let token = forge_jwt(&header, &claims(&app, json!({})), key);
            let answer = Visitor::with_token(&app, &token).say(&server, "hi", None).await;
            answer.assert_problem(401, "unauthorized", "token_invalid", INVALID);
        }
    }
}

/// A token that is signed with the right key, by an application that also uses the key for another purpose.
#[tokio::test]
async fn what_it_says_must_be_right_as_well() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let hs256 = json!({ "typ": "JWT", "alg": "HS256" });
    for (what, replace) in [
        ("expired", json!({ "exp": NOW })),
        ("long expired", json!({ "exp": 1 })),
        ("no end", json!({ "exp": null })),
        ("an end of text", json!({ "exp": (NOW + 99).to_string() })),
        ("an end before time", json!({ "exp": -1 })),
        ("an end beyond numbers", json!({ "exp": 1e30 })),
        ("another issuer", json!({ "iss": "evil" })),
        ("no issuer", json!({ "iss": null })),
        ("issuers", json!({ "iss": ["inkeep", "evil"] })),
        ("another kind", json!({ "type": "staff" })),
        ("no kind", json!({ "type": null })),
        ("nobody's", json!({ "sub": null })),
        ("no app", json!({ "app": null })),
        ("no tenant", json!({ "tid": null })),
        ("a user who is no text", json!({ "sub": { "$ne": "" } })),
    ] {
        let token = forge_jwt(&hs256, &claims(&app, replace), TOKEN_SECRET);
        let answer = Visitor::with_token(&app, &token).say(&server, "hi", None).await;
        assert_eq!(answer.json()["detail"], INVALID, "{what}");
        // It renews no session either.
        let bearer = format!("Bearer {token}");
        let solution = server.solution().await;
        let headers = [("authorization", &*bearer), ("x-inkeep-challenge-solution", &*solution)];
        let session = server.open_session(&app, &headers).await.json();
        let sub = jwt_part(session["token"].as_str().unwrap(), 1)["sub"].clone();
        assert_ne!(sub, "anon_5f0c9a52-7a31-4d5f-9a53-0d3a4f8a1c11", "{what}");
    }
}

#[tokio::test]
async fn a_token_is_good_for_its_app_alone() {
    let server = Server::new().await;
    let (app, other) = (server.web_client().await, server.web_client().await);
    let token = server.token(&app).await;
    for path in ["/run/v1/conversations", "/run/v1/conversations/x"] {
        let answer = Visitor::with_token(&other, &token).get(&server, path).await;
        let detail = "JWT app claim does not match request app ID";
        answer.assert_problem(401, "unauthorized", "token_app_mismatch", detail);
    }
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", &*bearer),
        ("x-inkeep-app-id", &*app),
        ("x-inkeep-app-id", &*other),
        ("origin", PAGE),
    ];
    let twice = crate::support::request(axum::http::Method::GET, "/run/v1/conversations", &headers, "");
    assert_eq!(server.send(twice).await.status, 200, "the first of two counts, and is the token's");
}

/// A token that expires during a chat is refused from that second on.
#[tokio::test]
async fn a_token_ends_with_its_second() {
    let server = Server::with(Settings { session_lifetime_seconds: 60, ..settings() }).await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    server.clock.pass(Duration::from_millis(59_999));
    assert_eq!(visitor.get(&server, "/run/v1/conversations").await.status, 200);
    server.clock.pass(Duration::from_millis(1));
    let answer = visitor.get(&server, "/run/v1/conversations").await;
    answer.assert_problem(401, "unauthorized", "token_invalid", INVALID);
}
