//! The packages of Debian and of the distributions that are made from it.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::Machine;
use crate::process::{output, run, succeeds};

/// Installs packages as root, or through `sudo` where it asks for no password.
pub(super) fn install(machine: &Machine, packages: &[&str]) -> Result<()> {
    if !succeeds(machine.command("apt-get").arg("--version")) {
        bail!("apt-get is not available on this machine");
    }
    let through_sudo = !is_root(machine);
    if through_sudo && !succeeds(machine.command("sudo").args(["-n", "apt-get", "--version"])) {
        bail!("apt-get needs root, or sudo without a password");
    }
    let apt = || {
        let mut apt: Command;
        if through_sudo {
            apt = machine.command("sudo");
            apt.args(["-n", "apt-get"]);
        } else {
            apt = machine.command("apt-get");
        }
        apt.args(["-qq", "-o", "DPkg::Lock::Timeout=120"])
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null());
        apt
    };
    // One source that fails does not make the others useless: apt-get install decides.
    if machine.lists_updated.set(()).is_ok()
        && let Err(error) = run(apt().arg("update"))
    {
        eprintln!("{error:#}");
    }
    run(apt().args(["install", "-y", "--no-install-recommends"]).args(packages))
        .with_context(|| format!("apt-get could not install {}", packages.join(", ")))
}

/// Whether this task runs as root, and so must not run a database itself.
pub(crate) fn is_root(machine: &Machine) -> bool {
    output(machine.command("id").arg("-u")).is_some_and(|id| id.trim() == "0")
}
