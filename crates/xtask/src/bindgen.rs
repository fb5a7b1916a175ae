//! Connects a compiled module to JavaScript: wasm-bindgen's output, made small.
//!
//! wasm-bindgen writes a script, the glue, that has the functions that the module imports and wraps those that it
//! exports. Here it is used as a library, so that its version is that of Cargo.lock.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use regex_lite::Regex;
use walrus::ir::Value;
use walrus::{ConstExpr, Data, DataKind, ExportItem, FunctionBuilder, FunctionKind, Module};
use wasm_bindgen_cli_support::{Bindgen, EncodeInto};

/// The name under which the module imports from the glue.
const GLUE_MODULE: &str = "g";
/// The letters of the short names.
const LETTERS: &[u8; 52] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// A module and its glue.
pub(crate) struct Bound {
    pub(crate) wasm: Vec<u8>,
    /// An ES module: `imports`, which is what the module imports, `__wbg_set_wasm`, and the exported functions.
    pub(crate) glue: String,
    /// The TypeScript declarations.
    pub(crate) types: String,
}

/// Runs wasm-bindgen on a compiled module, with files in the folder `work`; functions whose name matches one of `traps`
/// become traps.
pub(crate) fn bind(compiled: &Path, work: &Path, traps: &[String]) -> Result<Bound> {
    let mut module = Module::from_file(compiled).context("the compiled module cannot be read")?;
    // wasm-bindgen would use reference types, since the precompiled standard library names them.
    module.customs.remove_raw("target_features");
    Bindgen::new()
        .input_module("bound", module)
        .bundler(true)?
        .omit_default_module_path(true)
        .keep_debug(true)
        .encode_into(EncodeInto::Always)
        .typescript(true)
        .generate(work)?;
    let types = fs::read_to_string(work.join("bound.d.ts"))?;
    let glue = fs::read_to_string(work.join("bound_bg.js"))?;
    // Some comments name indices that differ between variants.
    let mut glue = Regex::new(r"(?m)^\s*//.*\n")?.replace_all(&glue, "").into_owned();
    let mut module = Module::from_file(work.join("bound_bg.wasm"))?;
    trap(&mut module, traps)?;
    blank_locations(&mut module);
    shorten_names(&mut module, &mut glue)?;
    check_buffers(&mut glue)?;
    gather_imports(&mut glue, &module)?;
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
            eprintln!(
                "wasm-pack.toml: no function matches {pattern:?}: the module may be larger than necessary."
            );
        }
        for id in matching {
            let exported = module
                .exports
                .iter()
                .find(|export| matches!(export.item, ExportItem::Function(item) if item == id));
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

/// Overwrites the places in the source that panics name: paths that end in `.rs`, and every (pointer, length, line,
/// column) that points to one. The panic handler reads none of them; zeros are left out by wasm-opt.
fn blank_locations(module: &mut Module) {
    let segments: Vec<_> = module.data.iter().map(Data::id).collect();
    let mut paths = HashMap::new();
    for id in &segments {
        let data = module.data.get_mut(*id);
        let Some(address) = address_of(data) else { continue };
        let ends: Vec<_> = data
            .value
            .windows(4)
            .enumerate()
            .filter(|(_, part)| *part == b".rs\0")
            .map(|(at, _)| at + 3)
            .collect();
        for end in ends {
            let is_path = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-./".contains(byte);
            let length = data.value[..end].iter().rev().take_while(is_path).count();
            let start = end - length;
            data.value[start..end].fill(0);
            paths.insert(address + start as u32, length as u32);
        }
    }
    for id in segments {
        let data = module.data.get_mut(id);
        let Some(address) = address_of(data) else { continue };
        for place in (address.wrapping_neg() as usize % 4..data.value.len().saturating_sub(15)).step_by(4) {
            let word =
                |at: usize| data.value[at..at + 4].try_into().map(u32::from_le_bytes).unwrap_or_default();
            if paths.get(&word(place)) == Some(&word(place + 4)) {
                data.value[place..place + 16].fill(0);
            }
        }
    }
}

/// Returns the address of a data segment in memory.
fn address_of(data: &Data) -> Option<u32> {
    match data.kind {
        DataKind::Active { offset: ConstExpr::Value(Value::I32(address)), .. } => {
            Some(address.cast_unsigned())
        }
        _ => None,
    }
}

/// Gives the module's imports and exports short names, in the module and in its glue. They are numbered as the glue
/// names them, so that variants of the module have the same glue.
fn shorten_names(module: &mut Module, glue: &mut String) -> Result<()> {
    let mut placed = Vec::new();
    for import in module.imports.iter() {
        let at = find_word(glue, &import.name)
            .with_context(|| format!("wasm-bindgen's glue does not name {}", import.name))?;
        placed.push((at, import.name.clone()));
    }
    let mut unused = Vec::new();
    for export in module.exports.iter().filter(|export| export.name != "memory") {
        let name = format!("wasm.{}", export.name);
        match find_word(glue, &name) {
            Some(at) => placed.push((at, name)),
            // The linker's, and those for other targets.
            None => unused.push(export.id()),
        }
    }
    for id in unused {
        module.exports.delete(id);
    }
    placed.sort();
    placed.dedup();
    let (mut exports, mut imports) = (0, 0);
    let shortened = placed.into_iter().map(|(_, name)| {
        let (prefix, count) =
            if name.starts_with("wasm.") { ("wasm.", &mut exports) } else { ("", &mut imports) };
        *count += 1;
        (name, format!("{prefix}{}", short_name(*count - 1)))
    });
    let short: HashMap<String, String> = shortened.collect();
    for import in module.imports.iter_mut() {
        import.module = GLUE_MODULE.into();
        import.name = short[&import.name].clone();
    }
    for export in module.exports.iter_mut() {
        if let Some(name) = short.get(&format!("wasm.{}", export.name)) {
            export.name = name["wasm.".len()..].into();
        }
    }
    let words = Regex::new(r"(?:\bwasm\.)?[A-Za-z_$][\w$]*")?;
    let replaced = words.replace_all(glue, |found: &regex_lite::Captures<'_>| {
        short.get(&found[0]).map_or(&found[0], String::as_str).to_owned()
    });
    *glue = replaced.into_owned();
    Ok(())
}

/// Returns a name of one letter for the first 52 numbers, of two or three for the next.
fn short_name(number: usize) -> String {
    let letter = |index: usize| char::from(LETTERS[index % LETTERS.len()]);
    match number.checked_sub(LETTERS.len()) {
        None => letter(number).into(),
        Some(rest) => format!("{}{}", letter(rest), rest / LETTERS.len()),
    }
}

/// Makes members of one object of the functions that the module imports: a minifier can drop none of them, and the name
/// of each is written once.
fn gather_imports(glue: &mut String, module: &Module) -> Result<()> {
    let mut members = String::new();
    for import in module.imports.iter() {
        let head = format!("export function {}(", import.name);
        let begin = glue.find(&head).with_context(|| format!("the glue does not define {}", import.name))?;
        let end = glue[begin..]
            .match_indices("\n}")
            .find_map(|(at, _)| glue[begin + at + 1..].find('\n').map(|length| begin + at + 1 + length))
            .with_context(|| format!("the glue's {} does not end", import.name))?;
        let function: String = glue.drain(begin..=end).collect();
        members.push_str(&function["export function ".len()..function.len() - 1]);
        members.push_str(",\n");
    }
    glue.push_str(&format!("\nexport const imports = {{\n{members}}};\n"));
    Ok(())
}

/// Returns where a name is first found as a whole.
fn find_word(text: &str, word: &str) -> Option<usize> {
    let is_part = |character: char| character.is_alphanumeric() || character == '_' || character == '$';
    let mut found = text.match_indices(word).map(|(at, _)| at);
    found.find(|at| !text[..*at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
}

/// Makes the glue look again whether its view of the memory is the module's: a module that was translated to JavaScript
/// replaces its memory when that grows, and leaves the old one as it was.
fn check_buffers(glue: &mut String) -> Result<()> {
    let stale = Regex::new(r"if \((cached\w+Memory0) === null .*\{")?;
    let mut count = 0;
    let checked = stale.replace_all(glue, |found: &regex_lite::Captures<'_>| {
        count += 1;
        format!("if ({0} === null || {0}.buffer !== wasm.memory.buffer) {{", &found[1])
    });
    let checked = checked.into_owned();
    if count == 0 {
        bail!("wasm-bindgen's glue keeps its views of the memory in another way than this build expects.");
    }
    *glue = checked;
    Ok(())
}
