//! The programs that send requests to the server: wrk, and Schemathesis with the Python that it needs.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::{Machine, Tool};
use crate::process::{cache_dir, output, program, run, succeeds};

pub(crate) const WRK: Tool<PathBuf> = Tool {
    name: "wrk",
    variables: &["SALTMINE_WRK"],
    packages: &[&["wrk"]],
    // It exits with 1 for every option that only asks about it.
    find: |machine| Ok(machine.path_in("SALTMINE_WRK")?.or_else(|| machine.on_path(&["wrk"]))),
    download: None,
};

/// A Python that can make virtual environments, which Debian packages apart.
const PYTHON_VENV: Tool<PathBuf> = Tool {
    name: "Python 3.10 or later with venv",
    variables: &[],
    packages: &[&["python3-venv"]],
    find: |machine| {
        const CHECK: &str = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))";
        let mut pythons = machine.all_on_path(&["python3"]);
        Ok(pythons.find(|python| succeeds(machine.command(python).args(["-c", CHECK]))))
    },
    download: None,
};

/// Schemathesis at our version, in a virtual environment under `.cache`.
pub(crate) fn schemathesis(machine: &Machine) -> Result<PathBuf> {
    const VERSION: &str = "4.32.5";
    let folder = cache_dir().join("schemathesis");
    let tool = folder.join("bin/schemathesis");
    if output(program(&tool).arg("--version")).is_some_and(|found| found.contains(VERSION)) {
        return Ok(tool);
    }
    let python = PYTHON_VENV.obtain(machine)?;
    eprintln!("installing schemathesis {VERSION} into {} (once)", folder.display());
    run(program(python).args(["-m", "venv", "--clear"]).arg(&folder))?;
    run(program(folder.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .arg(format!("schemathesis=={VERSION}")))
    .context("schemathesis could not be installed with pip")?;
    Ok(tool)
}
