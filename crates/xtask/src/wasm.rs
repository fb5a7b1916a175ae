//! Builds the wasm variants.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::process::{cache_dir, cargo, node, root, run, target_dir};
use crate::tools;
use crate::variants::{Shared, Table, Variant};

const TARGET: &str = "wasm32-unknown-unknown";
const SHRINK: &str = "crates/xtask/shrink.mjs";
const TRANSLATE: &str = "crates/xtask/translate.mjs";

/// Builds whatever is not up to date.
pub(crate) fn build() -> Result<()> {
    let table = Table::read()?;
    tools::wasm_target()?;
    for variant in &table.variants {
        build_variant(variant, &table.shared)?;
    }
    Ok(())
}

fn build_variant(variant: &Variant, shared: &Shared) -> Result<()> {
    let output = root().join(&variant.output);
    // Silent when there is nothing to do: what runs on the package prints for scripts.
    if !output.exists() {
        eprintln!("wasm {}: {}", variant.name, variant.about);
    }
    run(cargo()
        .args(["build", "--quiet", "--lib", "--target", TARGET, "--no-default-features"])
        .args(["--package", &shared.package, "--profile", &variant.profile])
        .args(["--features", &variant.features.join(",")])
        .env("CARGO_ENCODED_RUSTFLAGS", variant.rustflags(shared)))?;
    let compiled = target_dir()
        .join(TARGET)
        .join(&variant.profile)
        .join(format!("{}.wasm", shared.package.replace('-', "_")));

    let sources = ["wasm-pack.toml", SHRINK, TRANSLATE, "package-lock.json"].map(|path| root().join(path));
    if is_newer(&output, sources.iter().map(|source| &**source).chain([&*compiled]))? {
        return Ok(());
    }
    let work = cache_dir().join("wasm").join(&variant.name);
    fs::create_dir_all(&work)?;
    if let Some(folder) = output.parent() {
        fs::create_dir_all(folder)?;
    }
    let shrunk = if variant.is_translated() { work.join("shrunk.wasm") } else { output.clone() };
    run(node(SHRINK)
        .arg(&compiled)
        .arg(&shrunk)
        .arg(format!("{:?}", shared.snip))
        .arg(format!("{:?}", shared.blank))
        .args(variant.wasm_opt(shared)))?;
    if variant.is_translated() {
        run(node(TRANSLATE).arg(&shrunk).arg(&output))?;
    }
    Ok(())
}

/// Whether `made` exists and nothing it is made of is younger.
fn is_newer<'a>(made: &Path, sources: impl Iterator<Item = &'a Path>) -> Result<bool> {
    let Ok(made) = made.metadata().and_then(|file| file.modified()) else { return Ok(false) };
    for source in sources {
        let modified = source.metadata().and_then(|file| file.modified());
        if modified.with_context(|| format!("{} is missing", source.display()))? > made {
            return Ok(false);
        }
    }
    Ok(true)
}
