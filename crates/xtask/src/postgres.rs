//! A throw-away PostgreSQL for the tests: a cluster of its own on a free port, gone with the task.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::process::{program, run, succeeds};
use crate::tools::{Machine, POSTGRESQL, is_root};

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
    pub(crate) fn start(machine: &Machine) -> Result<Self> {
        if let Ok(url) = env::var(VARIABLE) {
            return Ok(Self { url, _cluster: None });
        }
        let programs = POSTGRESQL.obtain(machine)?;
        // Not in the work tree: the server has a user of its own, who may not be able to reach it.
        let folder = env::temp_dir().join(format!("saltmine-postgres-{}", std::process::id()));
        fs::remove_dir_all(&folder).ok();
        fs::create_dir(&folder)?;
        if is_root() {
            run(program("chown").arg("postgres").arg(&folder))
                .context("PostgreSQL does not run as root, and there is no user `postgres`.")?;
        }
        let data = folder.join("data");
        // No passwords and no syncing: nothing in here is worth anything.
        let made = unprivileged(&programs.join("initdb"))
            .args(["--username=saltmine", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .arg("--pgdata")
            .arg(&data)
            .stdout(Stdio::null())
            .status()?;
        if !made.success() {
            bail!("initdb failed ({made}): see its message above.");
        }
        let port = free_port()?;
        let server = unprivileged(&programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=300"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("log"))?)
            .spawn()
            .context("PostgreSQL could not be started")?;
        let cluster = Cluster { server, folder };
        wait_for(port).with_context(|| {
            let log = fs::read_to_string(cluster.folder.join("log")).unwrap_or_default();
            format!("PostgreSQL did not start: {log}")
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
fn unprivileged(path: &Path) -> Command {
    if !succeeds(program("setpriv").arg("--version")) {
        return program(path);
    }
    let mut command = program("setpriv");
    // Nobody else's files: not even the folder that this task runs in.
    command.current_dir(env::temp_dir()).args(["--pdeathsig", "QUIT"]);
    if is_root() {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
    }
    command.arg("--").arg(path);
    command
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn wait_for(port: u16) -> Result<()> {
    for _ in 0..150 {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    bail!("it took no connection within 30 seconds.");
}
