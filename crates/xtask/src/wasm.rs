//! Builds the wasm variants and their one glue.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::process::{cache_dir, cargo, node, program, root, run, target_dir};
use crate::tools;
use crate::variants::{Shared, Table, Variant};

const TARGET: &str = "wasm32-unknown-unknown";
const SHRINK: &str = "crates/xtask/shrink.mjs";
const WASM_OPT: &str = "node_modules/binaryen/bin/wasm-opt";

/// Builds whatever is not up to date.
pub(crate) fn build() -> Result<()> {
    let table = Table::read()?;
    tools::wasm_target()?;
    let bindgen = tools::wasm_bindgen()?;
    let glue = root().join(&table.shared.glue);
    let mut glues = Vec::new();
    for variant in &table.variants {
        glues.push(build_variant(variant, &table.shared, &bindgen)?);
    }
    let texts = glues.iter().map(fs::read).collect::<Result<Vec<_>, _>>()?;
    if texts.windows(2).any(|pair| pair[0] != pair[1]) {
        bail!("the variants' glue differs, but the package ships one for all: compare {glues:?}.");
    }
    if let Some(made) = glues.first() {
        fs::copy(made, &glue)?;
        fs::copy(made.with_file_name("client.d.ts"), glue.with_extension("d.ts"))?;
    }
    Ok(())
}

/// Builds one variant; the path of its glue.
fn build_variant(variant: &Variant, shared: &Shared, bindgen: &Path) -> Result<PathBuf> {
    let output = root().join(&variant.output);
    // Silent when there is nothing to do: what runs on the package prints for scripts.
    if !output.exists() {
        eprintln!("wasm {}: {}", variant.name, variant.about);
    }
    run(cargo()
        .args([
            "build",
            "--quiet",
            "--lib",
            "--target",
            TARGET,
            "--no-default-features",
            "--package",
            &shared.package,
        ])
        .args(["--profile", &variant.profile, "--features", &variant.features.join(",")])
        .env("CARGO_ENCODED_RUSTFLAGS", variant.rustflags(shared)))?;
    let compiled = target_dir()
        .join(TARGET)
        .join(&variant.profile)
        .join(format!("{}.wasm", shared.package.replace('-', "_")));

    let work = cache_dir().join("wasm").join(&variant.name);
    fs::create_dir_all(&work)?;
    let glue = work.join("client.min.js");
    if is_newer(&output, &[&compiled, &root().join("wasm-pack.toml"), &root().join(SHRINK), bindgen])?
        && glue.exists()
    {
        return Ok(glue);
    }
    if let Some(folder) = output.parent() {
        fs::create_dir_all(folder)?;
    }
    let stripped = work.join("stripped.wasm");
    run(node(WASM_OPT)
        .args(&shared.before_bindgen)
        .args(variant.wasm_opt_features(shared))
        .arg("-g")
        .arg(&compiled)
        .arg("-o")
        .arg(&stripped))?;
    run(program(bindgen)
        .args(["--target", "web", "--omit-default-module-path", "--keep-debug", "--out-name", "client"])
        .arg("--out-dir")
        .arg(&work)
        .arg(&stripped))?;
    run(node(SHRINK)
        .arg(&work)
        .arg(&output)
        .arg(format!("{:?}", shared.snip))
        .args(&shared.wasm_opt)
        .args(variant.wasm_opt_features(shared)))?;
    Ok(glue)
}

/// Whether `made` exists and nothing it is made of is younger.
fn is_newer(made: &Path, sources: &[&Path]) -> Result<bool> {
    let Ok(made) = made.metadata().and_then(|file| file.modified()) else { return Ok(false) };
    for source in sources {
        let modified = source.metadata().and_then(|file| file.modified());
        if modified.with_context(|| format!("{} is missing", source.display()))? > made {
            return Ok(false);
        }
    }
    Ok(true)
}
