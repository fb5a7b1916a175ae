//! The steps that build the package, the pages and the server.

use anyhow::Result;

use crate::process::{node, run};
use crate::progress::Step;
use crate::{server, wasm};

pub(crate) const WASM: Step = Step { label: "building the wasm modules", run: |_| wasm::build() };
pub(crate) const PACKAGE: Step = Step { label: "building the npm package", run: |_| run_build("pkg") };
pub(crate) const PAGE: Step = Step { label: "building the demo page", run: |_| page() };
pub(crate) const DOCS: Step = Step { label: "building the documentation", run: |_| run_build("site") };
pub(crate) const SERVER: Step = Step { label: "compiling the reference server", run: |_| server::build() };

/// Everything that is served in development: the page, and the documentation in a folder of it.
pub(crate) const SITE: &[Step] = &[WASM, PACKAGE, PAGE, DOCS];

/// The same, and the server that serves it.
pub(crate) const START: &[Step] = &[WASM, PACKAGE, PAGE, DOCS, SERVER];

/// Builds the npm package, printing nothing where all is up to date.
pub(crate) fn package() -> Result<()> {
    wasm::build()?;
    run_build("pkg")
}

/// Builds the demo page; the package is built already.
pub(crate) fn page() -> Result<()> {
    run_build("www")
}

fn run_build(folder: &str) -> Result<()> {
    run(&mut node(&format!("{folder}/build.mjs")))
}
