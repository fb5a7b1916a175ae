//! The reference server as a child of a task.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::process::{cargo, program, root, run, target_dir};

/// Builds the server.
pub(crate) fn build() -> Result<()> {
    run(cargo().args(["build", "--quiet", "--package", "saltmine-server"]))
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
const TASK_VARIABLES: [&str; 10] = [
    "SALTMINE_CHROMEDRIVER",
    "SALTMINE_CHROMIUM",
    "SALTMINE_FIREFOX",
    "SALTMINE_MINIBROWSER",
    "SALTMINE_SCHEMATHESIS",
    "SALTMINE_SERVER",
    "SALTMINE_TEST_POSTGRES_URL",
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
        // The session of the demo page solves version 1.
        ("SALTMINE_POW_VERSION", "1".to_owned()),
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
