//! Checks that a package has the same features whichever command builds it: otherwise it, and all that depends on it, is
//! compiled once for each. Features that differ belong in this crate's Cargo.toml.

use std::collections::{BTreeMap, BTreeSet};

use crate::process::cargo;

/// The features of each package and version, as cargo resolves them. A package has several sets where procedural macros
/// and the code of the workspace use it with different features.
fn features(arguments: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let mut command = cargo();
    command.args(["tree", "--locked", "--prefix", "none", "--format", "{p}|{f}"]).args(arguments);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut packages = BTreeMap::<_, BTreeSet<_>>::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        if let Some((package, features)) = line.split_once('|') {
            let name = package.split(" (").next().unwrap_or(package).to_owned();
            packages.entry(name).or_default().insert(features.trim_end_matches(" (*)").to_owned());
        }
    }
    packages
}

/// Returns the crates that are built with features that the whole workspace with its tests does not have.
fn differing(arguments: &[&str]) -> Vec<String> {
    let all = features(&["--workspace", "--edges", "normal,build,dev"]);
    let built = features(arguments);
    assert!(built.len() > 40, "only {} packages", built.len());
    let differs = |(package, sets): (String, BTreeSet<String>)| {
        let known = all.get(&package).cloned().unwrap_or_default();
        (!sets.is_subset(&known)).then(|| format!("{package}: {sets:?}, in the workspace {known:?}"))
    };
    built.into_iter().filter_map(differs).collect()
}

#[test]
fn the_server_is_compiled_once_for_npm_start_and_the_tests() {
    assert_eq!(differing(&["--workspace", "--edges", "normal,build"]), Vec::<String>::new());
}

#[test]
fn what_the_build_tool_shares_with_the_server_is_compiled_once() {
    assert_eq!(differing(&["--package", "xtask", "--edges", "normal,build"]), Vec::<String>::new());
}
