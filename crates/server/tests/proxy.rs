//! The proxy of `compose.yaml`, with its deployed configuration except for addresses. Skipped if there is no
//! nginx.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    dead_code,
    clippy::disallowed_methods,
    reason = "a helper of a test fails the test, and is for the tests; real time passes"
)]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

#[path = "shared/process.rs"]
mod process;

use process::{LONG, Running};

const PAGE: &str = "https://docs.example.com";

/// nginx in front of one server, which ends with the test.
struct Proxy {
    child: Child,
    address: String,
    _folder: TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // nginx must end its workers itself: they would outlive a killed process.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn start(server: &str, change: impl Fn(String) -> String) -> Option<Proxy> {
    let named = std::env::var_os("SALTMINE_TEST_NGINX").map(PathBuf::from);
    let usual = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"].map(PathBuf::from);
    let Some(program) = named.into_iter().chain(usual).find(|path| path.exists()) else {
        eprintln!("skipped: there is no nginx (Debian: apt-get install nginx-light)");
        return None;
    };
    let folder = TempDir::new().unwrap();
    let deployed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    let address = free_address();
    let text = fs::read_to_string(deployed.join("nginx.conf")).unwrap();
    for words in ["listen 8080;", "server server-1:8787", "server server-2:8787"] {
        assert!(text.contains(words), "{words}");
    }
    let text = text
        .replace("listen 8080;", &format!("listen {address};"))
        .replace("server server-1:8787", &format!("server {server}"))
        .replace("server server-2:8787", &format!("server {server} backup"));
    let prefix = folder.path().display();
    let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {prefix}/{kind};\n"))
        .concat();
    let text = change(text).replace("http {", &format!("http {{\naccess_log off;\n{paths}"));
    fs::write(folder.path().join("nginx.conf"), format!("daemon off;\npid {prefix}/pid;\n{text}")).unwrap();
    for file in ["problem_headers.conf", "preflight_headers.conf"] {
        fs::copy(deployed.join(file), folder.path().join(file)).unwrap();
    }
    let child = Command::new(program)
        .args(["-e", "stderr", "-p"])
        .arg(folder.path())
        .args(["-c", "nginx.conf"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let proxy = Proxy { child, address, _folder: folder };
    let start = Instant::now();
    while TcpStream::connect(&proxy.address).is_err() {
        assert!(start.elapsed() < Duration::from_secs(10), "nginx does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(proxy)
}

fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = Vec::new();
    // nginx resets a connection whose body it did not read.
    let _ = stream.read_to_end(&mut response);
    String::from_utf8(response).unwrap()
}

fn get(address: &str) -> String {
    let path = "/run/auth/pow/challenge";
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: test\r\nOrigin: {PAGE}\r\nConnection: close\r\n\r\n"))
}

fn assert_readable(response: &str, status: u16, reason: &str) {
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or((response, ""));
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with(&format!("http/1.1 {status} ")), "{response}");
    for header in [
        &format!("access-control-allow-origin: {PAGE}"),
        "content-type: application/problem+json",
        "cache-control: no-store",
    ] {
        assert!(head.lines().any(|line| line == header), "{header}: {response}");
    }
    assert_eq!(head.matches("access-control-allow-origin").count(), 1, "{response}");
    let problem: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&problem["status"], &problem["reason"]), (&status.into(), &reason.into()));
    assert_eq!(problem["error"]["message"], problem["detail"]);
}

fn server(folder: &TempDir) -> Running {
    Running::start(folder.path(), &[("INKEEP_ANON_JWT_SECRET", LONG), ("INKEEP_POW_HMAC_SECRET", LONG)])
}

/// The two configurations have the same directives in the same order, except for TLS, addresses and the second server.
#[test]
fn the_configuration_of_one_machine_is_the_same_but_for_tls_and_addresses() {
    let deployed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    let read = |name: &str| fs::read_to_string(deployed.join(name)).unwrap();
    let own = ["listen ", "upstream ", "least_conn", "server server-", "proxy_pass ", "proxy_next_upstream"];
    let own_of_one = ["listen ", "upstream ", "server 127", "server_name ", "ssl_", "proxy_pass "];
    let directives = |text: &str, own: &[&str]| -> Vec<String> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.filter(|line| !own.iter().any(|own| line.starts_with(own))).map(str::to_owned).collect()
    };
    // The server on port 80 sends browsers to the other one.
    let one_machine = read("nginx-one-machine.conf");
    let (before, rest) = one_machine.split_once("  server {\n    listen 80;").unwrap();
    let (_, after) = rest.split_once("\n  }\n").unwrap();
    let one_machine = directives(&[before, after].concat(), &own_of_one);
    assert_eq!(one_machine, directives(&read("nginx.conf"), &own));
}

#[test]
fn a_page_can_read_the_proxys_own_errors() {
    let folder = TempDir::new().unwrap();
    let running = server(&folder);
    let Some(proxy) = start(&running.address, |text| text) else { return };
    let good = get(&proxy.address);
    assert!(good.starts_with("HTTP/1.1 200") && good.contains("maxnumber"), "{good}");
    assert_eq!(good.to_ascii_lowercase().matches("access-control-allow-origin").count(), 1);

    let length = 6 * 1024 * 1024;
    let head = format!(
        "POST /run/api/chat HTTP/1.1\r\nHost: test\r\nOrigin: {PAGE}\r\nContent-Length: {length}\r\n\r\n"
    );
    assert_readable(&ask(&proxy.address, &head), 413, "body_too_large");

    drop(running);
    assert_readable(&get(&proxy.address), 503, "not_ready");
    // A page sends the session request only after a preflight that succeeds.
    let preflight = format!(
        "OPTIONS /run/auth/apps/app_1/anonymous-session HTTP/1.1\r\nHost: test\r\nOrigin: {PAGE}\r\nConnection: close\r\n\
        Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-inkeep-challenge-solution\r\n\r\n"
    );
    let response = ask(&proxy.address, &preflight).to_ascii_lowercase();
    assert!(response.starts_with("http/1.1 204 "), "{response}");
    for header in [
        &format!("access-control-allow-origin: {PAGE}"),
        "access-control-allow-methods: get, post, put, patch, delete, options",
        "access-control-allow-headers: x-inkeep-challenge-solution",
    ] {
        assert!(response.lines().any(|line| line == header), "{header}: {response}");
    }
}

#[test]
fn a_page_can_read_that_it_has_too_many_connections() {
    let folder = TempDir::new().unwrap();
    let running = server(&folder);
    let few = |text: String| text.replace("limit_conn connections 100;", "limit_conn connections 1;");
    let Some(proxy) = start(&running.address, few) else { return };
    let mut first = TcpStream::connect(&proxy.address).unwrap();
    let slow = "POST /run/api/chat HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\n1";
    first.write_all(slow.as_bytes()).unwrap();
    let mut answer = String::new();
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(100));
        answer = get(&proxy.address);
        if answer.starts_with("HTTP/1.1 429") {
            break;
        }
    }
    assert_readable(&answer, 429, "rate_limited");
}

/// One network of a visitor has one limit: a /64 of IPv6 has more addresses than anyone counts.
#[test]
fn connections_are_limited_by_the_network_of_an_ipv6_address() {
    let folder = TempDir::new().unwrap();
    let running = server(&folder);
    // Addresses as nginx itself writes them: a header replaces that of the connection.
    let shown = |text: String| {
        let show = "location = /key { return 200 $client_network; }\n\n    location / {";
        let real_ip = "http {\n  set_real_ip_from 127.0.0.1;\n  real_ip_header X-Test-Address;";
        text.replacen("location / {", show, 1).replacen("http {", real_ip, 1)
    };
    let Some(proxy) = start(&running.address, shown) else { return };
    let key = |address: &str| {
        let head = "GET /key HTTP/1.1\r\nHost: test\r\nConnection: close";
        let response = ask(&proxy.address, &format!("{head}\r\nX-Test-Address: {address}\r\n\r\n"));
        response.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{response}")).1.to_owned()
    };
    for (address, expected) in [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2"),
        ("2001:0db8:0001:0002:0000:0000:0000:0001", "2001:db8:1:2"),
        ("2001:db8:1:2::", "2001:db8:1:2"),
        ("2001:db8:1::1", "2001:db8:1:0"),
        ("2001:db8:1:0:5::1", "2001:db8:1:0"),
        ("2001:db8:1:0:5:6:7:8", "2001:db8:1:0"),
        ("2001:db8::1", "2001:db8:0:0"),
        ("2001:db8:0:0:5:6:7:8", "2001:db8:0:0"),
        ("2001::4:5:6:7:8", "2001:0:0:4"),
        ("2001:0:0:4::8", "2001:0:0:4"),
        ("2001::8", "2001:0:0:0"),
        ("2001::5:6:7:8", "2001:0:0:0"),
        ("2001:0:0:4:5::8", "2001:0:0:4"),
        ("::1", "::1"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
    ] {
        assert_eq!(key(address), expected, "{address}");
    }
}

/// The server trusts the proxy's trace context: one of a client must not reach it.
#[test]
fn a_clients_trace_context_goes_no_further_than_the_proxy() {
    let folder = TempDir::new().unwrap();
    let environment = [
        ("INKEEP_ANON_JWT_SECRET", LONG),
        ("SALTMINE_TRUSTED_PROXIES", "127.0.0.1"),
        ("SALTMINE_LOG_FORMAT", "json"),
    ];
    let running = Running::start(folder.path(), &environment);
    let Some(proxy) = start(&running.address, |text| text) else { return };
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let headers = format!("traceparent: 00-{trace}-00f067aa0ba902b7-01\r\ntracestate: vendor=client");
    ask(
        &proxy.address,
        &format!(
            "GET /run/auth/pow/challenge HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}\r\n\r\n"
        ),
    );
    let (_, log) = running.stop();
    assert!(log.contains("/run/auth/pow/challenge"), "{log}");
    assert!(!log.contains(trace), "{log}");
}
