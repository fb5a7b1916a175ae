//! The reference server as a child of a task.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use anyhow::{Context as _, Result};

use crate::process::{cache_dir, cargo, program, root, run, target_dir};

/// Builds the server; the path of its binary.
pub(crate) fn build() -> Result<PathBuf> {
    eprintln!("server: saltmine-server");
    run(cargo().args(["build", "--quiet", "--package", "saltmine-server"]))?;
    Ok(target_dir().join("debug").join(format!("saltmine-server{}", env::consts::EXE_SUFFIX)))
}

/// The server as `npm start` runs it: development, the built page, its state in `.saltmine/`.
pub(crate) fn development(binary: &PathBuf) -> Command {
    let state = root().join(".saltmine");
    let mut command = program(binary);
    for (name, value) in [
        ("SALTMINE_ENV", "development".to_owned()),
        ("SALTMINE_STATE_DIR", state.display().to_string()),
        ("SALTMINE_STATIC_DIR", root().join("www/dist").display().to_string()),
        ("DATABASE_URL", format!("sqlite://{}", state.join("saltmine.db").display())),
    ] {
        if env::var_os(name).is_none() {
            command.env(name, value);
        }
    }
    command
}

/// A server for tests, on a fresh database and a port of its own; killed when dropped.
pub(crate) struct TestServer {
    child: Child,
    /// Such as `http://127.0.0.1:40123`.
    pub(crate) base_url: String,
}

impl TestServer {
    pub(crate) fn start(binary: &PathBuf) -> Result<Self> {
        let state = cache_dir().join("test-server");
        fs::remove_dir_all(&state).ok();
        fs::create_dir_all(&state)?;
        let mut child = program(binary)
            .env("SALTMINE_ENV", "development")
            .env("SALTMINE_STATE_DIR", &state)
            .env("DATABASE_URL", format!("sqlite://{}", state.join("saltmine.db").display()))
            .env("SALTMINE_RATE_LIMIT", "off")
            .env("HOST", "127.0.0.1")
            .env("PORT", "0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("saltmine-server could not be started")?;
        let stdout = child.stdout.take().context("saltmine-server has no standard output")?;
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let base_url = lines
            .find_map(|line| line.strip_prefix("listening on ").map(|url| url.trim().to_owned()))
            .context("saltmine-server ended before it listened: run it by hand to see why")?;
        // Whatever else it prints must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, base_url })
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
