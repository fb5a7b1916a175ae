//! A client of the run API: a visitor of a page, or a server with an API key.

use crate::support::{Answer, PAGE, Server, request};
use axum::http::Method;
use serde_json::{Value, json};

#[derive(Clone)]
pub struct Visitor {
    headers: Vec<(&'static str, String)>,
}

impl Visitor {
    /// Returns a new user of the app.
    pub async fn of(server: &Server, app: &str) -> Self {
        Self::with_token(app, &server.token(app).await)
    }

    pub fn with_token(app: &str, token: &str) -> Self {
        let headers = [
            ("authorization", format!("Bearer {token}")),
            ("x-inkeep-app-id", app.to_owned()),
            ("origin", PAGE.to_owned()),
        ];
        Self { headers: headers.into() }
    }

    pub fn with_api_key(key: &str) -> Self {
        Self { headers: vec![("authorization", format!("Bearer {key}"))] }
    }

    /// Returns the same client with one more header on each request.
    pub fn and(&self, name: &'static str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.push((name, value.to_owned()));
        other
    }

    pub async fn post(&self, server: &Server, path: &str, body: &Value) -> Answer {
        self.post_text(server, path, &body.to_string()).await
    }

    /// Sends a request whose body is not from `serde_json`.
    pub async fn post_text(&self, server: &Server, path: &str, body: &str) -> Answer {
        let mut headers: Vec<_> = self.headers.iter().map(|(name, value)| (*name, &**value)).collect();
        headers.push(("content-type", "application/json"));
        server.send(request(Method::POST, path, &headers, body)).await
    }

    pub async fn get(&self, server: &Server, path: &str) -> Answer {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (*name, &**value)).collect();
        server.send(request(Method::GET, path, &headers, "")).await
    }

    pub async fn delete(&self, server: &Server, path: &str) -> Answer {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (*name, &**value)).collect();
        server.send(request(Method::DELETE, path, &headers, "")).await
    }

    /// Sends a message and returns the complete response.
    pub async fn say(&self, server: &Server, text: &str, conversation: Option<&str>) -> Answer {
        let mut body = json!({ "messages": [{ "role": "user", "content": text }], "stream": false });
        if let Some(id) = conversation {
            body["conversationId"] = json!(id);
        }
        self.post(server, "/run/api/chat", &body).await
    }

    /// Sends a message in a new conversation, and returns the conversation's id.
    pub async fn begin(&self, server: &Server, text: &str) -> String {
        let answer = self.say(server, text, None).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["conversationId"].as_str().unwrap().to_owned()
    }

    /// Returns the ids of all conversations, and the pagination.
    pub async fn conversations(&self, server: &Server, query: &str) -> (Vec<String>, Value) {
        let answer = self.get(server, &format!("/run/v1/conversations{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let body = answer.json();
        let ids = body["data"].as_array().unwrap().iter();
        (ids.map(|one| one["id"].as_str().unwrap().to_owned()).collect(), body["pagination"].clone())
    }

    /// Returns the roles and contents of a conversation's messages.
    pub async fn messages(&self, server: &Server, id: &str) -> Vec<(String, String)> {
        let answer = self.get(server, &format!("/run/v1/conversations/{id}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let messages = answer.json()["data"]["messages"].as_array().unwrap().clone();
        let text = |message: &Value, member: &str| message[member].as_str().unwrap().to_owned();
        messages.iter().map(|message| (text(message, "role"), text(message, "content"))).collect()
    }
}
