//! Spent challenges in the database: each is accepted exactly once, across instances and restarts, and deleted later.

use crate::support::{Server, settings};
use saltmine_server::{Settings, sweep};
use std::collections::HashMap;
use std::time::Duration;

/// Two hundred requests at once, to two instances that share a file.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_one_succeeds() {
    let first = Server::new().await;
    let second = first.another().await;
    let app = first.web_client().await;
    let solution = first.solution().await;

    let tries = (0..200).map(|number| {
        let handler = if number % 2 == 0 { first.handler.clone() } else { second.handler.clone() };
        let path = format!("/run/auth/apps/{app}/anonymous-session");
        let headers = [("origin", crate::support::PAGE), ("x-inkeep-challenge-solution", &*solution)];
        let request = crate::support::request(axum::http::Method::POST, &path, &headers, "");
        tokio::spawn(async move {
            let response = handler.handle(request).await;
            let status = response.status().as_u16();
            let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            (status, body["reason"].as_str().unwrap_or("token").to_owned())
        })
    });
    let mut counts = HashMap::new();
    for one in tries.collect::<Vec<_>>() {
        *counts.entry(one.await.unwrap()).or_insert(0) += 1;
    }
    let expected = [((200, "token".to_owned()), 1), ((400, "pow_replayed".to_owned()), 199)];
    assert_eq!(counts, HashMap::from(expected));
}

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let before = Server::new().await;
    let app = before.web_client().await;
    let solution = before.solution().await;
    let unused = before.solution().await;
    let token = before.token(&app).await;
    let offer = async |server: &Server, solution: &str| {
        server.open_session(&app, &[("x-inkeep-challenge-solution", solution)]).await
    };
    assert_eq!(offer(&before, &solution).await.status, 200);
    before.store.close().await;

    let after = before.another().await;
    assert_eq!(offer(&after, &solution).await.json()["reason"], "pow_replayed");
    let bearer = format!("Bearer {token}");
    let headers = [("x-inkeep-challenge-solution", &*unused), ("authorization", &*bearer)];
    let answer = after.open_session(&app, &headers).await;
    assert_eq!(answer.status, 200, "the app and the unused challenge are still good");
    let sub = |token: &str| crate::support::jwt_part(token, 1)["sub"].clone();
    assert_eq!(sub(answer.json()["token"].as_str().unwrap()), sub(&token), "and so is the token");
}

#[tokio::test]
async fn spent_challenges_are_forgotten_long_after_they_end() {
    let server = Server::new().await;
    let app = server.web_client().await;
    for _ in 0..3 {
        server.token(&app).await;
    }
    assert_eq!(sweep(&server.state).await.unwrap(), 0);
    server.clock.pass(Duration::from_secs(300));
    assert_eq!(sweep(&server.state).await.unwrap(), 0, "clocks of other instances may be behind");
    server.clock.pass(Duration::from_secs(60 * 60));
    assert_eq!(sweep(&server.state).await.unwrap(), 0, "not before its time");
    server.clock.pass(Duration::from_secs(1));
    server.token(&app).await;
    assert_eq!(sweep(&server.state).await.unwrap(), 3, "the fresh one stays");
    assert_eq!(sweep(&server.state).await.unwrap(), 0);
}

/// Later requests wait for the same statement, whose time limit is shorter than that of the requests.
#[tokio::test]
async fn a_database_that_hangs_is_not_waited_for_for_ever() {
    let server = Server::with(Settings { request_timeout: Duration::from_secs(300), ..settings() }).await;
    let app = server.web_client().await;
    let held = server.database.hold().await;
    let offer =
        async |solution: &str| server.open_session(&app, &[("x-inkeep-challenge-solution", solution)]).await;
    let (first, second) = (server.solution().await, server.solution().await);
    let answer = tokio::time::timeout(Duration::from_secs(30), offer(&first)).await.expect("it is given up");
    assert_eq!((answer.status.as_u16(), &answer.json()["reason"]), (503, &"not_ready".into()));
    drop(held);
    assert_eq!(offer(&second).await.status, 200, "and the next goes through");
}

/// Instances that start at the same time on a new database do not fail because of the migrations of another, nor because
/// of its change to a write-ahead log, which happens in one of many starts.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn instances_may_start_together() {
    for _ in 0..10 {
        let database = crate::database::Database::fresh().await;
        let starts: Vec<_> = (0..8)
            .map(|_| {
                let url = database.url.clone();
                tokio::spawn(async move { saltmine_server::Store::open_with(&url, 2).await })
            })
            .collect();
        for start in starts {
            start.await.unwrap().unwrap().close().await;
        }
    }
}

/// The file contains the messages of visitors, and API keys.
#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_the_sqlite_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::TempDir::new().unwrap();
    let store =
        saltmine_server::Store::open(&format!("sqlite://{}/new.db", folder.path().display())).await.unwrap();
    let modes = ["new.db", "new.db-wal", "new.db-shm"]
        .map(|name| folder.path().join(name).metadata().unwrap().permissions().mode() & 0o777);
    assert_eq!(modes, [0o600; 3]);
    store.close().await;
}
