//! Builds the wasm variants: cargo, wasm-bindgen, wasm-opt; for the JavaScript engine wasm2js in addition.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context as _, Result, bail};
use regex_lite::{Captures, Regex};

use crate::bindgen::{Bound, bind};
use crate::process::{cache_dir, cargo, node, root, run, target_dir};
use crate::tools;
use crate::variants::{Table, Variant};

const TARGET: &str = "wasm32-unknown-unknown";
const WASM_OPT: &str = "node_modules/binaryen/bin/wasm-opt";
const WASM2JS: &str = "node_modules/binaryen/bin/wasm2js";
/// The folder of the outputs, which contains only files that `build` writes.
const OUTPUT_FOLDER: &str = "pkg/wasm";
/// The files that the result depends on beside the compiled module.
const SOURCES: [&str; 5] = [
    "wasm-pack.toml",
    "package-lock.json",
    "Cargo.lock",
    "crates/xtask/src/bindgen.rs",
    "crates/xtask/src/wasm.rs",
];
/// The minimum number of rotations in a module that contains the hash function.
const LEAST_ROTATIONS: usize = 100;

/// Builds all variants that are not up to date.
pub(crate) fn build() -> Result<()> {
    let table = Table::read()?;
    tools::wasm_target()?;
    // Cargo compiles one variant after the other, while another core optimizes what is compiled already.
    let bound = thread::scope(|scope| {
        let mut running = Vec::new();
        for variant in &table.variants {
            let about = || format!("wasm {}", variant.name);
            let compiled = compile(variant, &table).with_context(about)?;
            let table = &table;
            running.push(scope.spawn(move || optimize(variant, table, &compiled).with_context(about)));
        }
        let join = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        running.into_iter().map(join).collect::<Result<Vec<_>>>()
    })?;
    for (variant, bound) in table.variants.iter().zip(bound) {
        if let Some(bound) = bound {
            write_glue(variant, &table, &bound).with_context(|| format!("wasm {}", variant.name))?;
        }
    }
    remove_former_outputs(&table)
}

/// Removes what an older checkout built into the folder of the outputs: TypeScript would check it, and the package
/// would contain it.
fn remove_former_outputs(table: &Table) -> Result<()> {
    let modules = table.module.values().flat_map(|module| [&module.glue, &module.declarations]);
    let outputs = table.variants.iter().map(|variant| &variant.output);
    let made: Vec<_> = modules.chain(outputs).map(|path| root().join(path)).collect();
    for entry in fs::read_dir(root().join(OUTPUT_FOLDER))? {
        let path = entry?.path();
        if !made.contains(&path) {
            fs::remove_file(&path).with_context(|| format!("{} cannot be removed", path.display()))?;
        }
    }
    Ok(())
}

/// Compiles a variant; returns the path of the module.
fn compile(variant: &Variant, table: &Table) -> Result<PathBuf> {
    let shared = &table.shared;
    let module = table.module(variant)?;
    // Silent when there is nothing to do: what runs on the package prints for scripts.
    if !root().join(&variant.output).exists() {
        eprintln!("wasm {}: {}", variant.name, variant.about);
    }
    run(cargo()
        .args(["build", "--quiet", "--lib", "--target", TARGET, "--no-default-features"])
        .args(["--package", &module.package, "--profile", &variant.profile])
        .args(["--features", &variant.features.join(",")])
        .env("CARGO_ENCODED_RUSTFLAGS", variant.rustflags(shared)))?;
    let folder = target_dir().join(TARGET).join(&variant.profile);
    let file = folder.join(format!("{}.wasm", module.package.replace('-', "_")));
    let work = work_folder(variant);
    fs::create_dir_all(&work)?;
    // Variants that differ only in their features share that file: each keeps its own, as old as its content.
    let compiled = work.join("compiled.wasm");
    write_if_changed(&compiled, &fs::read(&file)?)?;
    Ok(compiled)
}

/// Generates the glue of a compiled module and optimizes the module. Returns nothing if both are up to date.
fn optimize(variant: &Variant, table: &Table, compiled: &PathBuf) -> Result<Option<Bound>> {
    let shared = &table.shared;
    let output = root().join(&variant.output);
    let sources = SOURCES.map(|path| root().join(path));
    let glue = root().join(&table.module(variant)?.glue);
    if glue.exists() && is_newer(&output, sources.iter().chain([compiled]))? {
        return Ok(None);
    }
    if let Some(folder) = output.parent() {
        fs::create_dir_all(folder)?;
    }
    let work = work_folder(variant);
    let bound = bind(compiled, &work, &shared.trap)?;
    let input = work.join("bound.wasm");
    fs::write(&input, &bound.wasm)?;
    let optimized = if variant.is_translated() { work.join("optimized.wasm") } else { output.clone() };
    run(node(WASM_OPT).args(variant.wasm_opt(shared)).arg(&input).arg("-o").arg(&optimized))?;
    if variant.is_translated() {
        let translated = work.join("translated.js");
        run(node(WASM2JS).args(&shared.wasm2js).arg(&optimized).arg("-o").arg(&translated))?;
        fs::write(&output, translate(&fs::read_to_string(&translated)?)?)?;
    }
    Ok(Some(bound))
}

/// Writes the glue and the declarations of a variant's module, which its variants share.
fn write_glue(variant: &Variant, table: &Table, bound: &Bound) -> Result<()> {
    let module = table.module(variant)?;
    write_if_changed(&root().join(&module.glue), bound.glue.as_bytes())?;
    fs::write(work_folder(variant).join("glue.js"), &bound.glue)?;
    check_glue(table, variant)?;
    write_if_changed(
        &root().join(&module.declarations),
        declarations(&module.declarations, &bound.types).as_bytes(),
    )
}

/// The folder of a variant's intermediate files.
fn work_folder(variant: &Variant) -> PathBuf {
    cache_dir().join("wasm").join(&variant.name)
}

/// All variants of a module have the same glue, since the package has it once.
fn check_glue(table: &Table, variant: &Variant) -> Result<()> {
    let read = |variant: &Variant| fs::read(work_folder(variant).join("glue.js"));
    let own = read(variant)?;
    let others = table.variants.iter().take_while(|other| other.name != variant.name);
    for other in others.filter(|other| other.is_of_same_module(variant)) {
        if read(other)? != own {
            bail!("its imports or exports are not those of {}, whose glue it shares.", other.name);
        }
    }
    Ok(())
}

/// Makes a module of wasm2js's output that exports a function: it makes an instance of the imports and returns its
/// exports.
fn translate(script: &str) -> Result<String> {
    // wasm2js emulates rotations by a function that engines do not inline; rotations are half of the work.
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
    // The code before the instance keeps the memory that it fills, which would be the last instance's: move it inside.
    Ok(format!("export default {open}{head}{body}\n"))
}

/// The declarations: of the glue, or as a TypeScript module.
fn declarations(path: &str, types: &str) -> String {
    let begin = types.find("export ").unwrap_or_default();
    if path.ends_with(".d.ts") {
        let linking = "/** Connects the glue with the exports of an instance. */\nexport function __wbg_set_wasm(exports: object): void;\n\n/** The functions that an instance imports. */\nexport const imports: WebAssembly.ModuleImports;\n";
        return format!("{types}\n{linking}");
    }
    let text = types[begin..].replace("export function", "export declare function");
    format!(
        "/**\n * The interface of the wasm module, written by the build: see crates/client/src/edge.\n */\n\n{text}"
    )
}

/// Writes a file unless it has this content already, so that its modification time is that of its last change.
fn write_if_changed(path: &Path, content: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|current| current == content) {
        return Ok(());
    }
    fs::write(path, content).with_context(|| format!("{} cannot be written", path.display()))
}

/// Whether `made` exists and nothing that it is made of is younger.
fn is_newer<'a>(made: &Path, sources: impl Iterator<Item = &'a PathBuf>) -> Result<bool> {
    let Ok(made) = made.metadata().and_then(|file| file.modified()) else { return Ok(false) };
    for source in sources {
        let modified = source.metadata().and_then(|file| file.modified());
        if modified.with_context(|| format!("{} is missing", source.display()))? > made {
            return Ok(false);
        }
    }
    Ok(true)
}
