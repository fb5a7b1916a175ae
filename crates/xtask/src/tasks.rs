//! The tasks, by the names that the npm scripts use.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::postgres::Postgres;
use crate::process::{cache_dir, cargo, node, root, run, status, target_dir};
use crate::server;
use crate::variants::Table;
use crate::{fuzz, tools, wasm};

const PRETTIER: &str = "node_modules/prettier/bin/prettier.cjs";

const HELP: &str = "\
tasks:
  build         the wasm variants, the npm package, the demo page, the documentation
  docs          the same: the documentation is in www/dist/docs, beside the pages that it leads to
  start         build, then run the reference server with the demo page
  test          every test: Rust, wasm in Node and in a browser, the package, the server, end to end
  test-matrix   the slow ones: bundlers, three browsers, faults, the server under load and by its description
  bench         speed against other solvers, and from navigation to the token, in Chromium
  load          the server's speed and memory against a Node server, and a minute with kill -9 in it
  size          what a page loads, in bytes
  release       publishes the npm package and the crates (--dry-run does all but that)
  fuzz          the parsers and the flow under libFuzzer, a minute each (an argument of no sense tells the options)
  token         a session token from the command line (--help tells the options)
  lint          formatters and linters, changing nothing
  format        formatters";

/// Runs a task; the code to exit with.
pub(crate) fn perform(task: &str, arguments: &[String]) -> Result<ExitCode> {
    match task {
        "build" | "docs" => build_site()?,
        "start" => return start(arguments),
        "test" => test()?,
        "test-matrix" => test_matrix()?,
        "bench" => return script("tests/bench/bench.mjs", arguments),
        "load" => return load(arguments),
        "fuzz" => fuzz::fuzz(arguments)?,
        "size" => return script("tests/size/size.mjs", arguments),
        "release" => return exit(node("tools/release.mjs").args(arguments)),
        "token" => {
            build_package()?;
            return exit(node("tools/token.mjs").args(arguments));
        }
        "lint" => lint()?,
        "format" => format()?,
        "help" | "--help" | "" => eprintln!("{HELP}"),
        _ => bail!("there is no task `{task}`.\n{HELP}"),
    }
    Ok(ExitCode::SUCCESS)
}

fn build_package() -> Result<()> {
    wasm::build()?;
    run(&mut node("pkg/build.mjs"))
}

fn build_page() -> Result<()> {
    build_package()?;
    run(&mut node("www/build.mjs"))
}

/// What is served in development: the page, and the documentation in a folder of it.
fn build_site() -> Result<()> {
    build_page()?;
    run(&mut node("site/build.mjs"))
}

fn start(arguments: &[String]) -> Result<ExitCode> {
    build_site()?;
    let binary = server::build()?;
    std::fs::create_dir_all(root().join(".saltmine"))?;
    let mut command = server::development(&binary);
    command.args(arguments);
    replace(command)
}

fn test() -> Result<()> {
    build_site()?;
    let binary = server::build()?;
    let browser = tools::browser()?;

    eprintln!("test: Rust");
    run(cargo().args(["test", "--workspace", "--quiet"]))?;
    eprintln!("test: the corpus of the fuzz targets");
    run(in_fuzz("test").args(["--quiet"]))?;
    eprintln!("test: the server on PostgreSQL");
    let postgres = Postgres::start()?;
    let mut on_postgres = cargo();
    on_postgres.args(["test", "--package", "saltmine-server", "--tests", "--quiet"]);
    postgres.tell(&mut on_postgres);
    run(&mut on_postgres)?;
    drop(postgres);

    let table = Table::read()?;
    // What is translated to JavaScript is tested as part of the package.
    for variant in table.variants.iter().filter(|variant| !variant.is_translated()) {
        let wasm_test = |package: &str| -> Result<Command> {
            let mut command = cargo();
            command
                .args(["test", "--target", "wasm32-unknown-unknown", "--package", package, "--tests"])
                .env("CARGO_ENCODED_RUSTFLAGS", variant.test_rustflags(&table.shared))
                // Each variant's flags in a folder of their own, so that they do not evict each other.
                .env("CARGO_TARGET_DIR", cache_dir().join("wasm-test").join(&variant.name))
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", tools::wasm_bindgen_test_runner()?);
            Ok(command)
        };
        eprintln!("test: wasm {} in Node", variant.name);
        run(&mut wasm_test("saltmine-solver")?)?;
        run(&mut wasm_test("saltmine-client")?)?;
        eprintln!("test: wasm {} in a worker of headless Chromium", variant.name);
        run(wasm_test("saltmine-solver")?
            .env("WASM_BINDGEN_USE_DEDICATED_WORKER", "1")
            .env("CHROMEDRIVER", &browser.driver)
            .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", write_capabilities(&browser)?))?;
    }

    eprintln!("test: the package, interop, end to end");
    run_tests("test", &binary, &browser, |_| ())
}

/// Cargo in the workspace of the fuzz targets, without libFuzzer, and with what is built for this one already.
fn in_fuzz(subcommand: &str) -> Command {
    let mut command = cargo();
    command.args([subcommand, "--manifest-path", "fuzz/Cargo.toml", "--no-default-features", "--target-dir"]);
    command.arg(target_dir());
    command
}

fn test_matrix() -> Result<()> {
    build_site()?;
    let binary = server::build()?;
    let postgres = Postgres::start()?;
    let schemathesis = tools::schemathesis()?;
    run_tests("matrix", &binary, &tools::browser()?, |command| {
        postgres.tell(command);
        command.env("SALTMINE_SCHEMATHESIS", schemathesis);
    })
}

/// Needs neither the page nor the browser.
fn load(arguments: &[String]) -> Result<ExitCode> {
    let binary = server::build_release()?;
    exit(
        node("tests/load/load.mjs")
            .args(arguments)
            .env("SALTMINE_SERVER", binary)
            .env("SALTMINE_WRK", tools::wrk()?),
    )
}

/// Node's own runner over `tests/**/*.{kind}.mjs`.
fn run_tests(
    kind: &str,
    server: &PathBuf,
    browser: &tools::Browser,
    more: impl FnOnce(&mut Command),
) -> Result<()> {
    let mut files = Vec::new();
    collect_tests(&root().join("tests"), &format!(".{kind}.mjs"), &mut files)?;
    files.sort();
    // Node 20 holds whole files to it, whatever their tests say.
    let timeout_minutes = if kind == "matrix" { 20 } else { 5 };
    let mut tests = node("--test");
    tests
        .args(["--test-reporter=spec", "--test-concurrency=1"])
        .arg(format!("--test-timeout={}", timeout_minutes * 60_000))
        .args(files)
        .env("SALTMINE_SERVER", server)
        .env("SALTMINE_CHROMIUM", &browser.chromium);
    more(&mut tests);
    let status = status(&mut tests)?;
    if !status.success() {
        bail!("some tests failed: see above.");
    }
    Ok(())
}

fn collect_tests(folder: &PathBuf, suffix: &str, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("node_modules") {
            collect_tests(&path, suffix, files)?;
        } else if path.to_string_lossy().ends_with(suffix) {
            files.push(path);
        }
    }
    Ok(())
}

/// Chromium as every browser test starts it: headless, and quiet on networks that it need not reach.
fn write_capabilities(browser: &tools::Browser) -> Result<PathBuf> {
    // A JSON array of strings, which the JavaScript tests read too.
    let flags = std::fs::read_to_string(root().join("tests/support/chromium-flags.json"))?;
    let flags = flags.trim().trim_start_matches('[').trim_end_matches(']');
    let path = cache_dir().join("webdriver.json");
    let binary = browser.chromium.display().to_string();
    std::fs::write(
        &path,
        format!("{{\"goog:chromeOptions\":{{\"binary\":{binary:?},\"args\":[\"--headless=new\",{flags}]}}}}"),
    )?;
    Ok(path)
}

/// A measurement: needs everything that a page needs, and the browser.
fn script(path: &str, arguments: &[String]) -> Result<ExitCode> {
    build_page()?;
    let browser = tools::browser()?;
    exit(node(path).args(arguments).env("SALTMINE_CHROMIUM", &browser.chromium))
}

fn lint() -> Result<()> {
    // The page is checked against the package's types.
    build_package()?;
    run(cargo().args(["fmt", "--all", "--check"]))?;
    run(cargo()
        .args(["clippy", "--quiet", "--workspace", "--all-targets", "--all-features"])
        .args(["--", "-D", "warnings"]))?;
    run(cargo().args(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]))?;
    run(in_fuzz("clippy").args(["--quiet", "--all-targets", "--", "-D", "warnings"]))?;
    let table = Table::read()?;
    for variant in &table.variants {
        let package = &table.shared.package;
        let features: Vec<_> =
            variant.features.iter().map(|feature| format!("{package}/{feature}")).collect();
        run(cargo()
            .args(["clippy", "--quiet", "--target", "wasm32-unknown-unknown", "--package", package])
            .args(["--package", "saltmine-solver", "--profile", &variant.profile])
            .args(["--no-default-features", "--features", &features.join(",")])
            .args(["--", "-D", "warnings"])
            .env("CARGO_ENCODED_RUSTFLAGS", variant.rustflags(&table.shared)))?;
    }
    run(node(PRETTIER).args(["--check", "--log-level=warn", "."]))?;
    run(node("node_modules/typescript/bin/tsc").args(["--noEmit", "--project", "pkg"]))?;
    run(node("node_modules/typescript/bin/tsc").args(["--noEmit", "--project", "www"]))?;
    run(node("node_modules/typescript/bin/tsc").args(["--noEmit", "--project", "site"]))
}

fn format() -> Result<()> {
    run(cargo().args(["fmt", "--all"]))?;
    run(cargo().args(["fmt", "--manifest-path", "fuzz/Cargo.toml"]))?;
    run(node(PRETTIER).args(["--write", "--log-level=warn", "."]))
}

fn exit(command: &mut Command) -> Result<ExitCode> {
    let code = status(command)?.code().unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// The command in this process's place, so that signals reach it and nothing stands between.
#[cfg(unix)]
fn replace(mut command: Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec().into())
}

#[cfg(not(unix))]
fn replace(mut command: Command) -> Result<ExitCode> {
    exit(&mut command)
}
