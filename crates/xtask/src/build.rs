//! The steps that build the package, the pages and the server.

use std::thread;

use anyhow::Result;

use crate::process::{node, run};
use crate::progress::Step;
use crate::{server, wasm};

pub(crate) const WASM: Step = Step { label: "building the wasm modules", run: |_| wasm::build() };
pub(crate) const WASM_AND_SERVER: Step =
    Step { label: "building the wasm modules and the reference server", run: |_| wasm_and_server() };
pub(crate) const PACKAGE: Step = Step { label: "building the npm package", run: |_| run_build("pkg") };
pub(crate) const PAGE: Step = Step { label: "building the demo page", run: |_| page() };
pub(crate) const DOCS: Step = Step { label: "building the documentation", run: |_| run_build("site") };

/// Everything that is served in development: the page, and the documentation in a folder of it.
pub(crate) const SITE: &[Step] = &[WASM, PACKAGE, PAGE, DOCS];

/// The same, and the server that serves it.
pub(crate) const START: &[Step] = &[WASM_AND_SERVER, PACKAGE, PAGE, DOCS];

/// Compiles the server while the modules, which are linked and optimized one function after the other, leave a core idle.
fn wasm_and_server() -> Result<()> {
    thread::scope(|scope| {
        let server = scope.spawn(server::build);
        let wasm = wasm::build();
        let server = server.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        wasm.and(server)
    })
}

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
