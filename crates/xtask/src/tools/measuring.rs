//! The programs that send requests to the server: wrk, and Schemathesis with the Python that it needs.

use std::path::PathBuf;

use anyhow::Result;

use super::languages::PYTHON_VENV;
use super::{Machine, MissingTool, Tool};
use crate::process::{cache_dir, output, program, run};

pub(crate) const WRK: Tool<PathBuf> = Tool {
    name: "wrk",
    variables: &["SALTMINE_WRK"],
    packages: &[&["wrk"]],
    // It exits with 1 for every option that only asks about it.
    find: |machine| Ok(machine.path_in("SALTMINE_WRK")?.or_else(|| machine.on_path(&["wrk"]))),
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
    let mut pip = program(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .arg(format!("schemathesis=={VERSION}"));
    if let Err(error) = run(&mut pip) {
        eprintln!("{error:#}");
        return Err(MissingTool::of_pip(&format!("schemathesis {VERSION}")).into());
    }
    Ok(tool)
}
