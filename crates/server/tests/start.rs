//! The binary: its errors at the start, its output and its exit.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    clippy::disallowed_methods,
    reason = "a helper of a test fails the test, and is for the tests; real time passes"
)]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use tempfile::TempDir;

#[path = "shared/process.rs"]
mod process;

use process::{KEY, LONG, Running, command, output};

#[test]
fn it_refuses_to_start_and_says_what_to_do() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("text.db"), "This is no database. ".repeat(100)).unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    fs::create_dir_all(folder.path().join("page/state")).unwrap();
    let jwt = ("INKEEP_ANON_JWT_SECRET", LONG);
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[], "INKEEP_ANON_JWT_SECRET is not set: give it at least 32 characters"),
        (&[("INKEEP_ANON_JWT_SECRET", "")], "INKEEP_ANON_JWT_SECRET is not set"),
        (
            &[("INKEEP_ANON_JWT_SECRET", "hunter2")],
            "INKEEP_ANON_JWT_SECRET has 7 characters: give it at least 32",
        ),
        (
            &[jwt, ("INKEEP_POW_HMAC_SECRET", "hunter2")],
            "INKEEP_POW_HMAC_SECRET has 7 characters: give it at least 32",
        ),
        (&[jwt, ("INKEEP_POW_HMAC_SECRET", "ééééééééééééééééééééééééééééééé")], "has 31 characters"),
        (
            &[jwt, ("INKEEP_POW_DIFFICULTY", "0")],
            "INKEEP_POW_DIFFICULTY is \"0\": it must be a whole number from 1",
        ),
        (
            &[jwt, ("INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET", "x")],
            "INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET has 1 characters: give it at least 16",
        ),
        (
            &[jwt, ("INKEEP_POW_HMAC_SECRET_SECOND", "hunter2")],
            "INKEEP_POW_HMAC_SECRET_SECOND has 7 characters",
        ),
        (
            &[jwt, ("INKEEP_ANON_JWT_SECRET_SECOND", "hunter2")],
            "INKEEP_ANON_JWT_SECRET_SECOND has 7 characters",
        ),
        (
            &[jwt, ("SALTMINE_POW_SCOPE", "all")],
            "SALTMINE_POW_SCOPE is \"all\": it must be session or request.",
        ),
        (&[jwt, ("SALTMINE_POW_VERSION", "3")], "SALTMINE_POW_VERSION is \"3\": it must be 1, 2 or 2-only."),
        (
            &[jwt, ("SALTMINE_POW_ALGORITHM", "SHA-512")],
            "SALTMINE_POW_ALGORITHM is \"SHA-512\": it must be PBKDF2/SHA-256, SHA-256, SCRYPT, ARGON2ID",
        ),
        (
            &[jwt, ("SALTMINE_POW_ALGORITHM", "scrypt")],
            "SALTMINE_POW_ALGORITHM is \"scrypt\": it must be PBKDF2/SHA-256",
        ),
        (
            &[jwt, ("SALTMINE_POW_COST", "0")],
            "SALTMINE_POW_COST is \"0\": it must be a whole number from 1 to 1000000.",
        ),
        (&[jwt, ("SALTMINE_POW_COST", "1000001")], "SALTMINE_POW_COST is \"1000001\""),
        (
            &[jwt, ("SALTMINE_POW_ALGORITHM", "SCRYPT"), ("SALTMINE_POW_COST", "10000")],
            "SALTMINE_POW_COST is \"10000\": it must be a power of two for SCRYPT.",
        ),
        (
            &[jwt, ("SALTMINE_POW_MEMORY_COST", "8")],
            "SALTMINE_POW_MEMORY_COST is \"8\": it must be unset for PBKDF2/SHA-256, which uses no memory.",
        ),
        (
            &[jwt, ("SALTMINE_POW_ALGORITHM", "ARGON2ID"), ("SALTMINE_POW_MEMORY_COST", "7")],
            "SALTMINE_POW_MEMORY_COST is \"7\": it must be a whole number from 8",
        ),
        (
            &[jwt, ("SALTMINE_POW_ALGORITHM", "ARGON2ID"), ("SALTMINE_POW_MEMORY_COST", "524288")],
            "it must be smaller: a key would take 512 MiB of memory, 256 at most.",
        ),
        (&[jwt, ("SALTMINE_POW_COUNTER_MIN", "-1")], "SALTMINE_POW_COUNTER_MIN is \"-1\""),
        (
            &[jwt, ("SALTMINE_POW_COUNTER_MIN", "2000")],
            "SALTMINE_POW_COUNTER_MIN is \"2000\": it must be at most SALTMINE_POW_COUNTER_MAX, which is 800: set both.",
        ),
        (
            &[jwt, ("SALTMINE_POW_COUNTER_MAX", "1000000")],
            "SALTMINE_POW_COUNTER_MAX is \"1000000\": it must be smaller: with SALTMINE_POW_COST 5000 a challenge",
        ),
        (
            &[jwt, ("SALTMINE_POW_BINDING", "address")],
            "SALTMINE_POW_BINDING is \"address\": it must be off, app or app-and-address.",
        ),
        (
            &[jwt, ("SALTMINE_POW_BINDING_REQUIRED", "yes")],
            "SALTMINE_POW_BINDING_REQUIRED is \"yes\": it must be true or false.",
        ),
        (
            &[jwt, ("SALTMINE_POW_BINDING", "off"), ("SALTMINE_POW_BINDING_REQUIRED", "true")],
            "SALTMINE_POW_BINDING_REQUIRED is \"true\": it must be false if SALTMINE_POW_BINDING is off",
        ),
        (
            &[jwt, ("SALTMINE_TRUSTED_PROXIES", "proxy")],
            "SALTMINE_TRUSTED_PROXIES is \"proxy\": it must be addresses",
        ),
        (&[jwt, ("SALTMINE_MAX_CONNECTIONS", "0")], "SALTMINE_MAX_CONNECTIONS is \"0\""),
        (&[jwt, ("SALTMINE_AGENT_URL", "nowhere?key=hunter2")], "SALTMINE_AGENT_URL is"),
        (
            &[jwt, ("SALTMINE_AGENT_URL", "https://api.example.com/v1")],
            "SALTMINE_AGENT_URL is set, and SALTMINE_AGENT_MODEL is not",
        ),
        (&[jwt, ("DATABASE_URL", "postgres://me:hunter2@127.0.0.1:9/x")], "DATABASE_URL cannot be used"),
        (&[jwt, ("INKEEP_POW_DIFFICULTY", "many")], "INKEEP_POW_DIFFICULTY is \"many\""),
        (&[jwt, ("INKEEP_POW_DIFFICULTY", "9007199254740992")], "INKEEP_POW_DIFFICULTY"),
        (&[jwt, ("INKEEP_POW_CHALLENGE_TTL_SECONDS", "-5")], "INKEEP_POW_CHALLENGE_TTL_SECONDS is \"-5\""),
        (&[jwt, ("INKEEP_ANON_SESSION_LIFETIME_SECONDS", "59")], "a whole number from 60 to 2592000"),
        (&[jwt, ("INKEEP_ANON_SESSION_LIFETIME_SECONDS", "2592001")], "a whole number from 60 to 2592000"),
        (&[jwt, ("PORT", "65536")], "PORT is \"65536\": it must be a whole number from 0 to 65535."),
        (&[jwt, ("PORT", "")], "PORT is \"\""),
        (&[jwt, ("SALTMINE_ENV", "test")], "SALTMINE_ENV is \"test\": it must be production or development."),
        (
            &[jwt, ("SALTMINE_RATE_LIMIT", "20")],
            "SALTMINE_RATE_LIMIT is \"20\": it must be requests a second and burst",
        ),
        (&[jwt, ("SALTMINE_RATE_LIMIT", "0/60")], "SALTMINE_RATE_LIMIT"),
        (&[jwt, ("SALTMINE_RATE_LIMIT", "")], "SALTMINE_RATE_LIMIT"),
        (
            &[jwt, ("SALTMINE_STATIC_DIR", "nowhere")],
            "SALTMINE_STATIC_DIR is \"nowhere\": it must be an existing folder",
        ),
        (
            &[jwt, ("SALTMINE_RATELIMIT", "off")],
            "SALTMINE_RATELIMIT is not a variable of this server: did you mean SALTMINE_RATE_LIMIT? Correct or remove it.",
        ),
        (
            &[jwt, ("INKEEP_POW_HMAC_SECRT_FILE", "")],
            "INKEEP_POW_HMAC_SECRT_FILE is not a variable of this server: did you mean INKEEP_POW_HMAC_SECRET_FILE?",
        ),
        (
            &[jwt, ("SALTMINE_SOMETHING", "x")],
            "SALTMINE_SOMETHING is not a variable of this server: see `saltmine-server --help`",
        ),
        (
            &[jwt, ("INKEEP_ANON_JWT_SECRET_FILE", "secret")],
            "INKEEP_ANON_JWT_SECRET and INKEEP_ANON_JWT_SECRET_FILE are both set",
        ),
        (
            &[jwt, ("INKEEP_POW_HMAC_SECRET_FILE", "file")],
            "INKEEP_POW_HMAC_SECRET_FILE names \"file\", which is empty: write the value into the file, or unset",
        ),
        (
            &[("INKEEP_ANON_JWT_SECRET_FILE", "nowhere")],
            "The file that INKEEP_ANON_JWT_SECRET_FILE names cannot be read",
        ),
        (&[jwt, ("SALTMINE_STATIC_DIR", ".")], "SALTMINE_STATIC_DIR is \".\", which contains the database"),
        (
            &[
                ("SALTMINE_ENV", "development"),
                ("SALTMINE_STATIC_DIR", "page"),
                ("SALTMINE_STATE_DIR", "page/state"),
            ],
            "which contains the generated secrets",
        ),
        (&[jwt, ("SALTMINE_AGENT_CONTEXT_TOKENS", "0")], "SALTMINE_AGENT_CONTEXT_TOKENS is \"0\""),
        (&[jwt, ("SALTMINE_LOG", "sqlx=loud")], "SALTMINE_LOG is \"sqlx=loud\""),
        (&[jwt, ("DATABASE_URL", "sqlite://no/such/folder/x.db")], "DATABASE_URL cannot be used"),
        (&[jwt, ("DATABASE_URL", "sqlite://text.db")], "DATABASE_URL cannot be used"),
        (&[jwt, ("DATABASE_URL", "mysql://me:hunter2@db/x")], "DATABASE_URL cannot be used"),
        (&[jwt, ("DATABASE_URL", "")], "DATABASE_URL cannot be used"),
        (&[jwt, ("HOST", "192.0.2.1")], "HOST and PORT are 192.0.2.1 and 8787, which cannot be listened on"),
        (
            &[("SALTMINE_ENV", "development"), ("INKEEP_POW_HMAC_SECRET", "hunter2")],
            "INKEEP_POW_HMAC_SECRET has 7",
        ),
        (
            &[("SALTMINE_ENV", "development"), ("SALTMINE_STATE_DIR", "file/x")],
            "file/x/secrets.env cannot be used",
        ),
    ];
    for (environment, sentence) in cases {
        let output = output(command(folder.path(), environment));
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{environment:?}: {errors}");
        assert!(errors.contains(sentence), "{environment:?}: {errors}");
        assert_eq!(errors.lines().count(), 1, "one sentence: {errors}");
        assert!(errors.ends_with(".\n"), "{errors}");
        assert!(!errors.contains("hunter2") && !errors.contains(LONG), "no secret is told: {errors}");
        assert!(output.stdout.is_empty());
    }
    let text = fs::read_to_string(folder.path().join("text.db")).unwrap();
    assert!(text.starts_with("This is no database."), "what was there is as it was");
}

/// The state folder may be an existing folder, in the worst case that of the project.
#[test]
fn an_existing_gitignore_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let environment = [("SALTMINE_ENV", "development"), ("SALTMINE_STATE_DIR", ".")];
    fs::write(folder.path().join(".gitignore"), "target\n").unwrap();
    drop(Running::start(folder.path(), &environment));
    assert_eq!(fs::read_to_string(folder.path().join(".gitignore")).unwrap(), "target\n");

    let folder = TempDir::new().unwrap();
    drop(Running::start(folder.path(), &environment));
    assert!(
        !folder.path().join(".gitignore").exists(),
        "a project without one would vanish from version control"
    );
}

/// Orchestrators provide secrets as files.
#[test]
fn a_secret_is_read_from_a_file() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("secret"), format!("{LONG}\n")).unwrap();
    let environment = [
        ("INKEEP_ANON_JWT_SECRET_FILE", "secret"),
        ("INKEEP_POW_HMAC_SECRET_FILE", "secret"),
        ("INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET_FILE", "secret"),
        ("INKEEP_POW_HMAC_SECRET_SECOND_FILE", ""),
        // As `${INKEEP_POW_HMAC_SECRET:-}` of a compose file gives it.
        ("INKEEP_POW_HMAC_SECRET", ""),
        ("INKEEP_ANON_JWT_SECRET", ""),
    ];
    let server = Running::start(folder.path(), &environment);
    assert!(server.get("/run/auth/pow/challenge").starts_with("HTTP/1.1 200"));
    let body = r#"{"name":"x","agentId":"echo"}"#;
    let made = server.post("/manage/tenants/t/projects/p/api-keys", LONG, body);
    assert!(made.starts_with("HTTP/1.1 201"), "without the line break: {made}");
}

#[test]
fn a_start_in_production_logs_what_is_off() {
    let folder = TempDir::new().unwrap();
    let (_, log) = Running::start(folder.path(), &[("INKEEP_ANON_JWT_SECRET", LONG)]).stop();
    for warning in ["proof of work: off", "trusted proxies: none", "agent: the built-in one"] {
        let line = log.lines().find(|line| line.contains(warning));
        assert!(line.is_some_and(|line| line.contains("WARN")), "{warning}: {log}");
    }
    for fact in
        ["quota of requests a minute: visitor 120, address 600, app off", "counters: in this instance"]
    {
        assert!(log.contains(fact), "{fact}: {log}");
    }
    let off = [("INKEEP_ANON_JWT_SECRET", LONG), ("SALTMINE_QUOTA_TOKENS", "off")];
    let (_, without) = Running::start(folder.path(), &off).stop();
    let line = without.lines().find(|line| line.contains("quota of agent tokens a day: off"));
    assert!(line.is_some_and(|line| line.contains("WARN")), "{without}");
    for fact in ["rate limit: 20 requests a second", "database: SQLite", "management API: closed"] {
        assert!(log.contains(fact), "{fact}: {log}");
    }
    let environment = [("INKEEP_ANON_JWT_SECRET", LONG), ("INKEEP_POW_HMAC_SECRET", LONG)];
    let (_, log) = Running::start(folder.path(), &environment).stop();
    assert!(log.contains("proof of work: on, for each session, version 2 with PBKDF2/SHA-256 of cost 5000, counters 400 to 800, and for older clients version 1 with numbers up to 50000, within 600 s"), "{log}");
}

/// The levels of the log hide no warning of the summary.
#[test]
fn the_warnings_of_a_start_are_logged_at_every_level() {
    let folder = TempDir::new().unwrap();
    for levels in ["error", "off", "saltmine_server=error"] {
        let environment = [("INKEEP_ANON_JWT_SECRET", LONG), ("SALTMINE_LOG", levels)];
        let (_, log) = Running::start(folder.path(), &environment).stop();
        let warned = log.lines().any(|line| line.contains("WARN") && line.contains("proof of work: off"));
        assert!(warned, "{levels}: {log}");
        assert!(!log.contains("rate limit: 20"), "{levels}: {log}");
    }
    let environment =
        [("INKEEP_ANON_JWT_SECRET", LONG), ("SALTMINE_LOG", "error"), ("SALTMINE_LOG_FORMAT", "json")];
    let (_, log) = Running::start(folder.path(), &environment).stop();
    let lines = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let is_warning = |line: &serde_json::Value| {
        line["level"] == "WARN" && line["message"].as_str().unwrap().starts_with("proof of work: off")
    };
    assert_eq!(lines.filter(is_warning).count(), 1, "{log}");
}

/// The database is from a later version of the server.
#[test]
fn a_migration_that_fails_does_not_blame_the_address() {
    let folder = TempDir::new().unwrap();
    let environment = [("INKEEP_ANON_JWT_SECRET", LONG)];
    drop(Running::start(folder.path(), &environment));
    let statement = "UPDATE _sqlx_migrations SET checksum = x'00'";
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        use sqlx::Connection;
        let url = format!("sqlite://{}", folder.path().join("saltmine.db").display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    });
    let output = output(command(folder.path(), &environment));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(errors.starts_with("The tables of the database cannot be brought up to date"), "{errors}");
    assert!(!errors.contains("DATABASE_URL"), "{errors}");
}

/// The log line of an error has the id that the client received, at every log level.
#[test]
fn a_warning_has_its_request_id() {
    let folder = TempDir::new().unwrap();
    let environment = [
        ("INKEEP_ANON_JWT_SECRET", LONG),
        ("INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET", KEY),
        ("SALTMINE_AGENT_URL", "http://127.0.0.1:9/v1"),
        ("SALTMINE_AGENT_MODEL", "m"),
        ("SALTMINE_LOG", "warn"),
    ];
    let server = Running::start(folder.path(), &environment);
    let body = r#"{"name":"x","agentId":"chat-completions"}"#;
    let made = server.post("/manage/tenants/t/projects/p/api-keys", KEY, body);
    let api_key = made.split("\"key\":\"").nth(1).unwrap().split('"').next().unwrap();
    let question = r#"{"messages":[{"role":"user","content":"hi"}],"stream":false}"#;
    let answer = server.post("/run/api/chat", api_key, question);
    let id = answer.split("x-request-id: ").nth(1).unwrap().split_whitespace().next().unwrap();
    let (_, log) = server.stop();
    assert!(log.lines().any(|line| line.contains("the agent failed") && line.contains(id)), "{id}: {log}");
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
    let folder = TempDir::new().unwrap();
    let mut server = Running::start(folder.path(), &[("INKEEP_ANON_JWT_SECRET", LONG)]);
    // A request that does not end prevents the server from stopping by itself.
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.write_all(b"POST /manage/tenants/t/projects/p/apps HTTP/1.1\r\nHost: test\r\n").unwrap();
    std::thread::sleep(Duration::from_secs(1));
    server.signal("-INT");
    std::thread::sleep(Duration::from_secs(1));
    assert!(server.child.try_wait().unwrap().is_none(), "it waits for the request");
    server.signal("-INT");
    let start = std::time::Instant::now();
    assert_eq!(server.child.wait().unwrap().code(), Some(130));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_taken_port_is_told() {
    let folder = TempDir::new().unwrap();
    let first = Running::start(folder.path(), &[("INKEEP_ANON_JWT_SECRET", LONG)]);
    let port = first.address.rsplit_once(':').unwrap().1;
    let output = output(command(folder.path(), &[("INKEEP_ANON_JWT_SECRET", LONG), ("PORT", port)]));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), errors.lines().count()), (Some(2), 1), "{errors}");
    assert!(errors.contains(port) && errors.contains("in use"), "{errors}");
}

#[test]
fn in_production_it_prints_its_address_and_no_secret() {
    let folder = TempDir::new().unwrap();
    let pow = "another secret that has more than thirty-two characters";
    let server = Running::start(
        folder.path(),
        &[
            ("INKEEP_ANON_JWT_SECRET", LONG),
            ("INKEEP_POW_HMAC_SECRET", pow),
            ("INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET", KEY),
            ("INKEEP_POW_HMAC_SECRET_SECOND", "the second secret of proof of work, which is long enough"),
            ("INKEEP_ANON_JWT_SECRET_SECOND", "the second secret of tokens, which is long enough as well"),
            ("SALTMINE_AGENT_URL", "http://127.0.0.1:9/v1?key=a+key+within+an+address"),
            ("SALTMINE_AGENT_MODEL", "m"),
            ("SALTMINE_AGENT_KEY", "the agent's key"),
            ("SALTMINE_LOG", "trace"),
        ],
    );
    assert_eq!(server.printed, format!("listening on http://{}\n", server.address));
    assert!(server.get("/run/auth/pow/challenge").starts_with("HTTP/1.1 200 OK"));
    assert!(!folder.path().join(".saltmine").exists(), "nothing is generated");
    let owner = "/manage/tenants/t/projects/p";
    let made = server.post(&format!("{owner}/api-keys"), KEY, r#"{"name":"x","agentId":"chat-completions"}"#);
    let api_key = made.split("\"key\":\"").nth(1).unwrap().split('"').next().unwrap();
    let question = r#"{"messages":[{"role":"user","content":"hi"}],"stream":false}"#;
    let answer = server.post("/run/api/chat", api_key, question);
    assert!(answer.starts_with("HTTP/1.1 502"), "its agent's service is not there: {answer}");
    let (status, log) = server.stop();
    assert_eq!(status.code(), Some(0));
    assert!(log.contains("the agent failed"), "{log}");
    for secret in [LONG, pow, KEY, api_key, "the second secret", "the agent's key", "a+key+within"] {
        assert!(!log.contains(secret), "{secret}");
    }
    assert!(
        log.contains("/run/auth/pow/challenge") && log.contains("req_"),
        "requests are logged with their id"
    );
}

#[test]
fn without_its_secret_proof_of_work_is_off() {
    let folder = TempDir::new().unwrap();
    let server = Running::start(folder.path(), &[("INKEEP_ANON_JWT_SECRET", LONG)]);
    assert!(server.get("/run/auth/pow/challenge").contains("pow_disabled"));

    let environment = [("SALTMINE_ENV", "development"), ("INKEEP_POW_HMAC_SECRET", "")];
    let server = Running::start(folder.path(), &environment);
    assert!(server.printed.contains("proof of work  off"), "{}", server.printed);
    assert!(server.get("/run/auth/pow/challenge").contains("pow_disabled"));
}

#[test]
fn in_development_missing_secrets_are_generated_and_kept() {
    let folder = TempDir::new().unwrap();
    let page = TempDir::new().unwrap();
    fs::write(page.path().join("index.html"), "<title>Demo</title>").unwrap();
    let environment =
        [("SALTMINE_ENV", "development"), ("SALTMINE_STATIC_DIR", page.path().to_str().unwrap())];
    let server = Running::start(folder.path(), &environment);
    for words in [
        &format!("http://{}/\n", server.address),
        "app_demo000000000000",
        "proof of work  on",
        ".saltmine/secrets.env: for development only",
    ] {
        assert!(server.printed.contains(words), "{words}: {}", server.printed);
    }
    assert!(server.get("/").contains("<title>Demo</title>"));
    assert!(server.get("/run/auth/pow/challenge").contains("\"maxnumber\":50000"));

    let file = folder.path().join(".saltmine/secrets.env");
    let secrets = fs::read_to_string(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_to_string(folder.path().join(".saltmine/.gitignore")).unwrap(), "*\n");
    assert_eq!(fs::read_dir(folder.path().join(".saltmine")).unwrap().count(), 2, "no draft is left");
    let values: Vec<_> = secrets.lines().filter_map(|line| line.split_once('=')).collect();
    assert_eq!(values.len(), 3);
    let (status, log) = server.stop();
    assert_eq!(status.code(), Some(0));
    for (name, value) in values {
        assert!(value.len() >= 32, "{name}");
        assert!(!log.contains(value), "{name}");
    }

    let again = Running::start(folder.path(), &environment);
    assert_eq!(fs::read_to_string(&file).unwrap(), secrets, "the next start has the same");
    assert!(again.printed.contains("app_demo000000000000"));
}

#[test]
fn in_development_a_page_on_every_address_is_told_with_one_that_opens() {
    let folder = TempDir::new().unwrap();
    let other = TempDir::new().unwrap();
    let page = other.path().to_str().unwrap();
    let environment = [
        ("SALTMINE_ENV", "development"),
        ("SALTMINE_STATIC_DIR", page),
        ("HOST", "0.0.0.0"),
        // The secret of tokens is required: an empty one is missing.
        ("INKEEP_ANON_JWT_SECRET", ""),
    ];
    let server = Running::start(folder.path(), &environment);
    let port = server.address.strip_prefix("0.0.0.0:").unwrap();
    assert!(
        server.printed.contains(&format!("page           http://127.0.0.1:{port}/\n")),
        "{}",
        server.printed
    );
}

#[test]
fn servers_that_start_together_draw_the_same_secrets() {
    let folder = TempDir::new().unwrap();
    let starts: Vec<_> = (0..6)
        .map(|number| {
            let path = folder.path().to_owned();
            std::thread::spawn(move || {
                let database = format!("sqlite://{number}.db");
                let environment = [("SALTMINE_ENV", "development"), ("DATABASE_URL", &*database)];
                Running::start(&path, &environment)
            })
        })
        .collect();
    let servers: Vec<_> = starts.into_iter().map(|start| start.join().unwrap()).collect();
    assert_eq!(servers.len(), 6);
    assert_eq!(fs::read_dir(folder.path().join(".saltmine")).unwrap().count(), 2);
}

#[test]
fn damaged_secrets_are_left_alone() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("state")).unwrap();
    let file = folder.path().join("state/secrets.env");
    fs::write(&file, "INKEEP_POW_HMAC_SECRET=x\n").unwrap();
    let environment = [("SALTMINE_ENV", "development"), ("SALTMINE_STATE_DIR", "state")];
    let output = output(command(folder.path(), &environment));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        errors,
        "state/secrets.env lacks INKEEP_ANON_JWT_SECRET: delete the file to generate new secrets.\n"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "INKEEP_POW_HMAC_SECRET=x\n");
}

#[test]
fn requests_under_way_are_finished() {
    for signal in ["-TERM", "-INT"] {
        let folder = TempDir::new().unwrap();
        let environment = [("INKEEP_ANON_JWT_SECRET", LONG), ("INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET", KEY)];
        let mut server = Running::start(folder.path(), &environment);
        let body = r#"{"name":"Late","type":"api","config":{"type":"api"}}"#;
        let (first_half, second_half) = body.split_at(20);
        let head = format!(
            "POST /manage/tenants/t/projects/p/apps HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {KEY}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(&server.address).unwrap();
        stream.write_all((head + first_half).as_bytes()).unwrap();
        std::thread::sleep(Duration::from_secs(1));
        server.signal(signal);
        std::thread::sleep(Duration::from_secs(1));
        assert!(TcpStream::connect(&server.address).is_err(), "no new ones are taken");
        stream.write_all(second_half.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 201 Created"), "{answer}");
        assert_eq!(server.child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn help_tells_every_variable_and_no_secret() {
    let folder = TempDir::new().unwrap();
    let secrets = [
        ("INKEEP_ANON_JWT_SECRET", "hunter2"),
        ("INKEEP_POW_HMAC_SECRET", "hunter2"),
        ("INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET", "hunter2"),
        ("DATABASE_URL", "postgres://me:hunter2@db/x"),
    ];
    let mut command = command(folder.path(), &secrets);
    command.arg("--help");
    let output = output(command);
    let help = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    for name in [
        "INKEEP_POW_HMAC_SECRET",
        "INKEEP_POW_DIFFICULTY",
        "INKEEP_POW_CHALLENGE_TTL_SECONDS",
        "INKEEP_ANON_JWT_SECRET",
        "INKEEP_ANON_SESSION_LIFETIME_SECONDS",
        "INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET",
        "DATABASE_URL",
        "SALTMINE_ENV",
        "HOST",
        "PORT",
        "SALTMINE_RATE_LIMIT",
        "INKEEP_POW_HMAC_SECRET_SECOND",
        "INKEEP_ANON_JWT_SECRET_SECOND",
        "SALTMINE_POW_SCOPE",
        "SALTMINE_TRUSTED_PROXIES",
        "SALTMINE_MAX_CONNECTIONS",
        "SALTMINE_MAX_CONNECTIONS_PER_ADDRESS",
        "SALTMINE_DATABASE_CONNECTIONS",
        "SALTMINE_AGENT_URL",
        "SALTMINE_AGENT_KEY",
        "SALTMINE_AGENT_MODEL",
        "SALTMINE_AGENT_TIMEOUT_SECONDS",
        "SALTMINE_AGENT_PROMPT",
        "SALTMINE_AGENT_CONTEXT_BYTES",
        "SALTMINE_AGENT_CONTEXT_TOKENS",
        "SALTMINE_SHUTDOWN_SECONDS",
        "SALTMINE_ADMIN_ADDRESS",
        "SALTMINE_DRAIN_SECONDS",
        "SALTMINE_LOG_FORMAT",
        "SALTMINE_RETENTION_DAYS",
        "SALTMINE_STATIC_DIR",
        "SALTMINE_QUOTA_REQUESTS",
        "SALTMINE_QUOTA_STREAMS",
        "SALTMINE_QUOTA_STORED_BYTES",
        "SALTMINE_QUOTA_TOKENS",
        "SALTMINE_POW_ADAPTIVE",
        "SALTMINE_POW_ADAPTIVE_HALF_LIFE_SECONDS",
        "SALTMINE_REDIS_URL",
        "SALTMINE_MANAGE_READ_KEY",
        "SALTMINE_AUDIT_ENTRIES",
        "SALTMINE_STATE_DIR",
        "SALTMINE_LOG",
    ] {
        assert!(help.contains(&format!("[env: {name}")), "{name}");
    }
    assert!(!help.contains("hunter2"));
}
