//! The formatters and linters.

use std::process::{Command, Stdio};

use anyhow::Result;

use crate::build::{PACKAGE, WASM};
use crate::process::{cargo, node, program, run, status, target_dir};
use crate::progress::Step;
use crate::tools::cargo_deny;
use crate::variants::Table;

const PRETTIER: &str = "node_modules/prettier/bin/prettier.cjs";
/// A package of its own, which `tools/run.mjs` installs.
const ESLINT: &str = "tools/lint/node_modules/eslint/bin/eslint.js";
const CYCLES: &str = "tools/lint/cycles.mjs";
const WORDS: &str = "tools/lint/words.mjs";
const TSC: &str = "node_modules/typescript/bin/tsc";

/// The page is checked against the package's types: hence the package comes first.
pub(crate) const LINT: &[Step] = &[
    WASM,
    PACKAGE,
    Step { label: "checking the format: rustfmt and Prettier", run: |_| check_format() },
    Step { label: "checking the Rust code: clippy", run: |_| clippy() },
    Step { label: "checking the wasm variants: clippy", run: |_| clippy_of_variants() },
    Step { label: "checking the types: tsc", run: |_| check_types() },
    Step { label: "checking promises: ESLint", run: |_| check_promises() },
    Step { label: "checking import cycles: dpdm", run: |_| run(&mut node(CYCLES)) },
    Step { label: "checking the dependencies: cargo-deny", run: |_| check_dependencies() },
    Step { label: "checking the words of documents and comments", run: |_| run(&mut node(WORDS)) },
];

/// Formats every file, and lowers the counts that `CYCLES` and `WORDS` allow to what is left.
pub(crate) fn format() -> Result<()> {
    run(cargo().args(["fmt", "--all"]))?;
    run(cargo().args(["fmt", "--manifest-path", "fuzz/Cargo.toml"]))?;
    run(node(PRETTIER).args(["--write", "--log-level=warn", "."]))?;
    // `npm run lint` reports the words that are left.
    for script in [CYCLES, WORDS] {
        status(node(script).arg("--write").stdout(Stdio::null()).stderr(Stdio::null()))?;
    }
    Ok(())
}

/// Cargo in the workspace of the fuzz targets, without libFuzzer. It builds in a folder of its own: its profile is another
/// one, and Cargo would take artifacts of one workspace for those of the other.
pub(crate) fn in_fuzz(subcommand: &str) -> Command {
    let mut command = cargo();
    command.args([subcommand, "--manifest-path", "fuzz/Cargo.toml", "--no-default-features", "--target-dir"]);
    command.arg(target_dir().join("fuzz"));
    command
}

fn check_format() -> Result<()> {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    run(cargo().args(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]))?;
    run(node(PRETTIER).args(["--check", "--log-level=warn", "."]))
}

fn clippy() -> Result<()> {
    run(cargo()
        .args(["clippy", "--quiet", "--workspace", "--all-targets", "--all-features"])
        .args(["--", "-D", "warnings"]))?;
    run(in_fuzz("clippy").args(["--quiet", "--all-targets", "--", "-D", "warnings"]))
}

fn clippy_of_variants() -> Result<()> {
    let table = Table::read()?;
    for variant in &table.variants {
        let package = &table.module(variant)?.package;
        let features: Vec<_> =
            variant.features.iter().map(|feature| format!("{package}/{feature}")).collect();
        run(cargo()
            .args(["clippy", "--quiet", "--target", "wasm32-unknown-unknown", "--package", package])
            .args(["--package", "saltmine-solver", "--profile", &variant.profile])
            .args(["--no-default-features", "--features", &features.join(",")])
            .args(["--", "-D", "warnings"])
            .env("CARGO_ENCODED_RUSTFLAGS", variant.rustflags(&table.shared)))?;
    }
    Ok(())
}

/// Licenses, banned crates and sources. Advisories need a database that not every machine reaches: the workflow checks
/// them.
fn check_dependencies() -> Result<()> {
    for manifest in ["Cargo.toml", "fuzz/Cargo.toml"] {
        run(program(cargo_deny()?)
            .args(["--log-level", "warn", "--manifest-path", manifest, "--config", "deny.toml"])
            .args(["check", "licenses", "bans", "sources"]))?;
    }
    Ok(())
}

fn check_types() -> Result<()> {
    for project in ["pkg", "www", "site"] {
        run(node(TSC).args(["--noEmit", "--project", project]))?;
    }
    Ok(())
}

fn check_promises() -> Result<()> {
    run(node(ESLINT).args([
        "--config",
        "tools/lint/eslint.config.js",
        "--max-warnings=0",
        "pkg",
        "www",
        "site",
    ]))
}
