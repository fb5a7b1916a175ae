//! Child processes: their standard output goes to this process's standard error, so that it has the task's output only.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::{env, io};

use anyhow::{Context as _, Result, bail};

/// The root of the work tree: every path of a task starts here.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_path_buf()
}

/// Where Cargo builds.
pub(crate) fn target_dir() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The folder of the files that the tasks download and generate for themselves.
pub(crate) fn cache_dir() -> PathBuf {
    root().join(".cache")
}

/// A program, run at the root.
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    command
}

/// The Cargo that runs this task.
pub(crate) fn cargo() -> Command {
    program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A script of Node's, or a tool of the npm workspace by the path of its script.
pub(crate) fn node(script: &str) -> Command {
    let mut command = program("node");
    command.arg(script);
    command
}

/// Runs a command; returns an error that names the command unless it succeeds.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = status(command.stdout(stderr()?))?;
    if !status.success() {
        bail!("`{}` failed ({status}).", line(command));
    }
    Ok(())
}

/// Runs a command with this process's standard output.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    command.status().with_context(|| format!("`{}` could not be started", line(command)))
}

/// Whether the command exists and succeeds; prints nothing.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// Returns the output of the command, if it succeeds.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

#[cfg(unix)]
fn stderr() -> io::Result<std::process::Stdio> {
    use std::os::fd::AsFd as _;
    Ok(io::stderr().as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn stderr() -> io::Result<std::process::Stdio> {
    use std::os::windows::io::AsHandle as _;
    Ok(io::stderr().as_handle().try_clone_to_owned()?.into())
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
