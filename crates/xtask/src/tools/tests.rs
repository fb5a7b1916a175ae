//! The finder, on machines that are folders of small shell programs.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

use super::{CHROMIUM, FIREFOX, Machine, MissingTool, POSTGRESQL, Tool, WEBKIT, WRK};
use crate::postgres::Postgres;

/// A machine with nothing but what a test puts into its two folders.
struct Fake {
    folder: TempDir,
    machine: Machine,
    _turn: MutexGuard<'static, ()>,
}

/// The tests take turns: Linux does not start a program while the child of another test, just forked, has it open for
/// writing.
static TURN: Mutex<()> = Mutex::new(());

impl Fake {
    /// `root` is whether the user is root.
    fn new(root: bool) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = TempDir::new().unwrap();
        let programs = folder.path().join("programs");
        fs::create_dir(&programs).unwrap();
        let machine = Machine {
            variable: |_| None,
            path: programs.into_os_string(),
            root: folder.path().into(),
            lists_updated: OnceCell::new(),
        };
        let fake = Self { folder, machine, _turn: turn };
        fake.program("id", if root { "echo 0" } else { "echo 1000" });
        fake
    }

    fn programs(&self) -> PathBuf {
        self.folder.path().join("programs")
    }

    fn program(&self, name: &str, script: &str) -> PathBuf {
        write_program(&self.programs().join(name), script)
    }

    /// Adds an `apt-get` that notes its arguments, and installs `programs` when one of `packages` is asked for.
    fn apt(&self, packages: &str, programs: &[(&str, &str)]) {
        let log = self.log();
        let mut install = String::new();
        for (name, script) in programs {
            let path = self.programs().join(name);
            let path = path.display();
            install += &format!("echo '#!/bin/sh\n{script}' > {path}; /bin/chmod +x {path}; ");
        }
        self.program(
            "apt-get",
            &format!(
                "echo \"$@\" >> {}\ncase \"$*\" in *--version*|*update*) exit 0;; *{packages}*) {install} exit 0;; esac\n\
                 echo 'E: Unable to locate package' >&2; exit 100",
                log.display()
            ),
        );
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The calls of apt-get that changed something.
    fn apt_calls(&self) -> Vec<String> {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        log.lines().filter(|line| !line.contains("--version")).map(str::to_owned).collect()
    }
}

fn write_program(path: &Path, script: &str) -> PathBuf {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    path.into()
}

/// A tool that two packages provide under two names.
const REDIS: Tool<PathBuf> = Tool {
    name: "Redis or Valkey",
    variables: &["REDIS"],
    packages: &[&["redis-server"], &["valkey-server"]],
    find: |machine| {
        Ok(machine.path_in("REDIS")?.or_else(|| machine.on_path(&["redis-server", "valkey-server"])))
    },
    download: None,
};

const WITH_DOWNLOAD: Tool<PathBuf> = Tool { download: Some(|_| Ok("/downloaded".into())), ..REDIS };

#[test]
fn a_program_on_the_path_is_taken_and_nothing_is_installed() {
    let fake = Fake::new(true);
    fake.apt("redis-server", &[]);
    let valkey = fake.program("valkey-server", "");
    assert_eq!(REDIS.obtain(&fake.machine).unwrap(), valkey);
    let redis = fake.program("redis-server", "");
    assert_eq!(REDIS.obtain(&fake.machine).unwrap(), redis, "the first name comes first");
    assert!(fake.apt_calls().is_empty());
}

#[test]
fn a_variable_comes_before_the_path_and_must_name_a_file() {
    let mut fake = Fake::new(true);
    fake.program("redis-server", "");
    fake.machine.variable = |name| (name == "REDIS").then(|| OsString::from("/bin/sh"));
    assert_eq!(REDIS.obtain(&fake.machine).unwrap(), Path::new("/bin/sh"));
    fake.machine.variable = |_| Some("/nowhere".into());
    let error = REDIS.obtain(&fake.machine).unwrap_err();
    assert!(!error.is::<MissingTool>(), "a wrong value is not a missing tool");
    assert_eq!(error.to_string(), "Invalid REDIS: there is no file /nowhere.");
}

#[test]
fn root_installs_the_package_and_updates_the_lists_once() {
    let fake = Fake::new(true);
    fake.apt("redis-server", &[("redis-server", "")]);
    assert!(REDIS.obtain(&fake.machine).unwrap().ends_with("redis-server"));
    assert!(WRK.obtain(&fake.machine).is_err());
    let calls = fake.apt_calls();
    assert_eq!(calls.len(), 3, "{calls:?}");
    assert!(calls[0].ends_with("update") && calls[1].ends_with("redis-server") && calls[2].ends_with("wrk"));
}

#[test]
fn the_second_package_is_tried_where_the_first_does_not_exist() {
    let fake = Fake::new(true);
    fake.apt("valkey-server", &[("valkey-server", "")]);
    assert!(REDIS.obtain(&fake.machine).unwrap().ends_with("valkey-server"));
}

#[test]
fn another_user_installs_through_sudo_if_it_asks_for_no_password() {
    let fake = Fake::new(false);
    fake.apt("redis-server", &[("redis-server", "")]);
    assert!(REDIS.obtain(&fake.machine).is_err(), "there is no sudo");
    fake.program("sudo", "exit 1");
    assert!(REDIS.obtain(&fake.machine).is_err(), "sudo asks for a password");
    assert!(fake.apt_calls().is_empty());
    fake.program("sudo", "[ \"$1\" = -n ] || exit 1; shift; exec \"$@\"");
    assert!(REDIS.obtain(&fake.machine).unwrap().ends_with("redis-server"));
}

#[test]
fn the_download_comes_last() {
    let fake = Fake::new(true);
    fake.apt("redis-server", &[("redis-server", "")]);
    assert!(WITH_DOWNLOAD.obtain(&fake.machine).unwrap().ends_with("redis-server"));
    fs::remove_file(fake.programs().join("redis-server")).unwrap();
    fake.apt("nothing", &[]);
    assert_eq!(WITH_DOWNLOAD.obtain(&fake.machine).unwrap(), Path::new("/downloaded"), "no such package");
    fs::remove_file(fake.programs().join("apt-get")).unwrap();
    assert_eq!(WITH_DOWNLOAD.obtain(&fake.machine).unwrap(), Path::new("/downloaded"), "no apt-get");
}

#[test]
fn where_all_fails_one_sentence_names_the_package() {
    let fake = Fake::new(true);
    fake.apt("nothing", &[]);
    let missing = |error: anyhow::Error| {
        assert!(error.is::<MissingTool>());
        error.to_string()
    };
    assert_eq!(
        missing(REDIS.obtain(&fake.machine).unwrap_err()),
        "Redis or Valkey is missing: install it (Debian: apt-get install redis-server, or valkey-server), or set REDIS."
    );
    assert_eq!(
        missing(CHROMIUM.obtain(&fake.machine).map(drop).unwrap_err()),
        "Chromium with chromedriver is missing: install it (Debian: apt-get install chromium chromium-driver), or set \
         SALTMINE_CHROMIUM and SALTMINE_CHROMEDRIVER."
    );
    // Its download fails too: there is no npm.
    assert!(missing(FIREFOX.obtain(&fake.machine).unwrap_err()).contains("firefox-esr"));
}

#[test]
fn chromium_needs_a_driver_of_its_own_version() {
    let fake = Fake::new(true);
    // As Ubuntu has it where the snap is not installed.
    fake.program("chromium", "echo 'Command requires the chromium snap' >&2; exit 1");
    let chrome = fake.program("google-chrome", "echo Google Chrome 156.0.8078.79");
    assert!(CHROMIUM.obtain(&fake.machine).is_err(), "no driver");
    fake.program("chromedriver", "echo 'ChromeDriver 150.0.7871.100 (abc)'");
    assert!(CHROMIUM.obtain(&fake.machine).is_err(), "the driver is of another version");
    let driver = fake.program("chromedriver", "echo 'ChromeDriver 156.0.8078.1 (abc)'");
    let found = CHROMIUM.obtain(&fake.machine).unwrap();
    assert_eq!((found.browser, found.driver), (chrome, driver));
}

#[test]
fn programs_off_the_path_are_found() {
    let fake = Fake::new(true);
    let bin = fake.folder.path().join("usr/lib/postgresql/15/bin");
    write_program(&bin.join("initdb"), "");
    assert!(POSTGRESQL.obtain(&fake.machine).is_err(), "a client is not a server");
    write_program(&bin.join("postgres"), "");
    assert_eq!(POSTGRESQL.obtain(&fake.machine).unwrap(), bin);

    for program in ["WebKitWebDriver", "xvfb-run", "Xvfb"] {
        fake.program(program, "");
    }
    write_program(&fake.folder.path().join("usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser"), "");
    assert!(WEBKIT.obtain(&fake.machine).is_err(), "xvfb-run calls xauth");
    fake.program("xauth", "");
    assert!(WEBKIT.obtain(&fake.machine).is_ok());
}

#[test]
fn the_server_of_redis_may_be_valkeys() {
    let fake = Fake::new(true);
    fake.apt("redis-server", &[("redis-server", "exit 0")]);
    assert_eq!(super::REDIS.obtain(&fake.machine).unwrap(), fake.programs().join("redis-server"));
    let valkey = fake.program("valkey-server", "exit 0");
    assert_eq!(super::REDIS.obtain(&fake.machine).unwrap(), valkey);
}

/// Returns the error where the programs of PostgreSQL are installed, and the server does not start.
fn why_postgres_does_not_start(fake: &Fake) -> String {
    let error = Postgres::start(&fake.machine).map(drop).unwrap_err();
    assert!(error.is::<MissingTool>(), "the tests without it can run: {error:#}");
    error.to_string()
}

#[test]
fn a_postgresql_that_does_not_start_is_like_a_missing_one() {
    let fake = Fake::new(false);
    fake.program("postgres", "echo 'FATAL: no memory' >&2; exit 3");
    fake.program("initdb", "echo 'initdb: error: no space' >&2; exit 1");
    assert_eq!(
        why_postgres_does_not_start(&fake),
        "PostgreSQL's server does not start: initdb failed (exit status: 1), and printed the reason above. Correct this, \
         or set SALTMINE_TEST_POSTGRES_URL."
    );
    fake.program("initdb", "exit 0");
    assert_eq!(
        why_postgres_does_not_start(&fake),
        "PostgreSQL's server does not start: FATAL: no memory: it ended (exit status: 3). Correct this, or set \
         SALTMINE_TEST_POSTGRES_URL."
    );
}

#[test]
fn a_postgresql_without_a_user_of_its_own_does_not_start_for_root() {
    let fake = Fake::new(true);
    fake.program("initdb", "exit 0");
    fake.program("postgres", "exit 0");
    fake.program("chown", "echo \"chown: invalid user: 'postgres'\" >&2; exit 1");
    let reason = why_postgres_does_not_start(&fake);
    assert!(reason.contains("it does not run as root, and there is no user `postgres`: `chown"), "{reason}");
}
