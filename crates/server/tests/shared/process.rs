//! The binary as a separate process.
#![allow(clippy::disallowed_methods, reason = "real time passes")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

pub const LONG: &str = "a secret that has more than thirty-two characters";
pub const KEY: &str = "a management key";

pub fn command(folder: &Path, environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_saltmine-server"));
    // Without a drain, for which most tests would only wait.
    command.env_clear().env("SALTMINE_DRAIN_SECONDS", "0");
    command.envs(environment.iter().copied()).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Returns the output of a command that ends by itself. If it does not end, the test stops it and fails.
pub fn output(mut command: Command) -> Output {
    let mut child = command.spawn().unwrap();
    let start = std::time::Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(30) {
            let _ = child.kill();
            panic!("it started: {command:?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

/// Sends a request that closes the connection, and returns the response.
pub fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A running server, which ends with the test.
pub struct Running {
    pub child: Child,
    pub address: String,
    /// The output until the server listened.
    pub printed: String,
}

impl Running {
    pub fn start(folder: &Path, environment: &[(&str, &str)]) -> Self {
        let child = command(folder, environment).env("PORT", "0").spawn().unwrap();
        let mut server = Self { child, address: String::new(), printed: String::new() };
        for line in BufReader::new(server.child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            server.printed += &format!("{line}\n");
            if let Some(address) = line.strip_prefix("listening on http://") {
                server.address = address.to_owned();
                return server;
            }
        }
        let mut errors = String::new();
        server.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        panic!("it did not start: {errors}");
    }

    pub fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"))
    }

    /// Posts JSON with a bearer token.
    pub fn post(&self, path: &str, bearer: &str, body: &str) -> String {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAuthorization: Bearer {bearer}"
        );
        let length = body.len();
        self.ask(&format!(
            "{head}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
    }

    fn ask(&self, request: &str) -> String {
        ask(&self.address, request)
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Stops the server. Returns its exit status and its log.
    pub fn stop(mut self) -> (ExitStatus, String) {
        self.signal("-TERM");
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap(), log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
