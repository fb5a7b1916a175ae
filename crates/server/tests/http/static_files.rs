use crate::support::{Server, request, settings};
use axum::http::Method;
use saltmine_server::Settings;
use std::fs;
use tempfile::TempDir;

async fn server() -> (Server, TempDir) {
    let outer = TempDir::new().unwrap();
    let folder = outer.path().join("page");
    fs::create_dir_all(folder.join("assets")).unwrap();
    fs::write(outer.path().join("secret.txt"), "secret").unwrap();
    fs::write(folder.join("index.html"), "<!doctype html><title>Demo</title>").unwrap();
    fs::write(folder.join("assets/page-1a2b.js"), "export {}").unwrap();
    fs::write(folder.join("assets/solver-3c4d.wasm"), b"\0asm").unwrap();
    fs::create_dir_all(folder.join("docs/assets")).unwrap();
    fs::write(folder.join("docs/index.html"), "<!doctype html><title>Docs</title>").unwrap();
    fs::write(folder.join("docs/assets/docs-5e6f.css"), "a {}").unwrap();
    (Server::with(Settings { static_dir: Some(folder), ..settings() }).await, outer)
}

/// A folder of static files may be a checkout, or may contain files of an editor or an operator.
#[tokio::test]
async fn files_whose_name_begins_with_a_dot_are_not_served() {
    let (server, outer) = server().await;
    for (name, text) in
        [(".env", "SECRET=1"), (".git/config", "url"), (".well-known/security.txt", "Contact:")]
    {
        let path = outer.path().join("page").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    for path in ["/.env", "/%2eenv", "/%2Eenv", "/.git/config", "/assets/../.env", "/x/%2e./.env"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    assert_eq!(server.get("/.well-known/security.txt").await.status, 200);
}

#[tokio::test]
async fn files_have_their_type_and_their_caching() {
    let (server, _folder) = server().await;
    for (path, content_type, caching) in [
        ("/", "text/html", "no-cache"),
        ("/index.html", "text/html", "no-cache"),
        ("/assets/page-1a2b.js", "text/javascript", "public, max-age=31536000, immutable"),
        ("/assets/solver-3c4d.wasm", "application/wasm", "public, max-age=31536000, immutable"),
        ("/docs/", "text/html", "no-cache"),
        ("/docs/assets/docs-5e6f.css", "text/css", "public, max-age=31536000, immutable"),
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), Some(content_type), "{path}");
        assert_eq!(answer.header("cache-control"), Some(caching), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let (server, _folder) = server().await;
    for path in [
        "/nope",
        "/assets/nope.js",
        "/docs/nope.html",
        "/docs/assets/nope.js",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/assets/..%5c..%5csecret.txt",
        "/run/nope",
        "/manage/nope",
    ] {
        let answer = server.get(path).await;
        answer.assert_problem(404, "not_found", "route_not_found", "This path does not exist.");
        assert_eq!(
            answer.header("cache-control").filter(|caching| caching.contains("immutable")),
            None,
            "{path}"
        );
    }
    let answer = server.send(request(Method::POST, "/index.html", &[], "")).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (405, &"bad_request".into()));
}

#[tokio::test]
async fn routes_come_before_files() {
    let (server, _folder) = server().await;
    assert_eq!(server.get("/run/auth/pow/challenge").await.status, 200);
    assert_eq!(server.get("/openapi.json").await.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn docs_are_the_files_or_else_the_page_of_the_api() {
    let (server, _folder) = server().await;
    let answer = server.get("/docs").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (307, Some("/docs/")));
    assert!(server.get("/docs/").await.text().contains("<title>Docs</title>"));

    let without = Server::new().await;
    for path in ["/docs", "/docs/"] {
        let answer = without.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (307, Some("/docs/http-api")),
            "{path}"
        );
    }
    for server in [server, without] {
        assert_eq!(server.get("/docs/http-api").await.header("location"), Some("/docs/http-api/"));
        let page = server.get("/docs/http-api/").await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, Some("text/html")));
    }
}
