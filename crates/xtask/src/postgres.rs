//! A throw-away PostgreSQL for the tests: a cluster of its own on a free port, gone with the task.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::process::{program, run, succeeds};
use crate::tools::{Machine, MissingTool, POSTGRESQL, is_root};

/// Names the address of a database that the tests may fill, instead of a server of their own.
pub(crate) const VARIABLE: &str = "SALTMINE_TEST_POSTGRES_URL";

/// A server for tests, ended when dropped.
pub(crate) struct Postgres {
    /// Such as `postgres://saltmine@127.0.0.1:40123/postgres`.
    pub(crate) url: String,
    /// Ended with this.
    _cluster: Option<Cluster>,
}

struct Cluster {
    server: Child,
    folder: PathBuf,
}

impl Postgres {
    /// Starts the server, or takes the one that the variable names. A `MissingTool` error says what to install, or why
    /// the installed server does not start.
    pub(crate) fn start(machine: &Machine) -> Result<Self> {
        if let Some(url) = (machine.variable)(VARIABLE).and_then(|url| url.into_string().ok()) {
            return Ok(Self { url, _cluster: None });
        }
        let programs = POSTGRESQL.obtain(machine)?;
        // Not in the work tree: the server has a user of its own, who may not be able to reach it.
        let folder = env::temp_dir().join(format!("saltmine-postgres-{}", std::process::id()));
        fs::remove_dir_all(&folder).ok();
        Self::start_in(&folder, &programs, machine).map_err(|error| {
            fs::remove_dir_all(&folder).ok();
            MissingTool::that_does_not_start(POSTGRESQL.name, &error, POSTGRESQL.variables).into()
        })
    }

    fn start_in(folder: &Path, programs: &Path, machine: &Machine) -> Result<Self> {
        fs::create_dir(folder)?;
        if is_root(machine) {
            run(machine.command("chown").arg("postgres").arg(folder))
                .context("it does not run as root, and there is no user `postgres`")?;
        }
        let data = folder.join("data");
        // Without passwords and without syncing, since the database contains only the data of tests.
        let made = unprivileged(&programs.join("initdb"), machine)
            .args(["--username=saltmine", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .arg("--pgdata")
            .arg(&data)
            .stdout(Stdio::null())
            .status()?;
        if !made.success() {
            bail!("initdb failed ({made}), and printed the reason above");
        }
        let port = free_port()?;
        let server = unprivileged(&programs.join("postgres"), machine)
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=300"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("log"))?)
            .spawn()
            .context("the program could not be run")?;
        let mut cluster = Cluster { server, folder: folder.into() };
        wait_for(port, &mut cluster.server).map_err(|error| {
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            error.context(log.trim().to_owned())
        })?;
        let url = format!("postgres://saltmine@127.0.0.1:{port}/postgres");
        Ok(Self { url, _cluster: Some(cluster) })
    }

    /// The address, for a command of tests.
    pub(crate) fn pass_to(&self, command: &mut Command) {
        command.env(VARIABLE, &self.url);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // SIGQUIT, which ends it at once and with all its children.
        let id = self.server.id().to_string();
        if !succeeds(program("kill").args(["-QUIT", &id])) {
            self.server.kill().ok();
        }
        self.server.wait().ok();
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// A program that does not run as root, and on Linux ends when this process does, however that ends.
fn unprivileged(path: &Path, machine: &Machine) -> Command {
    if !succeeds(machine.command("setpriv").arg("--version")) {
        return program(path);
    }
    let mut command = machine.command("setpriv");
    // Nobody else's files: not even the folder that this task runs in.
    command.current_dir(env::temp_dir()).args(["--pdeathsig", "QUIT"]);
    if is_root(machine) {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
    }
    command.arg("--").arg(path);
    command
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn wait_for(port: u16, server: &mut Child) -> Result<()> {
    for _ in 0..150 {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(());
        }
        if let Some(status) = server.try_wait()? {
            bail!("it ended ({status})");
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    bail!("it accepted no connection within 30 s");
}
