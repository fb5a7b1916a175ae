//! Builds the wasm variants.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::process::{cache_dir, cargo, node, root, run, target_dir};
use crate::tools;
use crate::variants::{Bindgen, Table, Variant};

const TARGET: &str = "wasm32-unknown-unknown";
const SHRINK: &str = "crates/xtask/shrink.mjs";
const WASM_OPT: &str = "node_modules/binaryen/bin/wasm-opt";
const TRANSLATE: &str = "crates/xtask/translate.mjs";

/// Builds whatever is not up to date.
pub(crate) fn build() -> Result<()> {
    let table = Table::read()?;
    tools::wasm_target()?;
    let mut glue = None;
    for variant in &table.variants {
        build_variant(variant, &table, &mut glue)?;
    }
    Ok(())
}

/// `glue` is the JavaScript that wasm-bindgen wrote for the variants before.
fn build_variant(variant: &Variant, table: &Table, glue: &mut Option<String>) -> Result<()> {
    let Table { shared, bindgen, .. } = table;
    let package = table.package(variant);
    let (snip, blank) =
        if variant.bindgen { (&bindgen.snip, &bindgen.blank) } else { (&shared.snip, &shared.blank) };
    let output = root().join(&variant.output);
    // Silent when there is nothing to do: what runs on the package prints for scripts.
    if !output.exists() {
        eprintln!("wasm {}: {}", variant.name, variant.about);
    }
    run(cargo()
        .args(["build", "--quiet", "--lib", "--target", TARGET, "--no-default-features"])
        .args(["--package", package, "--profile", &variant.profile])
        .args(["--features", &variant.features.join(",")])
        .env("CARGO_ENCODED_RUSTFLAGS", variant.rustflags(shared)))?;
    let mut compiled =
        target_dir().join(TARGET).join(&variant.profile).join(format!("{}.wasm", package.replace('-', "_")));
    let work = cache_dir().join("wasm").join(&variant.name);
    fs::create_dir_all(&work)?;
    if variant.bindgen {
        // Variants that differ in their features share a name: each keeps its own, older as long as it is the same.
        let own = work.join("compiled.wasm");
        let bytes = fs::read(&compiled)?;
        if !fs::read(&own).is_ok_and(|old| old == bytes) {
            fs::write(&own, bytes)?;
        }
        compiled = own;
    }

    let sources = ["wasm-pack.toml", SHRINK, TRANSLATE, "package-lock.json"].map(|path| root().join(path));
    if is_newer(&output, sources.iter().map(|source| &**source).chain([&*compiled]))? {
        return Ok(());
    }
    if variant.bindgen {
        let stripped = work.join("stripped.wasm");
        run(node(WASM_OPT).args(variant.strip_features(shared)).arg(&compiled).arg("-o").arg(&stripped))?;
        compiled = write_glue(&stripped, &work, bindgen, glue)?;
    }
    if let Some(folder) = output.parent() {
        fs::create_dir_all(folder)?;
    }
    let shrunk = if variant.is_translated() { work.join("shrunk.wasm") } else { output.clone() };
    run(node(SHRINK)
        .arg(&compiled)
        .arg(&shrunk)
        .arg(format!("{snip:?}"))
        .arg(format!("{blank:?}"))
        .args(variant.wasm_opt(shared)))?;
    if variant.is_translated() {
        run(node(TRANSLATE).arg(&shrunk).arg(&output))?;
    }
    Ok(())
}

/// Runs wasm-bindgen; returns the module that the glue belongs to.
fn write_glue(module: &Path, work: &Path, bindgen: &Bindgen, glue: &mut Option<String>) -> Result<PathBuf> {
    let output = root().join(&bindgen.glue);
    let name = output.file_stem().and_then(|name| name.to_str()).context("the glue has no name")?;
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(module)
        .out_name(name)
        .bundler(true)?
        .omit_default_module_path(true)
        .keep_debug(true)
        .typescript(true)
        .generate(work)?;
    let text = fs::read_to_string(work.join(format!("{name}_bg.js")))?;
    ensure!(
        glue.as_ref().is_none_or(|before| *before == text),
        "the variants of {} have different interfaces: one file cannot serve them all",
        bindgen.package
    );
    let types = fs::read_to_string(work.join(format!("{name}.d.ts")))?;
    let linking = "\n/** Links the exports of an instance to the classes above. */\n\
                   export function __wbg_set_wasm(exports: WebAssembly.Exports): void;\n";
    fs::create_dir_all(output.parent().context("the glue is in no folder")?)?;
    fs::write(output.with_extension("d.ts"), types + linking)?;
    fs::write(&output, &text)?;
    *glue = Some(text);
    Ok(work.join(format!("{name}_bg.wasm")))
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
