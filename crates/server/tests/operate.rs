//! The binary for operators: its commands, its admin listener, its drain, its log, and the container files.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    dead_code,
    clippy::disallowed_methods,
    reason = "a helper of a test fails the test, and is for the tests; not all use all; real time passes"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};
use tempfile::TempDir;

#[path = "shared/process.rs"]
mod process;

use process::{KEY, LONG, Running, ask, command, output};

const JWT: (&str, &str) = ("INKEEP_ANON_JWT_SECRET", LONG);

/// Runs a command of the binary.
fn run(folder: &TempDir, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = command(folder.path(), environment);
    command.args(arguments);
    output(command)
}

fn stdout(output: &Output) -> &str {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    std::str::from_utf8(&output.stdout).unwrap()
}

fn repository(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)
}

/// Returns the address in a line of the greeting.
fn admin_address(server: &Running) -> &str {
    let line = server.printed.lines().find_map(|line| line.strip_prefix("admin listener on http://"));
    line.unwrap_or_else(|| panic!("{}", server.printed))
}

fn get(address: &str, path: &str) -> String {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"))
}

fn session(server: &Running, app: &str, headers: &str) -> String {
    let head =
        format!("POST /run/auth/apps/{app}/anonymous-session HTTP/1.1\r\nHost: test\r\nConnection: close");
    ask(
        &server.address,
        &format!("{head}\r\nOrigin: https://docs.example.com\r\nContent-Length: 0\r\n{headers}\r\n"),
    )
}

#[test]
fn apps_and_keys_are_created_on_the_command_line() {
    let folder = TempDir::new().unwrap();
    assert_eq!(stdout(&run(&folder, &[], &["migrate"])), "The tables of the database are up to date.\n");
    let server = Running::start(folder.path(), &[JWT]);
    assert_eq!(stdout(&run(&folder, &[], &["app", "list"])), "");

    let create =
        ["app", "create", "--name", "Docs", "--domain", "docs.example.com", "--domain", "localhost:3000"];
    let created = run(&folder, &[], &create);
    let app = stdout(&created).trim_end();
    assert!(app.starts_with("app_") && created.stderr.is_empty(), "{created:?}");
    let answer = session(&server, app, "");
    assert!(answer.starts_with("HTTP/1.1 200"), "a server that runs knows the app: {answer}");
    assert_eq!(
        stdout(&run(&folder, &[], &["app", "list"])),
        format!("{app}\tweb_client\tDocs\tdocs.example.com,localhost:3000\n")
    );
    assert_eq!(stdout(&run(&folder, &[], &["app", "list", "--tenant", "other"])), "");

    let created = run(&folder, &[], &["key", "create", "--name", "Backend", "--agent", "echo"]);
    let question = r#"{"messages":[{"role":"user","content":"hi"}],"stream":false}"#;
    let answer = server.post("/run/api/chat", stdout(&created).trim_end(), question);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_wrong_command_says_what_to_do() {
    let folder = TempDir::new().unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["app", "create", "--name", "Docs", "--domain", "http://x"], "allowedDomains[0]: must be"),
        (&["app", "create", "--name", " ", "--domain", "x.example"], "name: must have 1 to 255 characters"),
        (
            &["app", "create", "--name", "Docs", "--domain", "x.example", "--tenant", "a/b"],
            "tenantId: must have",
        ),
        (&["app", "list", "--database-url", "mysql://x"], "DATABASE_URL cannot be used"),
        (&["app", "list", "--database-connections", "0"], "SALTMINE_DATABASE_CONNECTIONS is \"0\""),
        (&["app", "list", "--log-format", "xml"], "SALTMINE_LOG_FORMAT is \"xml\": it must be text or json."),
        (&["check-config"], "INKEEP_ANON_JWT_SECRET is not set"),
        (
            &["check-config", "--anon-jwt-secret", LONG, "--database-url", "mysql://x"],
            "DATABASE_URL cannot be used",
        ),
        (&["check-config", "--anon-jwt-secret", LONG, "--log", "sqlx=loud"], "SALTMINE_LOG is \"sqlx=loud\""),
        (
            &["check-config", "--anon-jwt-secret", LONG, "--log-format", "xml"],
            "SALTMINE_LOG_FORMAT is \"xml\": it must be text or json.",
        ),
        (
            &["key", "create", "--name", "Backend", "--agent", "echo", "--expires-at", "tomorrow"],
            "expires-at is \"tomorrow\": it must be",
        ),
        (
            &[
                "key",
                "create",
                "--name",
                "Backend",
                "--agent",
                "echo",
                "--expires-at",
                "2020-01-01T00:00:00Z",
            ],
            "expiresAt: must be in the future",
        ),
        (
            &["health", "--admin-address", "9090"],
            "SALTMINE_ADMIN_ADDRESS is \"9090\": it must be an address and a port",
        ),
        (&["serve", "--anon-jwt-secret", LONG, "--drain-seconds", "x"], "SALTMINE_DRAIN_SECONDS is \"x\""),
        (
            &["serve", "--anon-jwt-secret", LONG, "--retention-days", "99999"],
            "SALTMINE_RETENTION_DAYS is \"99999\"",
        ),
    ];
    for (arguments, sentence) in cases {
        let output = run(&folder, &[], arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert!(errors.contains(sentence), "{arguments:?}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
    let unknown = run(&folder, &[("SALTMINE_DRAIN_SECOND", "1")], &["migrate"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("did you mean SALTMINE_DRAIN_SECONDS?"));
}

#[test]
fn a_configuration_is_checked_without_a_start() {
    let folder = TempDir::new().unwrap();
    let environment = [JWT, ("SALTMINE_RETENTION_DAYS", "30"), ("SALTMINE_ADMIN_ADDRESS", "127.0.0.1:9090")];
    let output = run(&folder, &environment, &["check-config"]);
    let summary = stdout(&output);
    for line in [
        "warning: proof of work: off",
        "rate limit: 20 requests a second",
        "admin listener: 127.0.0.1:9090",
        "retention: conversations are deleted 30 days after",
    ] {
        assert!(summary.lines().any(|found| found.starts_with(line)), "{line}: {summary}");
    }
    assert!(!summary.contains(LONG));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "no database is created");

    let development = run(&folder, &[("SALTMINE_ENV", "development")], &["check-config"]);
    assert!(stdout(&development).contains("proof of work: on"), "{development:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "no secrets are generated");

    // Secrets that a server generated are checked as `serve` checks them.
    fs::create_dir(folder.path().join(".saltmine")).unwrap();
    fs::write(folder.path().join(".saltmine/secrets.env"), "INKEEP_POW_HMAC_SECRET=x\n").unwrap();
    let damaged = run(&folder, &[("SALTMINE_ENV", "development")], &["check-config"]);
    assert_eq!(damaged.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&damaged.stderr).contains("lacks INKEEP_ANON_JWT_SECRET"), "{damaged:?}");
}

/// The rows of the audit log.
fn audit_entries(folder: &TempDir) -> i64 {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        use sqlx::Connection;
        let url = format!("sqlite://{}", folder.path().join("saltmine.db").display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::query_scalar("SELECT COUNT(*) FROM audit_log").fetch_one(&mut connection).await.unwrap()
    })
}

#[test]
fn commands_respect_the_size_of_the_audit_log() {
    let folder = TempDir::new().unwrap();
    let create_app = ["app", "create", "--name", "Docs", "--domain", "docs.example.com"];
    let create_key = ["key", "create", "--name", "Backend", "--agent", "echo"];
    for command in [&create_app[..], &create_key, &["app", "list"]] {
        stdout(&run(&folder, &[("SALTMINE_AUDIT_ENTRIES", "0")], command));
        assert_eq!(audit_entries(&folder), 0, "{command:?}");
    }
    stdout(&run(&folder, &[], &create_key));
    assert_eq!(audit_entries(&folder), 1);
    let wrong = run(&folder, &[("SALTMINE_AUDIT_ENTRIES", "many")], &create_key);
    assert!(
        String::from_utf8_lossy(&wrong.stderr).starts_with("SALTMINE_AUDIT_ENTRIES is \"many\""),
        "{wrong:?}"
    );
}

#[test]
fn a_key_of_the_command_line_can_expire() {
    let folder = TempDir::new().unwrap();
    let server = Running::start(folder.path(), &[JWT, ("INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET", KEY)]);
    let create = ["key", "create", "--name", "Backend", "--agent", "echo", "--expires-at"];
    let created = run(&folder, &[], &[&create[..], &["2999-01-31T12:00:00+01:00"]].concat());
    assert!(stdout(&created).starts_with("smk_"), "{created:?}");
    let list = ask(
        &server.address,
        &format!(
            "GET /manage/tenants/default/projects/default/api-keys HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\
            Authorization: Bearer {KEY}\r\n\r\n"
        ),
    );
    assert!(list.contains(r#""expiresAt":"2999-01-31T11:00:00Z""#), "{list}");
}

#[test]
fn the_health_command_asks_the_running_server() {
    let folder = TempDir::new().unwrap();
    let server = Running::start(folder.path(), &[JWT, ("HOST", "0.0.0.0")]);
    let port = server.address.rsplit_once(':').unwrap().1.to_owned();
    // The same environment as that of the server, which listens on every address.
    let environment = [("HOST", "0.0.0.0"), ("PORT", &*port)];
    for arguments in [&["health"][..], &["health", "--ready"]] {
        stdout(&run(&folder, &environment, arguments));
    }
    drop(server);
    let output = run(&folder, &environment, &["health"]);
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("is not healthy") && errors.lines().count() == 1, "{errors}");

    let environment = [JWT, ("SALTMINE_ADMIN_ADDRESS", "127.0.0.1:0"), ("SALTMINE_DRAIN_SECONDS", "60")];
    let server = Running::start(folder.path(), &environment);
    let environment = [("SALTMINE_ADMIN_ADDRESS", admin_address(&server))];
    stdout(&run(&folder, &environment, &["health", "--ready"]));
    assert!(server.get("/healthz").starts_with("HTTP/1.1 404"), "only on the admin listener");
    server.signal("-TERM");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(run(&folder, &environment, &["health", "--ready"]).status.code(), Some(1), "it drains");
    stdout(&run(&folder, &environment, &["health"]));
}

/// Waits until a server that received SIGTERM reports that it is not ready.
fn until_it_drains(admin: &str) {
    let start = Instant::now();
    while !get(admin, "/readyz").starts_with("HTTP/1.1 503") {
        assert!(start.elapsed() < Duration::from_secs(4), "it is still ready");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// SIGTERM: not ready at once, still serving, then closed.
#[test]
fn sigterm_drains() {
    let folder = TempDir::new().unwrap();
    let environment = [JWT, ("SALTMINE_ADMIN_ADDRESS", "127.0.0.1:0"), ("SALTMINE_DRAIN_SECONDS", "5")];
    let mut server = Running::start(folder.path(), &environment);
    let admin = admin_address(&server).to_owned();
    assert!(get(&admin, "/readyz").starts_with("HTTP/1.1 200"));
    let start = Instant::now();
    server.signal("-TERM");
    until_it_drains(&admin);
    let answer = server.get("/run/auth/pow/challenge");
    assert!(answer.contains("pow_disabled"), "it still serves: {answer}");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert!((Duration::from_secs(5)..Duration::from_secs(30)).contains(&start.elapsed()));
}

#[test]
fn a_second_signal_ends_a_drain_at_once() {
    let folder = TempDir::new().unwrap();
    let environment = [JWT, ("SALTMINE_ADMIN_ADDRESS", "127.0.0.1:0"), ("SALTMINE_DRAIN_SECONDS", "600")];
    let mut server = Running::start(folder.path(), &environment);
    server.signal("-TERM");
    until_it_drains(admin_address(&server));
    assert!(server.child.try_wait().unwrap().is_none());
    server.signal("-INT");
    let start = Instant::now();
    assert_eq!(server.child.wait().unwrap().code(), Some(130));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn json_lines_have_the_address_the_app_the_visitor_and_the_trace() {
    let folder = TempDir::new().unwrap();
    let environment = [JWT, ("SALTMINE_LOG_FORMAT", "json"), ("SALTMINE_TRUSTED_PROXIES", "127.0.0.1")];
    let server = Running::start(folder.path(), &environment);
    let created = run(&folder, &[], &["app", "create", "--name", "Docs", "--domain", "docs.example.com"]);
    let app = stdout(&created).trim_end().to_owned();
    let headers = "X-Forwarded-For: 198.51.100.7\r\nX-Request-Id: of-the-proxy\r\n\
        traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n";
    let answer = session(&server, &app, headers);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("x-request-id: of-the-proxy"), "{answer}");
    let (_, log) = server.stop();
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let line =
        lines.iter().find(|line| line["message"] == "request finished").unwrap_or_else(|| panic!("{log}"));
    assert_eq!((&line["level"], &line["status"]), (&"INFO".into(), &200.into()));
    let request = &line["span"];
    for (member, value) in [
        ("id", "of-the-proxy"),
        ("address", "198.51.100.7"),
        ("app", &app),
        ("method", "POST"),
        ("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"),
    ] {
        assert_eq!(request[member], value, "{member}: {line}");
    }
    assert!(request["visitor"].as_str().unwrap().starts_with("anon_"), "{line}");
    assert_eq!(request["span_id"].as_str().unwrap().len(), 16);
}

/// Returns the lines of a file that begin with `prefix` after white space, without the prefix.
fn lines(file: &str, prefix: &str) -> Vec<String> {
    let text = fs::read_to_string(repository(file)).unwrap();
    text.lines().filter_map(|line| line.trim().strip_prefix(prefix)).map(str::to_owned).collect()
}

/// The parts of `compose.yaml` and the `Dockerfile`: every variable is one of the server's, the health check succeeds, and
/// the documented command creates an app that visitors can use. Only the images are not tested here.
#[test]
fn the_container_files_fit_the_server() {
    let folder = TempDir::new().unwrap();
    let text = fs::read_to_string(repository("compose.yaml")).unwrap();
    let block = text.split_once("environment: &environment").unwrap().1.split_once("\nservices:").unwrap().0;
    let names = block.lines().filter_map(|line| line.trim().split_once(": ")).map(|(name, _)| name);
    let names: Vec<&str> = names.filter(|name| !name.starts_with('#')).collect();
    for name in
        ["SALTMINE_ADMIN_ADDRESS", "SALTMINE_TRUSTED_PROXIES", "INKEEP_ANON_JWT_SECRET", "DATABASE_URL"]
    {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let environment: Vec<(&str, &str)> = names
        .into_iter()
        .map(|name| {
            let value = match name {
                "SALTMINE_ADMIN_ADDRESS" => "127.0.0.1:0",
                "SALTMINE_TRUSTED_PROXIES" => "172.30.0.10",
                "DATABASE_URL" => "sqlite://compose.db",
                "INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET" => KEY,
                "INKEEP_ANON_JWT_SECRET" => LONG,
                // The value of an empty variable in `.env`.
                _ => "",
            };
            (name, value)
        })
        .collect();
    let server = Running::start(folder.path(), &environment);

    let [documented] = &lines("compose.yaml", "#   docker compose exec server-1 saltmine-server ")[..] else {
        panic!("compose.yaml documents no command for the first app");
    };
    // In the container the variables are the server's.
    let created = run(&folder, &environment, &documented.split_whitespace().collect::<Vec<_>>());
    let answer = session(&server, stdout(&created).trim_end(), "");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    // The optional Redis: `deploy/example.env` names the service and its profile.
    let [url] = &lines("deploy/example.env", "#SALTMINE_REDIS_URL=")[..] else {
        panic!("deploy/example.env has no address of Redis");
    };
    let host = url.strip_prefix("redis://").and_then(|rest| rest.strip_suffix(":6379")).unwrap();
    let [profile] = &lines("deploy/example.env", "#COMPOSE_PROFILES=")[..] else {
        panic!("deploy/example.env has no profile");
    };
    let service = text.split_once(&format!("\n  {host}:\n")).unwrap().1.split_once("\n\n").unwrap().0;
    assert!(service.contains(&format!("profiles: [{profile}]")), "{service}");
    let mut with_redis = environment.clone();
    with_redis.retain(|(name, _)| *name != "SALTMINE_REDIS_URL");
    assert_eq!(with_redis.len() + 1, environment.len(), "compose.yaml passes it on");
    with_redis.push(("SALTMINE_REDIS_URL", url));
    let checked = run(&folder, &with_redis, &["check-config"]);
    assert!(stdout(&checked).contains("counters: shared through Redis"), "{checked:?}");

    let health = lines("Dockerfile", "HEALTHCHECK ");
    let health: Vec<String> = serde_json::from_str(health[0].split_once("CMD ").unwrap().1).unwrap();
    assert_eq!(health[0], "saltmine-server");
    let mut with_address = environment.clone();
    with_address.retain(|(name, _)| *name != "SALTMINE_ADMIN_ADDRESS");
    with_address.push(("SALTMINE_ADMIN_ADDRESS", admin_address(&server)));
    let arguments: Vec<&str> = health[1..].iter().map(String::as_str).collect();
    stdout(&run(&folder, &with_address, &arguments));
}
