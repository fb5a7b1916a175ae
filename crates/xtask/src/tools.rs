//! The tools that a build needs beyond Cargo and Node: found, or installed under `.cache/`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::apt;
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

/// `cargo fuzz` at our version.
pub(crate) fn cargo_fuzz() -> Result<PathBuf> {
    cargo_tool("cargo-fuzz", "cargo-fuzz", "0.13.2")
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

/// The binary of a package on crates.io at this version, installed into `.cache/tools` unless it is there.
fn cargo_tool(binary: &str, package: &str, version: &str) -> Result<PathBuf> {
    let tools = cache_dir().join("tools");
    let tool = tools.join("bin").join(exe(binary));
    if output(program(&tool).arg("--version"))
        .is_some_and(|found| found.trim() == format!("{binary} {version}"))
    {
        return Ok(tool);
    }
    eprintln!("installing {package} {version} into {} (once, some minutes)", tools.display());
    let build = tools.join("target");
    let install = || {
        let mut install = cargo();
        install
            .args(["install", "--quiet", "--force", package, "--version", version])
            .arg("--root")
            .arg(&tools)
            .arg("--target-dir")
            .arg(&build);
        install
    };
    // A registry's mirror may lack a version that the tool was locked to: then without its lock, and aloud.
    if !succeeds(install().arg("--locked")) {
        run(&mut install()).with_context(|| format!("{package} could not be installed with cargo."))?;
    }
    fs::remove_dir_all(&build).ok();
    Ok(tool)
}

/// The runner of `wasm-bindgen-test`, installed with the tool.
pub(crate) fn wasm_bindgen_test_runner() -> Result<PathBuf> {
    Ok(wasm_bindgen()?.with_file_name(exe("wasm-bindgen-test-runner")))
}

/// Chromium and its WebDriver: from `SALTMINE_CHROMIUM` and `SALTMINE_CHROMEDRIVER`, from the system, or downloaded.
pub(crate) struct Browser {
    pub(crate) chromium: PathBuf,
    pub(crate) driver: PathBuf,
}

pub(crate) fn browser() -> Result<Browser> {
    const CHROMIUMS: [&str; 5] =
        ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
    let chromium = find("SALTMINE_CHROMIUM", &CHROMIUMS);
    let driver = find("SALTMINE_CHROMEDRIVER", &["chromedriver"]);
    if let (Some(chromium), Some(driver)) = (chromium, driver) {
        return Ok(Browser { chromium, driver });
    }
    download_browser().context(
        "no Chromium with chromedriver: install both (Debian: apt-get install chromium chromium-driver), \
         or set SALTMINE_CHROMIUM and SALTMINE_CHROMEDRIVER to their paths.",
    )
}

fn find(variable: &str, names: &[&str]) -> Option<PathBuf> {
    if let Some(path) = env::var_os(variable) {
        return Some(path.into());
    }
    names
        .iter()
        .flat_map(|name| {
            env::split_paths(&env::var_os("PATH").unwrap_or_default())
                .map(|folder| folder.join(exe(name)))
                .collect::<Vec<_>>()
        })
        .find(|path| path.is_file() && succeeds(program(path).arg("--version")))
}

/// Chrome for Testing and the driver of the same version, into `.cache/browsers`.
fn download_browser() -> Result<Browser> {
    let folder = cache_dir().join("browsers");
    let install = |name: &str| -> Result<PathBuf> {
        let printed = output(
            program("npm")
                .args(["exec", "--yes", "--package", "@puppeteer/browsers@2.13.2", "--", "browsers"])
                .args(["install", &format!("{name}@stable"), "--path"])
                .arg(&folder),
        )
        .with_context(|| format!("{name} could not be downloaded"))?;
        // Its last line is "name@version path".
        let path =
            printed.lines().last().and_then(|line| line.split_once(' ')).map(|(_, path)| PathBuf::from(path));
        path.filter(|path| path.exists()).with_context(|| format!("{name} was not where the download said"))
    };
    eprintln!("no Chromium found: downloading one into {}", folder.display());
    Ok(Browser { chromium: install("chrome")?, driver: install("chromedriver")? })
}

/// wrk, which sends the load of a measurement: `SALTMINE_WRK`, or the system's.
pub(crate) fn wrk() -> Result<PathBuf> {
    const MISSING: &str =
        "no wrk: install it (Debian: apt-get install wrk), or set SALTMINE_WRK to its path.";
    // It ends with 1 on every question about itself.
    let find = || {
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path).map(|folder| folder.join(exe("wrk"))).find(|path| path.is_file())
    };
    if let Some(path) = env::var_os("SALTMINE_WRK").map(PathBuf::from).or_else(find) {
        return Ok(path);
    }
    apt::install(&["wrk"], MISSING)?;
    find().context(MISSING)
}

/// Schemathesis at our version, in an environment of its own.
pub(crate) fn schemathesis() -> Result<PathBuf> {
    const VERSION: &str = "4.32.5";
    const MISSING: &str = "schemathesis needs Python 3.10 or later with venv: install it (Debian: apt-get install python3-venv).";
    let folder = cache_dir().join("schemathesis");
    let tool = folder.join("bin/schemathesis");
    if output(program(&tool).arg("--version")).is_some_and(|found| found.contains(VERSION)) {
        return Ok(tool);
    }
    eprintln!("installing schemathesis {VERSION} into {} (once)", folder.display());
    let make = || succeeds(program("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    if !make() {
        apt::install(&["python3-venv"], MISSING)?;
        if !make() {
            bail!(MISSING);
        }
    }
    run(program(folder.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .arg(format!("schemathesis=={VERSION}")))
    .context(MISSING)?;
    Ok(tool)
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

fn exe(name: &str) -> String {
    format!("{name}{}", env::consts::EXE_SUFFIX)
}
