//! Connects a compiled module to JavaScript: wasm-bindgen's output, made small.
//!
//! wasm-bindgen writes a script, the glue, that has the functions that the module imports and wraps those that it
//! exports. Here it is used as a library, so that its version is that of Cargo.lock.

use std::collections::HashMap;

use anyhow::{Context as _, Result, bail};
use regex_lite::Regex;
use walrus::{ExportItem, FunctionBuilder, FunctionKind, Module};
use wasm_bindgen_cli_support::{Bindgen, EncodeInto};

/// The name under which the module imports from the glue.
const GLUE_MODULE: &str = "g";

/// A module and its glue.
pub(crate) struct Bound {
    pub(crate) wasm: Vec<u8>,
    /// An ES module: the functions that the module imports, `__wbg_set_wasm`, and the exported functions.
    pub(crate) glue: String,
    /// The TypeScript declarations.
    pub(crate) types: String,
}

/// Runs wasm-bindgen on a compiled module; functions whose name matches one of `traps` become traps.
pub(crate) fn bind(compiled: &[u8], traps: &[String]) -> Result<Bound> {
    let mut module = Module::from_buffer(compiled).context("the compiled module cannot be read")?;
    // wasm-bindgen would use reference types, since the precompiled standard library names them.
    module.customs.remove_raw("target_features");
    let mut output = Bindgen::new()
        .input_module("client", module)
        .bundler(true)?
        .omit_default_module_path(true)
        .keep_debug(true)
        .encode_into(EncodeInto::Always)
        .typescript(true)
        .generate_output()?;
    let types = output.ts().context("wasm-bindgen wrote no declarations")?.to_owned();
    let mut glue = output.js().to_owned();
    let module = output.wasm_mut();
    trap(module, traps)?;
    shorten_names(module, &mut glue)?;
    check_buffers(&mut glue)?;
    Ok(Bound { wasm: module.emit_wasm(), glue, types })
}

/// Replaces functions by traps: those that only write the message of a panic, which the panic handler drops. The
/// compiler keeps them, since they are reached through tables. The module is right without this too, so that a pattern
/// that matches nothing is only reported.
fn trap(module: &mut Module, patterns: &[String]) -> Result<()> {
    for pattern in patterns {
        let regex = Regex::new(pattern).with_context(|| format!("wasm-pack.toml: {pattern:?}"))?;
        let matching: Vec<_> = module
            .funcs
            .iter_local()
            .map(|(id, _)| id)
            .filter(|id| module.funcs.get(*id).name.as_deref().is_some_and(|name| regex.is_match(name)))
            .collect();
        if matching.is_empty() {
            eprintln!("wasm-pack.toml: no function matches {pattern:?}: the module may be larger than necessary.");
        }
        for id in matching {
            let exported = module.exports.iter().find(|export| matches!(export.item, ExportItem::Function(item) if item == id));
            if let Some(export) = exported {
                bail!("wasm-pack.toml: {pattern:?} matches the exported function {}.", export.name);
            }
            let ty = module.types.get(module.funcs.get(id).ty());
            let (params, results) = (ty.params().to_vec(), ty.results().to_vec());
            let args = params.iter().map(|param| module.locals.add(*param)).collect();
            let mut builder = FunctionBuilder::new(&mut module.types, &params, &results);
            builder.func_body().unreachable();
            let function = builder.local_func(args);
            module.funcs.get_mut(id).kind = FunctionKind::Local(function);
        }
    }
    Ok(())
}

/// Gives the module's imports and exports short names, in the module and in its glue. They are numbered as the glue
/// names them, so that variants of the module have the same glue.
fn shorten_names(module: &mut Module, glue: &mut String) -> Result<()> {
    let imported = module.imports.iter().map(|import| import.name.clone());
    // Of the other exports the linker's serve nobody here.
    let exported = module.exports.iter().map(|export| export.name.clone());
    let mut names: Vec<_> = imported.chain(exported.filter(|name| name != "memory")).collect();
    let position = |name: &String| {
        let word = Regex::new(&format!(r"\b{}\b", regex_lite::escape(name)))?;
        anyhow::Ok(word.find(glue).map(|found| found.start()))
    };
    let mut placed = Vec::new();
    for name in names.drain(..) {
        match position(&name)? {
            Some(at) => placed.push((at, name)),
            None => bail!("wasm-bindgen's glue does not name {name}."),
        }
    }
    placed.sort();
    placed.dedup();
    let short: HashMap<String, String> =
        placed.into_iter().enumerate().map(|(index, (_, name))| (name, format!("w{index}"))).collect();
    for import in module.imports.iter_mut() {
        import.module = GLUE_MODULE.into();
        import.name = short[&import.name].clone();
    }
    for export in module.exports.iter_mut() {
        if let Some(name) = short.get(&export.name) {
            export.name.clone_from(name);
        }
    }
    let words = Regex::new(r"[A-Za-z_$][\w$]*")?;
    // The exported functions keep their names: only what they call in the module is renamed.
    let replaced = words.replace_all(glue, |found: &regex_lite::Captures<'_>| {
        let word = &found[0];
        let start = found.get(0).map_or(0, |word| word.start());
        let is_public = matches!(word, "session" | "solve" | "search") && !glue[..start].ends_with("wasm.");
        short.get(word).filter(|_| !is_public).map_or(word, String::as_str).to_owned()
    });
    *glue = replaced.into_owned();
    Ok(())
}

/// Makes the glue look again whether its view of the memory is the module's: a module that was translated to JavaScript
/// replaces its memory when that grows, and leaves the old one as it was.
fn check_buffers(glue: &mut String) -> Result<()> {
    let stale = Regex::new(r"(cached\w+) === null \|\| [^)]*?\{\n|(cached\w+) === null\) \{\n")?;
    let mut count = 0;
    let checked = stale.replace_all(glue, |found: &regex_lite::Captures<'_>| {
        count += 1;
        let view = found.get(1).or_else(|| found.get(2)).map_or("", |view| view.as_str());
        format!("{view} === null || {view}.buffer !== wasm.memory.buffer) {{\n")
    });
    let checked = checked.into_owned();
    if count == 0 {
        bail!("wasm-bindgen's glue keeps its views of the memory in another way than this build expects.");
    }
    *glue = checked;
    Ok(())
}
