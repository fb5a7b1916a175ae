//! The languages of the examples and of Schemathesis.

use std::path::PathBuf;

use super::{Machine, Tool};
use crate::process::succeeds;

/// A Python that can make virtual environments, which Debian packages apart.
pub(super) const PYTHON_VENV: Tool<PathBuf> = Tool {
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

/// Builds `examples/backend-go`.
pub(crate) const GO: Tool<PathBuf> = Tool {
    name: "Go",
    variables: &["SALTMINE_GO"],
    packages: &[&["golang-go"]],
    find: |machine: &Machine| Ok(machine.path_in("SALTMINE_GO")?.or_else(|| machine.on_path(&["go"]))),
    download: None,
};
