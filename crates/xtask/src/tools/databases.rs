//! The databases that the tests run against.

use std::path::PathBuf;

use super::{Machine, Tool};
use crate::postgres::VARIABLE;

/// The folder of PostgreSQL's server programs.
pub(crate) const POSTGRESQL: Tool<PathBuf> = Tool {
    name: "PostgreSQL's server",
    variables: &[VARIABLE],
    packages: &[&["postgresql"]],
    find: |machine| Ok(postgresql_programs(machine)),
    download: None,
};

/// Debian keeps them off the `PATH`.
fn postgresql_programs(machine: &Machine) -> Option<PathBuf> {
    let mut folders: Vec<_> = machine.path_folders().collect();
    let versions = machine.root.join("usr/lib/postgresql").read_dir();
    folders.extend(versions.into_iter().flatten().flatten().map(|version| version.path().join("bin")));
    folders.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}
