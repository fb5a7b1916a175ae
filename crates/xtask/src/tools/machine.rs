//! The machine that a task runs on: its environment variables and its `PATH`. The tests replace both.

use std::cell::OnceCell;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{program, succeeds};

/// Where tools are looked for.
pub(crate) struct Machine {
    pub(crate) variable: fn(&str) -> Option<OsString>,
    pub(super) path: OsString,
    /// The root of the folders that are not on the `PATH`, such as `/usr/lib/postgresql`.
    pub(super) root: PathBuf,
    /// Set when the package lists have been updated, which happens once in a task.
    pub(super) lists_updated: OnceCell<()>,
}

impl Machine {
    /// Returns the machine that this process runs on.
    pub(crate) fn current() -> Self {
        Self {
            variable: |name| env::var_os(name),
            path: env::var_os("PATH").unwrap_or_default(),
            root: "/".into(),
            lists_updated: OnceCell::new(),
        }
    }

    /// Returns the first program on the `PATH` that has one of the names.
    pub(super) fn on_path(&self, names: &[&str]) -> Option<PathBuf> {
        self.all_on_path(names).next()
    }

    /// Returns all of them, in the order of the names.
    pub(super) fn all_on_path(&self, names: &[&str]) -> impl Iterator<Item = PathBuf> {
        let folders: Vec<_> = self.path_folders().collect();
        let names: Vec<_> = names.iter().map(|name| exe(name)).collect();
        names
            .into_iter()
            .flat_map(move |name| folders.iter().map(|folder| folder.join(&name)).collect::<Vec<_>>())
            .filter(|path| path.is_file())
    }

    pub(super) fn path_folders(&self) -> impl Iterator<Item = PathBuf> {
        env::split_paths(&self.path).filter(|folder| !folder.as_os_str().is_empty())
    }

    /// Returns the path in an environment variable. A path at which there is nothing is an error.
    pub(super) fn path_in(&self, variable: &str) -> Result<Option<PathBuf>> {
        let Some(path) = (self.variable)(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
        else {
            return Ok(None);
        };
        if !path.exists() {
            bail!("Invalid {variable}: there is no file {}.", path.display());
        }
        Ok(Some(path))
    }

    /// Returns a command with this machine's `PATH`.
    pub(crate) fn command(&self, name: impl AsRef<OsStr>) -> Command {
        let mut command = program(name);
        command.env("PATH", &self.path);
        command
    }

    /// Reports whether a program starts: a stub that only prints how to install the real one does not.
    pub(super) fn starts(&self, path: &Path) -> bool {
        succeeds(self.command(path).arg("--version"))
    }
}

pub(super) fn exe(name: &str) -> String {
    format!("{name}{}", env::consts::EXE_SUFFIX)
}
