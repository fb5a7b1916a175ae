//! Builds the wasm variants: cargo, wasm-bindgen, wasm-opt; for the JavaScript engine wasm2js in addition.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use regex_lite::{Captures, Regex};

use crate::bindgen::{Bound, bind};
use crate::process::{cache_dir, cargo, node, root, run, target_dir};
use crate::tools;
use crate::variants::{Shared, Table, Variant};

const TARGET: &str = "wasm32-unknown-unknown";
const WASM_OPT: &str = "node_modules/binaryen/bin/wasm-opt";
const WASM2JS: &str = "node_modules/binaryen/bin/wasm2js";
/// Where the declarations go, for the package's sources.
const TYPES: &str = "pkg/src/worker/wasm.ts";
/// The hash function's rotations are more than this.
const LEAST_ROTATIONS: usize = 100;

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

    let sources = ["wasm-pack.toml", "package-lock.json", "Cargo.lock"].map(|path| root().join(path));
    let this = std::env::current_exe()?;
    let sources = sources.iter().map(|source| &**source).chain([&*compiled, &*this]);
    if is_newer(&output, sources)? {
        return Ok(());
    }
    let work = cache_dir().join("wasm").join(&variant.name);
    fs::create_dir_all(&work)?;
    if let Some(folder) = output.parent() {
        fs::create_dir_all(folder)?;
    }
    let Bound { wasm, glue, types } =
        bind(&fs::read(&compiled)?, &shared.trap).with_context(|| format!("wasm {}", variant.name))?;
    let bound = work.join("bound.wasm");
    fs::write(&bound, wasm)?;
    let optimized = if variant.is_translated() { work.join("optimized.wasm") } else { output.clone() };
    run(node(WASM_OPT).args(variant.wasm_opt(shared)).arg(&bound).arg("-o").arg(&optimized))?;
    if variant.is_translated() {
        let translated = work.join("translated.js");
        run(node(WASM2JS).args(&shared.wasm2js).arg(&optimized).arg("-o").arg(&translated))?;
        fs::write(&output, translate(&fs::read_to_string(&translated)?)?)?;
    }
    write_if_new(&root().join(&shared.glue), &glue, variant)?;
    write_if_changed(&root().join(TYPES), &declarations(&types))
}

/// Makes a module of wasm2js's output that exports a function: it makes an instance of the imports and returns its
/// exports.
fn translate(script: &str) -> Result<String> {
    // A function stands in for rotations, and engines do not inline it: rotations are half of the work.
    let rotation = Regex::new(r"__wasm_rotl_i32\(([\w$]+)(?: \| 0)?, (\d+)(?: \| 0)?\)")?;
    let mut rotations = 0;
    let rotated = rotation.replace_all(script, |found: &Captures<'_>| {
        rotations += 1;
        let right = 32 - found[2].parse::<u32>().unwrap_or_default();
        format!("({0} << {1} | {0} >>> {right})", &found[1], &found[2])
    });
    let expectation = "wasm2js writes its output in another way than crates/xtask/src/wasm.rs expects";
    // Its imports, and the one instance that it makes, are replaced by a function.
    let begin = rotated.find("function asmFunc(imports) {\n").context(expectation)?;
    let end = rotated.find("\nvar retasmFunc = ").context(expectation)?;
    let head = Regex::new(r"(?m)^import .*$")?.replace_all(&rotated[..begin], "").into_owned();
    let open = "function asmFunc(imports) {\n";
    let body = &rotated[begin + open.len()..end];
    if rotations < LEAST_ROTATIONS {
        bail!("{expectation}: {rotations} rotations");
    }
    // What precedes the instance keeps the memory that it fills, which would be the last instance's: it belongs within.
    Ok(format!("export default {open}{head}{body}\n"))
}

/// The declarations as a TypeScript module.
fn declarations(types: &str) -> String {
    let begin = types.find("export ").unwrap_or_default();
    let text = types[begin..].replace("export function", "export declare function");
    format!("/**\n * The interface of the wasm module, written by the build: see crates/client/src/edge.\n */\n\n{text}")
}

/// The glue is the same for every variant, since the engines share it.
fn write_if_new(path: &Path, glue: &str, variant: &Variant) -> Result<()> {
    let first = path.with_extension(format!("{}.js", variant.name));
    fs::write(first, glue)?;
    write_if_changed(path, glue)
}

/// Leaves a file alone that has the text already: its time is that of its last change.
fn write_if_changed(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|current| current == text) {
        return Ok(());
    }
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

/// Whether `made` exists and nothing that it is made of is younger.
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
