//! The program behind the npm commands: sets up the tools, builds every part, and runs the server, the tests and the
//! measurements. `cargo run -p xtask -- help` lists the tasks.

mod bindgen;
mod build;
mod fuzz;
mod js_tests;
mod lint;
mod postgres;
mod process;
mod progress;
mod server;
#[cfg(test)]
mod shared_features;
mod tasks;
mod test_tools;
mod testing;
mod tools;
mod variants;
mod wasm;

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let task = arguments.next().unwrap_or_default();
    match tasks::perform(&task, &arguments.collect::<Vec<_>>()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("saltmine: {error:#}");
            ExitCode::FAILURE
        }
    }
}
