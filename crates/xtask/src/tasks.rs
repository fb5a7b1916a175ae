//! The tasks, by the names that the npm scripts use.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::process::{node, root, status};
use crate::progress::run_steps;
use crate::test_tools::TestTools;
use crate::tools::{CHROMIUM, Machine, WRK};
use crate::{build, fuzz, lint, server, testing, wasm};

const HELP: &str = "\
tasks:
  build         the wasm variants, the npm package, the demo page, the documentation
  wasm          the wasm variants only
  docs          the same: the documentation is in www/dist/docs, beside the pages that it links to
  start         build, then run the reference server with the demo page
  test          every test: Rust, wasm in Node and in a browser, the package, the server, end to end
  test-matrix   the slow tests: bundlers, three browsers, faults, the server under load and by its description
  test-frameworks  the package in projects of frameworks that take minutes to install (not part of .ci/run)
  bench         hashes per second and time to a token, beside other solvers, in the browsers of --browsers
  load          the server under load, beside a Node server, and with faults in it (tests/load/load.mjs lists the options)
  size          what a page loads, in bytes
  release       publishes the npm package and the crates (--dry-run does all but that)
  fuzz          the parsers and the flow under libFuzzer, a minute each (an unknown argument prints the options)
  token         a session token from the command line (--help lists the options)
  lint          formatters and linters, changing nothing
  format        formatters";

/// Runs a task; the code to exit with.
pub(crate) fn perform(task: &str, arguments: &[String]) -> Result<ExitCode> {
    match task {
        "build" | "docs" => run_steps(build::SITE, &mut TestTools::default())?,
        "wasm" => wasm::build()?,
        "start" => return start(arguments),
        "test" => return testing::test(),
        "test-matrix" => return testing::test_matrix(),
        "test-frameworks" => return testing::test_frameworks(),
        "bench" => return script("tests/bench/bench.mjs", arguments),
        "load" => return load(arguments),
        "fuzz" => fuzz::fuzz(arguments)?,
        "size" => return script("tests/size/size.mjs", arguments),
        "release" => return exit(node("tools/release.mjs").args(arguments)),
        "token" => {
            build::package()?;
            return exit(node("tools/token.mjs").args(arguments));
        }
        "lint" => run_steps(lint::LINT, &mut TestTools::default())?,
        "format" => lint::format()?,
        "help" | "--help" | "" => eprintln!("{HELP}"),
        _ => bail!("there is no task `{task}`.\n{HELP}"),
    }
    Ok(ExitCode::SUCCESS)
}

fn start(arguments: &[String]) -> Result<ExitCode> {
    run_steps(build::START, &mut TestTools::default())?;
    std::fs::create_dir_all(root().join(".saltmine"))?;
    let mut command = server::development(&server::binary());
    command.args(arguments);
    replace(command)
}

/// Needs neither the page nor the browser.
fn load(arguments: &[String]) -> Result<ExitCode> {
    let binary = server::build_release()?;
    exit(
        node("tests/load/load.mjs")
            .args(arguments)
            .env("SALTMINE_SERVER", binary)
            .env("SALTMINE_WRK", WRK.obtain(&Machine::current())?),
    )
}

/// A measurement: needs everything that a page needs, and the browser.
fn script(path: &str, arguments: &[String]) -> Result<ExitCode> {
    build::package()?;
    build::page()?;
    let chromium = CHROMIUM.obtain(&Machine::current())?;
    exit(node(path).args(arguments).env("SALTMINE_CHROMIUM", &chromium.browser))
}

fn exit(command: &mut Command) -> Result<ExitCode> {
    let code = status(command)?.code().unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// Replaces this process by the command, so that signals reach it directly.
#[cfg(unix)]
fn replace(mut command: Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec().into())
}

#[cfg(not(unix))]
fn replace(mut command: Command) -> Result<ExitCode> {
    exit(&mut command)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::{build, lint, testing};

    #[test]
    fn the_counts_of_steps_in_tools_run_mjs_are_right() {
        let told: BTreeMap<String, usize> =
            serde_json::from_str(include_str!("../../../tools/steps.json")).unwrap();
        let counted = [
            ("build", build::SITE.len()),
            ("docs", build::SITE.len()),
            ("start", build::START.len()),
            ("test", testing::TEST.len()),
            ("test-matrix", testing::MATRIX.len()),
            ("test-frameworks", testing::FRAMEWORKS.len()),
            ("lint", lint::LINT.len()),
        ];
        assert_eq!(told, counted.map(|(task, count)| (task.to_owned(), count)).into());
    }
}
