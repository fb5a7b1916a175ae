//! The tools that rustup and Cargo install: the wasm target, a nightly compiler, and binaries of crates.io under `.cache/`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::machine::exe;
use crate::process::{cache_dir, cargo, output, program, root, run, succeeds};

/// The wasm target, added through rustup where it is missing.
pub(crate) fn wasm_target() -> Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let sysroot = output(program("rustc").args(["--print", "sysroot"]))
        .context("rustc does not run: install Rust with rustup.")?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).exists() {
        return Ok(());
    }
    run(program("rustup").args(["target", "add", TARGET])).with_context(|| {
        format!("the target {TARGET} is missing: install Rust with rustup, or add the target yourself.")
    })
}

/// `wasm-bindgen` at exactly the version in Cargo.lock: the tool and the library must match.
pub(crate) fn wasm_bindgen() -> Result<PathBuf> {
    cargo_tool("wasm-bindgen", "wasm-bindgen-cli", &locked_version("wasm-bindgen")?)
}

/// Firefox's WebDriver: not every distribution has a package of it.
pub(crate) fn geckodriver() -> Result<PathBuf> {
    cargo_tool("geckodriver", "geckodriver", "0.37.1")
}

/// `cargo fuzz` at our version.
pub(crate) fn cargo_fuzz() -> Result<PathBuf> {
    cargo_tool("cargo-fuzz", "cargo-fuzz", "0.13.2")
}

/// `cargo deny` at our version, not optimized: it runs for a second, and the optimization takes minutes.
pub(crate) fn cargo_deny() -> Result<PathBuf> {
    install("cargo-deny", "cargo-deny", "0.20.2", &["--debug"])
}

/// A nightly compiler beside the one that everything else is built with: fuzzing takes its sanitizers.
pub(crate) fn nightly() -> Result<()> {
    if succeeds(program("rustup").args(["run", "nightly", "rustc", "--version"])) {
        return Ok(());
    }
    eprintln!("installing Rust nightly (once)");
    run(program("rustup").args([
        "toolchain",
        "install",
        "nightly",
        "--profile",
        "minimal",
        "--no-self-update",
    ]))
    .context("fuzzing needs rustup, and its toolchain `nightly`.")
}

/// The binary of a package on crates.io at this version, little optimized.
fn cargo_tool(binary: &str, package: &str, version: &str) -> Result<PathBuf> {
    install(binary, package, version, &[])
}

/// The binary of a package on crates.io at this version, installed into `.cache/tools` unless it is there.
fn install(binary: &str, package: &str, version: &str, options: &[&str]) -> Result<PathBuf> {
    let tools = cache_dir().join("tools");
    let tool = tools.join("bin").join(exe(binary));
    if output(program(&tool).arg("--version"))
        .is_some_and(|found| found.split_whitespace().take(2).eq([binary, version]))
    {
        return Ok(tool);
    }
    eprintln!("installing {package} {version} into {} (once, some minutes)", tools.display());
    let build = tools.join("target");
    let command = || {
        let mut install = cargo();
        install
            .args(["install", "--quiet", "--force", package, "--version", version])
            .arg("--root")
            .arg(&tools)
            .args(options)
            .arg("--target-dir")
            .arg(&build)
            // They run for seconds: a higher level takes more time than it saves.
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
        install
    };
    // A registry's mirror may lack a version that the tool was locked to: then without its lock, and aloud.
    if !succeeds(command().arg("--locked")) {
        run(&mut command()).with_context(|| format!("{package} could not be installed with cargo."))?;
    }
    fs::remove_dir_all(&build).ok();
    Ok(tool)
}

/// The runner of `wasm-bindgen-test`, installed with the tool.
pub(crate) fn wasm_bindgen_test_runner() -> Result<PathBuf> {
    Ok(wasm_bindgen()?.with_file_name(exe("wasm-bindgen-test-runner")))
}

/// The version of a package in Cargo.lock.
fn locked_version(package: &str) -> Result<String> {
    let lock: toml::Table = toml::from_str(&fs::read_to_string(root().join("Cargo.lock"))?)?;
    let packages =
        lock.get("package").and_then(toml::Value::as_array).context("Cargo.lock lists no packages")?;
    for entry in packages {
        if entry.get("name").and_then(toml::Value::as_str) == Some(package)
            && let Some(version) = entry.get("version").and_then(toml::Value::as_str)
        {
            return Ok(version.to_owned());
        }
    }
    bail!("{package} is not in Cargo.lock.")
}
