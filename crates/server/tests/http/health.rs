use crate::support::Server;
use crate::visitor::Visitor;
use std::time::Duration;

#[tokio::test]
async fn a_server_that_can_work_is_ready() {
    let server = Server::new().await;
    for path in ["/healthz", "/readyz"] {
        let answer = server.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (200, "{\"status\":\"ok\"}"));
    }
    server.store.close().await;
    server.clock.pass(Duration::from_secs(1));
    assert_eq!(server.get("/healthz").await.status, 200, "the process is well");
    let detail = "Something went wrong on the server. Please try again later.";
    server.get("/readyz").await.assert_problem(503, "service_unavailable", "not_ready", detail);
}

#[tokio::test]
async fn what_happens_is_counted() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let token = server.token(&app).await;
    let bearer = format!("Bearer {token}");
    let solution = server.solution().await;
    let headers = [("authorization", &*bearer), ("x-inkeep-challenge-solution", &*solution)];
    server.open_session(&app, &headers).await;
    server.open_session(&app, &headers).await;
    server.open_session(&app, &[]).await;
    Visitor::with_token(&app, &token).begin(&server, "hi").await;
    for path in [
        "/some/path/that/is/not",
        "/run/nothing",
        "/openapi.json",
        "/docs/http-api",
        "/docs/http-api/index.css",
    ] {
        server.get(path).await;
    }

    let answer = server.get("/metrics").await;
    assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    let text = answer.text();
    for line in [
        "saltmine_challenges_issued_total 2",
        "saltmine_challenges_spent_total 2",
        "saltmine_challenges_refused_total{reason=\"pow_replayed\"} 1",
        "saltmine_challenges_refused_total{reason=\"pow_required\"} 1",
        "saltmine_sessions_total{kind=\"new\"} 1",
        "saltmine_sessions_total{kind=\"refreshed\"} 1",
        "saltmine_agent_replies_total{agent=\"echo\",outcome=\"answered\"} 1",
        "saltmine_connections 0",
        "saltmine_http_requests_total{method=\"GET\",route=\"/run/auth/pow/challenge\",status=\"200\"} 2",
        "saltmine_http_requests_total{method=\"GET\",route=\"other\",status=\"404\"} 2",
        "saltmine_http_requests_total{method=\"GET\",route=\"/openapi.json\",status=\"200\"} 1",
        "saltmine_http_requests_total{method=\"GET\",route=\"/docs/http-api\",status=\"303\"} 1",
        "saltmine_http_requests_total{method=\"GET\",route=\"/docs/http-api/{*rest}\",status=\"200\"} 1",
        "saltmine_http_request_duration_seconds_count{route=\"/run/auth/pow/challenge\"} 2",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let session = "route=\"/run/auth/apps/{appId}/anonymous-session\"";
    assert!(text.contains(&format!("method=\"POST\",{session},status=\"400\"}} 2")), "{text}");
    assert!(!text.contains(&app) && !text.contains("/some/path"), "ids and made-up paths are no labels");
    assert!(text.ends_with("# EOF\n"));
}
