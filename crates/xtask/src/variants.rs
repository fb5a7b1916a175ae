//! The table of wasm variants, `wasm-pack.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{env, fs};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::process::root;

/// The whole table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    pub(crate) shared: Shared,
    /// By name: what is built, in one or several variants.
    pub(crate) module: BTreeMap<String, Module>,
    #[serde(rename = "variant")]
    pub(crate) variants: Vec<Variant>,
}

/// The settings that all variants share.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Shared {
    cfg: Vec<String>,
    stack_bytes: u32,
    /// Patterns of the names of functions that become traps.
    pub(crate) trap: Vec<String>,
    pub(crate) wasm2js: Vec<String>,
    wasm_opt: Vec<String>,
    wasm_opt_features: Vec<String>,
}

/// A crate, and what connects it to JavaScript: the same for all of its variants.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Module {
    #[serde(rename = "crate")]
    pub(crate) package: String,
    /// The script: the functions that the module imports, and wrappers of those that it exports.
    pub(crate) glue: String,
    /// Its TypeScript declarations, which the package's sources import.
    pub(crate) declarations: String,
}

/// One variant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Variant {
    pub(crate) name: String,
    module: String,
    pub(crate) about: String,
    pub(crate) features: Vec<String>,
    pub(crate) profile: String,
    target_features: Vec<String>,
    #[serde(default)]
    wasm_opt: Vec<String>,
    /// A module, or a script: then the module is translated.
    pub(crate) output: String,
}

impl Table {
    pub(crate) fn read() -> Result<Self> {
        let text =
            fs::read_to_string(root().join("wasm-pack.toml")).context("wasm-pack.toml could not be read")?;
        toml::from_str(&text).context("wasm-pack.toml is not the table of variants")
    }

    /// Returns what a variant is a variant of.
    pub(crate) fn module(&self, variant: &Variant) -> Result<&Module> {
        let unknown = || format!("wasm-pack.toml: there is no [module.{}]", variant.module);
        self.module.get(&variant.module).with_context(unknown)
    }
}

impl Variant {
    /// The compiler's flags for what is shipped, for `CARGO_ENCODED_RUSTFLAGS`.
    pub(crate) fn rustflags(&self, shared: &Shared) -> String {
        self.rustflags_with(shared, None)
    }

    /// The flags for tests: their standard library is precompiled with reference types, and the test runner takes
    /// its word for it.
    pub(crate) fn test_rustflags(&self, shared: &Shared) -> String {
        self.rustflags_with(shared, Some("reference-types"))
    }

    fn rustflags_with(&self, shared: &Shared, more: Option<&str>) -> String {
        let named = self.target_features.iter().map(String::as_str);
        let features: Vec<_> = named.chain(more).map(|feature| format!("+{feature}")).collect();
        let mut flags =
            vec!["-Ctarget-cpu=mvp".to_owned(), format!("-Ctarget-feature={}", features.join(","))];
        if more.is_none() {
            flags.push(format!("-Clink-arg=-zstack-size={}", shared.stack_bytes));
        }
        flags.extend(shared.cfg.iter().map(|cfg| format!("--cfg={cfg}")));
        // Panic locations name source files: the same on every machine, and short.
        if let Some(cargo_home) = cargo_home() {
            flags.push(format!("--remap-path-prefix={}=", cargo_home.join("registry/src").display()));
        }
        flags.push(format!("--remap-path-prefix={}=", root().display()));
        flags.join("\x1f")
    }

    /// wasm-opt's flags: what it may meet, what it lowers, and how it optimizes.
    pub(crate) fn wasm_opt<'a>(&'a self, shared: &'a Shared) -> impl Iterator<Item = &'a String> {
        shared.wasm_opt_features.iter().chain(&self.wasm_opt).chain(&shared.wasm_opt)
    }

    /// Whether both are variants of the same module.
    pub(crate) fn is_of_same_module(&self, other: &Self) -> bool {
        self.module == other.module
    }

    /// Whether the module is translated to JavaScript.
    pub(crate) fn is_translated(&self) -> bool {
        self.output.ends_with(".js")
    }
}

fn cargo_home() -> Option<PathBuf> {
    let home = || env::home_dir().map(|home| home.join(".cargo"));
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home)
}
