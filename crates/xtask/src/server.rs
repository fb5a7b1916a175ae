//! The reference server as a child of a task.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};

use crate::process::{cache_dir, cargo, program, root, run, target_dir};

/// Builds the server, with the features that its dependencies have in the whole workspace: those that the tests need too.
pub(crate) fn build() -> Result<()> {
    run(cargo().args(["build", "--quiet", "--workspace", "--bin", "saltmine-server"]))
}

/// The path of the binary that `build` makes.
pub(crate) fn binary() -> PathBuf {
    target_dir().join("debug").join(format!("saltmine-server{}", env::consts::EXE_SUFFIX))
}

/// The same with every optimisation, for measurements.
pub(crate) fn build_release() -> Result<PathBuf> {
    eprintln!("server: saltmine-server, release");
    run(cargo().args(["build", "--quiet", "--release", "--package", "saltmine-server"]))?;
    Ok(target_dir().join("release").join(format!("saltmine-server{}", env::consts::EXE_SUFFIX)))
}

/// The variables by which tasks and tests find programs.
const TASK_VARIABLES: [&str; 14] = [
    "SALTMINE_CHROMEDRIVER",
    "SALTMINE_CHROMIUM",
    "SALTMINE_FIREFOX",
    "SALTMINE_GO",
    "SALTMINE_MINIBROWSER",
    "SALTMINE_SCHEMATHESIS",
    "SALTMINE_SERVER",
    "SALTMINE_TEST_NGINX",
    "SALTMINE_TEST_POSTGRES_URL",
    "SALTMINE_TEST_REDIS_SERVER",
    "SALTMINE_WASM_BINDGEN",
    "SALTMINE_WEBKIT_DRIVER",
    "SALTMINE_WRK",
    "SALTMINE_XVFB_RUN",
];

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
    // Variables of the tasks, which the server would refuse as unknown.
    for name in TASK_VARIABLES {
        command.env_remove(name);
    }
    command
}

/// The server for the tests of the wasm client, on a port of its own; ended when dropped.
pub(crate) struct TestServer {
    child: Child,
    url: String,
    /// Accepts connections, since the system does, and sends nothing.
    silent: TcpListener,
}

impl TestServer {
    pub(crate) fn start() -> Result<Self> {
        let state = cache_dir().join("test-server");
        std::fs::create_dir_all(&state)?;
        let mut command = program(binary());
        for name in TASK_VARIABLES {
            command.env_remove(name);
        }
        let mut child = command
            .env("SALTMINE_ENV", "development")
            .env("SALTMINE_STATE_DIR", &state)
            .env("SALTMINE_RATE_LIMIT", "off")
            // The crate's own flow solves version 1; version 2 belongs to its host.
            .env("SALTMINE_POW_VERSION", "1")
            .env("DATABASE_URL", format!("sqlite://{}", state.join("saltmine.db").display()))
            .env("HOST", "127.0.0.1")
            .env("PORT", "0")
            .stdout(Stdio::piped())
            .spawn()
            .context("the reference server could not be started")?;
        let output = child.stdout.take().context("the reference server has no output")?;
        let address = |line: String| {
            let start = line.find("listening on ")? + "listening on ".len();
            line[start..].split(['"', ' ']).next().map(|url| url.trim_end_matches('/').to_owned())
        };
        let url = BufReader::new(output).lines().map_while(Result::ok).find_map(address);
        let silent = TcpListener::bind("127.0.0.1:0")?;
        let server = Self { child, url: url.unwrap_or_default(), silent };
        anyhow::ensure!(!server.url.is_empty(), "the reference server ended before it listened.");
        Ok(server)
    }

    /// Sets the addresses as variables in a command's environment.
    pub(crate) fn pass_to(&self, command: &mut Command) -> Result<()> {
        command
            .env("SALTMINE_TEST_SERVER", &self.url)
            .env("SALTMINE_TEST_SILENT", format!("http://{}", self.silent.local_addr()?));
        Ok(())
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
