//! The keys of signed-in users in the management API.

use crate::signed_in::vectors;
use crate::support::{APPS, NOW, Server, web_client};
use axum::http::Method;
use serde_json::{Value, json};

async fn keys(server: &Server, app: &str) -> Value {
    let answer = server.manage_at(Method::GET, &format!("{APPS}/{app}/auth/keys"), &json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["data"].clone()
}

#[tokio::test]
async fn keys_are_added_listed_and_removed() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let path = format!("{APPS}/{app}/auth/keys");
    assert_eq!(keys(&server, &app).await, json!([]));
    let mut expected = Vec::new();
    for key in vectors()["keys"].as_array().unwrap() {
        let answer = server.manage_at(Method::POST, &path, key).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let mut stored = key.clone();
        stored["publicKey"] = key["publicKey"].as_str().unwrap().trim().into();
        stored["addedAt"] = jiff::Timestamp::from_second(NOW).unwrap().to_string().into();
        assert_eq!(answer.json(), json!({ "data": stored }));
        expected.push(stored);
    }
    assert_eq!(keys(&server, &app).await, json!(expected));
    let read = server.manage_at(Method::GET, &format!("{APPS}/{app}"), &json!({})).await.json();
    assert_eq!(read["data"]["config"]["webClient"]["publicKeys"], json!(expected));

    let again = server.manage_at(Method::POST, &path, &vectors()["keys"][0]).await;
    assert_eq!((again.status.as_u16(), &again.json()["reason"]), (409, &"user_key_exists".into()));

    let one = format!("{path}/key-RS256");
    assert_eq!(server.manage_at(Method::DELETE, &one, &json!({})).await.status, 204);
    let gone = server.manage_at(Method::DELETE, &one, &json!({})).await;
    gone.assert_problem(404, "not_found", "user_key_not_found", "Key not found");
    assert_eq!(keys(&server, &app).await, json!(expected[1..]));
}

/// Key services, Java and environment variables write the base64 on one line, MIME encoders in lines of 76 characters.
#[tokio::test]
async fn a_pem_may_have_lines_of_any_length() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let path = format!("{APPS}/{app}/auth/keys");
    let mut number = 0;
    for key in vectors()["keys"].as_array().unwrap() {
        let pem = key["publicKey"].as_str().unwrap().trim();
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        for (length, end) in [(10_000, "\n"), (76, "\r\n"), (64, "\r\n"), (10_000, "")] {
            let lines: Vec<&str> =
                base64.as_bytes().chunks(length).map(|l| std::str::from_utf8(l).unwrap()).collect();
            let text =
                format!("-----BEGIN PUBLIC KEY-----{end}{}{end}-----END PUBLIC KEY-----", lines.join(end));
            let mut key = key.clone();
            key["publicKey"] = text.into();
            key["kid"] = format!("key-{number}").into();
            number += 1;
            let answer = server.manage_at(Method::POST, &path, &key).await;
            assert_eq!(answer.status, 201, "{length}: {}", answer.text());
            let one = format!("{path}/key-{}", number - 1);
            assert_eq!(server.manage_at(Method::DELETE, &one, &json!({})).await.status, 204);
        }
    }
}

#[tokio::test]
async fn a_kid_may_be_any_visible_text() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let path = format!("{APPS}/{app}/auth/keys");
    for kid in ["2026/11?a=b#c", "%2F", "...", &"x".repeat(255)] {
        let mut key = vectors()["keys"][3].clone();
        key["kid"] = kid.into();
        assert_eq!(server.manage_at(Method::POST, &path, &key).await.status, 201, "{kid}");
        let encoded: String = kid.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = server.manage_at(Method::DELETE, &format!("{path}/{encoded}"), &json!({})).await;
        assert_eq!(answer.status, 204, "{kid}");
    }
    for kid in ["", ".", "..", " ", "a b", "a\nb", "é", &"x".repeat(256)] {
        let mut key = vectors()["keys"][3].clone();
        key["kid"] = kid.into();
        let answer = server.manage_at(Method::POST, &path, &key).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (400, &"kid".into()), "{kid:?}");
    }
}

#[tokio::test]
async fn wrong_keys_are_refused_with_the_reason() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let path = format!("{APPS}/{app}/auth/keys");
    let file = vectors();
    for case in file["refusedKeys"].as_array().unwrap() {
        let key = json!({ "kid": "k", "publicKey": case["publicKey"], "algorithm": case["algorithm"] });
        let answer = server.manage_at(Method::POST, &path, &key).await;
        let detail = format!("publicKey: {}", case["problem"].as_str().unwrap());
        assert_eq!(answer.json()["detail"], detail, "{}", case["name"]);
        answer.assert_problem(400, "bad_request", "user_key_invalid", &detail);
        // The same in a new app, with the path of the key.
        let new = web_client(json!({ "allowedDomains": ["*"], "publicKeys": [key] }));
        let answer = server.manage(&new).await;
        assert_eq!(answer.status, 422, "{}", case["name"]);
        assert_eq!(answer.json()["field"], "config.webClient.publicKeys[0].publicKey");
    }
    // A point of order 1, with which anyone can sign.
    let weak = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END PUBLIC KEY-----";
    let key = json!({ "kid": "k", "publicKey": weak, "algorithm": "EdDSA" });
    let answer = server.manage_at(Method::POST, &path, &key).await;
    assert_eq!(answer.json()["detail"], "publicKey: must be an Ed25519 key, which EdDSA needs");
    let good = &file["keys"][0];
    for algorithm in ["HS256", "PS256", "ES256K", "none", "rs256", ""] {
        let mut key = good.clone();
        key["algorithm"] = algorithm.into();
        let answer = server.manage_at(Method::POST, &path, &key).await;
        assert_eq!(answer.status, 400);
        assert_eq!(
            answer.json()["detail"],
            "algorithm: must be one of RS256, RS384, RS512, ES256, ES384, ES512, EdDSA"
        );
    }
    for member in ["kid", "publicKey", "algorithm"] {
        let mut key = good.clone();
        key.as_object_mut().unwrap().remove(member);
        let answer = server.manage_at(Method::POST, &path, &key).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &member.into()));
    }
    assert_eq!(keys(&server, &app).await, json!([]));
}

#[tokio::test]
async fn keys_are_changed_by_their_own_routes_only() {
    let server = Server::new().await;
    let file = vectors();
    let made = web_client(json!({ "allowedDomains": ["*"], "publicKeys": file["keys"], "audience": "a" }));
    let app = server.make_app(made).await;
    let path = format!("{APPS}/{app}");
    let config = server.manage_at(Method::GET, &path, &json!({})).await.json()["data"]["config"].clone();
    // A key that was read can be sent back.
    let answer = server.manage_at(Method::PATCH, &path, &json!({ "config": config })).await;
    assert_eq!(answer.json()["data"]["config"], config, "{}", answer.text());
    for keys in [json!([]), json!([file["keys"][0]])] {
        let mut other = config.clone();
        other["webClient"]["publicKeys"] = keys;
        let answer = server.manage_at(Method::PATCH, &path, &json!({ "config": other })).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.json()["field"], "config.webClient.publicKeys");
    }
    // The audience is an ordinary setting.
    let change = |audience: Value| json!({ "config": { "type": "web_client", "webClient": { "audience": audience } } });
    for (audience, expected) in [(json!("b"), json!("b")), (Value::Null, Value::Null)] {
        let answer = server.manage_at(Method::PATCH, &path, &change(audience)).await;
        assert_eq!(answer.json()["data"]["config"]["webClient"]["audience"], expected);
        assert_eq!(
            answer.json()["data"]["config"]["webClient"]["publicKeys"],
            config["webClient"]["publicKeys"]
        );
    }
    let answer = server.manage_at(Method::PATCH, &path, &change(json!(" "))).await;
    assert_eq!(answer.json()["field"], "config.webClient.audience");

    let twice =
        web_client(json!({ "allowedDomains": ["*"], "publicKeys": [file["keys"][0], file["keys"][0]] }));
    assert_eq!(server.manage(&twice).await.json()["field"], "config.webClient.publicKeys[1].kid");
}

#[tokio::test]
async fn an_app_has_at_most_20_keys() {
    let server = Server::new().await;
    let key = |index: usize| {
        let mut key = vectors()["keys"][3].clone();
        key["kid"] = format!("k{index}").into();
        key
    };
    let made = |count| {
        let keys: Vec<_> = (0..count).map(key).collect();
        web_client(json!({ "allowedDomains": ["*"], "publicKeys": keys }))
    };
    assert_eq!(server.manage(&made(21)).await.json()["field"], "config.webClient.publicKeys");
    let app = server.make_app(made(20)).await;
    let answer = server.manage_at(Method::POST, &format!("{APPS}/{app}/auth/keys"), &key(20)).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["reason"]), (409, &"user_keys_full".into()));
}

/// No key is lost if several are added at the same time.
#[tokio::test]
async fn keys_that_are_added_together_are_all_there() {
    let server = std::sync::Arc::new(Server::new().await);
    let app = server.web_client().await;
    let path = format!("{APPS}/{app}/auth/keys");
    let added = (0..10).map(|index| {
        let (server, path) = (server.clone(), path.clone());
        let mut key = vectors()["keys"][3].clone();
        key["kid"] = format!("k{index}").into();
        tokio::spawn(async move { server.manage_at(Method::POST, &path, &key).await.status.as_u16() })
    });
    for answer in futures_util::future::join_all(added).await {
        assert_eq!(answer.unwrap(), 201);
    }
    assert_eq!(keys(&server, &app).await.as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn only_web_clients_of_the_project_have_keys() {
    let server = Server::new().await;
    let web = server.web_client().await;
    let api = server.make_app(json!({ "name": "Api", "type": "api", "config": { "type": "api" } })).await;
    let other = "/manage/tenants/acme/projects/other/apps";
    for (app, status) in [
        (format!("{APPS}/{api}"), 400),
        (format!("{APPS}/app_unknown000000000"), 404),
        (format!("{other}/{web}"), 404),
    ] {
        let path = format!("{app}/auth/keys");
        let key = &vectors()["keys"][0];
        for (method, path, body) in [
            (Method::GET, path.clone(), &json!({})),
            (Method::POST, path.clone(), key),
            (Method::DELETE, format!("{path}/key-RS256"), &json!({})),
        ] {
            assert_eq!(server.manage_at(method, &path, body).await.status, status, "{path}");
        }
    }
    assert_eq!(keys(&server, &web).await, json!([]));
}
