//! Debian's packages, where a task runs as root on a machine that has them.

use anyhow::{Context as _, Result};

use crate::process::{output, program, run, succeeds};

/// Installs packages if that is possible here; `missing` says what to do where it is not.
pub(crate) fn install(packages: &[&str], missing: &'static str) -> Result<()> {
    if !is_root() || !succeeds(program("apt-get").arg("--version")) {
        anyhow::bail!(missing);
    }
    eprintln!("installing {} (once)", packages.join(", "));
    let apt = || {
        let mut apt = program("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        apt
    };
    run(apt().args(["update", "-qq"])).context(missing)?;
    run(apt().args(["install", "-y", "-qq", "--no-install-recommends"]).args(packages)).context(missing)
}

/// Whether this task may install packages, and must not run a database.
pub(crate) fn is_root() -> bool {
    output(program("id").arg("-u")).is_some_and(|id| id.trim() == "0")
}
