//! A Redis or Valkey for a test, which can be stopped and started again on the same port.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The variable that names the program if it is not on the `PATH`.
const PROGRAM: &str = "SALTMINE_TEST_REDIS_SERVER";

pub struct Redis {
    program: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Redis {
    /// Starts Redis, or returns `None` if it is not installed.
    pub fn start() -> Option<Self> {
        let names = ["valkey-server", "redis-server"];
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut on_path = std::env::split_paths(&path)
            .flat_map(|folder| names.map(|name| folder.join(name)))
            .filter(|file| file.is_file());
        let program = std::env::var_os(PROGRAM).map(PathBuf::from).or_else(|| on_path.next());
        let Some(program) = program else {
            eprintln!("skipped: there is no Redis (Debian: apt-get install redis-server)");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut redis = Self { program, port, child: None };
        redis.restart();
        Some(redis)
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Stops Redis, which loses its data in memory.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub fn restart(&mut self) {
        self.stop();
        let mut command = Command::new(&self.program);
        command.args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--save", ""]);
        command.args(["--appendonly", "no", "--dir", &std::env::temp_dir().display().to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("Redis took no connection within 10 seconds");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.stop();
    }
}
