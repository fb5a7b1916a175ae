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

/// The program of Redis or Valkey, which share their protocol.
pub(crate) const REDIS: Tool<PathBuf> = Tool {
    name: "Redis's or Valkey's server",
    variables: &["SALTMINE_TEST_REDIS_SERVER"],
    packages: &[&["valkey-server"], &["redis-server"]],
    find: |machine| {
        let found = machine.path_in("SALTMINE_TEST_REDIS_SERVER")?;
        Ok(found.or_else(|| machine.on_path(&["valkey-server", "redis-server"])))
    },
    download: None,
};

/// The proxy of `deploy/`, whose configuration the server's tests use.
pub(crate) const NGINX: Tool<PathBuf> = Tool {
    name: "nginx",
    variables: &["SALTMINE_TEST_NGINX"],
    packages: &[&["nginx-light"], &["nginx"]],
    find: |machine| {
        let found = machine.path_in("SALTMINE_TEST_NGINX")?.or_else(|| machine.on_path(&["nginx"]));
        // Debian keeps it off the `PATH` of users.
        let in_sbin = machine.root.join("usr/sbin/nginx");
        Ok(found.or_else(|| in_sbin.exists().then_some(in_sbin)))
    },
    download: None,
};

/// Debian keeps them off the `PATH`.
fn postgresql_programs(machine: &Machine) -> Option<PathBuf> {
    let mut folders: Vec<_> = machine.path_folders().collect();
    let versions = machine.root.join("usr/lib/postgresql").read_dir();
    folders.extend(versions.into_iter().flatten().flatten().map(|version| version.path().join("bin")));
    folders.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}
