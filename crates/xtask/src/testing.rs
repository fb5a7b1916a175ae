//! The tests: what `npm test`, `npm run test:matrix` and `npm run test:frameworks` run.
//!
//! A tool that can neither be found nor installed, or that does not start, does not stop the other tests. It is reported
//! where it is missing and again at the end, and the task fails.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};
use serde_json::json;

use crate::build::{DOCS, PACKAGE, PAGE, WASM_AND_SERVER};
use crate::js_tests;
use crate::lint::in_fuzz;
use crate::process::{cache_dir, cargo, node, root, run, status};
use crate::progress::{Step, run_steps};
use crate::server::{self, TestServer};
use crate::test_tools::{TestTools, find_tools, find_tools_of_frameworks, find_tools_of_matrix};
use crate::tools;
use crate::variants::Table;

/// The steps of `npm test`.
pub(crate) const TEST: &[Step] = &[
    Step { label: "finding Chromium, PostgreSQL, Redis and nginx", run: find_tools },
    WASM_AND_SERVER,
    PACKAGE,
    PAGE,
    DOCS,
    Step { label: "testing the Rust code", run: test_rust },
    Step { label: "testing the corpus of the fuzz targets", run: |_| run(in_fuzz("test").arg("--quiet")) },
    Step { label: "testing the server on PostgreSQL", run: test_on_postgres },
    Step { label: "testing the wasm modules in Node", run: |_| test_wasm_in_node() },
    Step { label: "testing the wasm modules in Chromium", run: test_wasm_in_chromium },
    Step {
        label: "testing the package, interoperability, end to end",
        run: |tools| run_js_tests("test", tools),
    },
];

/// The steps of `npm run test:matrix`.
pub(crate) const MATRIX: &[Step] = &[
    Step {
        label: "finding the browsers, PostgreSQL, Redis, nginx, Schemathesis and Go",
        run: find_tools_of_matrix,
    },
    WASM_AND_SERVER,
    PACKAGE,
    PAGE,
    DOCS,
    Step { label: "running the slow tests", run: |tools| run_js_tests("matrix", tools) },
    // Last, since it leaves a server with another feature in `target/`.
    Step { label: "testing the export of traces", run: |_| test_otlp() },
];

/// The steps of `npm run test:frameworks`.
pub(crate) const FRAMEWORKS: &[Step] = &[
    Step { label: "finding Chromium and Firefox", run: find_tools_of_frameworks },
    WASM_AND_SERVER,
    PACKAGE,
    // Installs geckodriver, which takes minutes.
    Step { label: "testing the wasm modules in Firefox", run: test_wasm_in_firefox },
    Step {
        label: "building the frameworks' projects, and a release",
        run: |tools| run_js_tests("frameworks", tools),
    },
];

/// Runs every test but the slow ones.
pub(crate) fn test() -> Result<ExitCode> {
    perform(TEST)
}

/// Runs the slow tests.
pub(crate) fn test_matrix() -> Result<ExitCode> {
    perform(MATRIX)
}

/// Runs the tests in projects of frameworks, which take minutes to install.
pub(crate) fn test_frameworks() -> Result<ExitCode> {
    perform(FRAMEWORKS)
}

/// Runs the steps; the code to exit with.
pub(crate) fn perform(steps: &[Step]) -> Result<ExitCode> {
    let mut tools = TestTools::default();
    let result = run_steps(steps, &mut tools);
    tools.conclude(result)
}

fn test_rust(tools: &mut TestTools) -> Result<()> {
    if tools.redis.is_none() {
        tools.skipped.push("the server's counters that instances share".into());
    }
    if tools.nginx.is_none() {
        tools.skipped.push("the server behind nginx, as deploy/nginx.conf sets it up".into());
    }
    run(cargo().args(["test", "--workspace", "--quiet"]).envs(tools.of_server_tests()))
}

fn test_on_postgres(tools: &mut TestTools) -> Result<()> {
    // It ends with this step.
    let Some(postgres) = tools.postgres.take() else {
        tools.skipped.push("the server's tests on PostgreSQL".into());
        return Ok(());
    };
    // The whole workspace: for only the package, cargo would select other features and compile everything again.
    let mut command = cargo();
    command.args(["test", "--workspace", "--quiet"]);
    for test in server_tests()? {
        command.arg("--test").arg(test);
    }
    postgres.pass_to(&mut command);
    command.envs(tools.of_server_tests());
    run(&mut command)
}

/// The integration test that needs the feature `otlp`.
const OTLP_TEST: &str = "otlp";

/// The names of the server's other integration tests.
fn server_tests() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root().join("crates/server/tests"))? {
        let path = entry?.path();
        let is_test =
            path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").exists();
        names.extend(
            path.file_stem()
                .filter(|name| *name != OTLP_TEST)
                .filter(|_| is_test)
                .map(|name| name.to_string_lossy().into_owned()),
        );
    }
    Ok(names)
}

/// The feature of the server that is off by default.
fn test_otlp() -> Result<()> {
    run(cargo().args([
        "test",
        "--workspace",
        "--quiet",
        "--features",
        "saltmine-server/otlp",
        "--test",
        OTLP_TEST,
    ]))
}

/// Runs the tests of a package for each wasm variant; `prepare` chooses where. A variant that is translated to
/// JavaScript is tested as part of the npm package.
fn test_wasm(package: &str, prepare: impl Fn(&mut Command) -> Result<()>) -> Result<()> {
    let table = Table::read()?;
    for variant in table.variants.iter().filter(|variant| ["simd128", "scalar"].contains(&&*variant.name)) {
        eprintln!("{package}, wasm {}", variant.name);
        let mut command = cargo();
        command
            .args(["test", "--target", "wasm32-unknown-unknown", "--package", package, "--tests"])
            .env("CARGO_ENCODED_RUSTFLAGS", variant.test_rustflags(&table.shared))
            // Each variant's flags in a folder of their own, so that they do not evict each other: flags with
            // `--remap-path-prefix` are no part of the names of what Cargo has compiled.
            .env("CARGO_TARGET_DIR", cache_dir().join("wasm-test").join(&variant.name))
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", tools::wasm_bindgen_test_runner()?);
        prepare(&mut command)?;
        run(&mut command)?;
    }
    Ok(())
}

fn test_wasm_in_node() -> Result<()> {
    test_wasm("saltmine-solver", |_| Ok(()))?;
    let server = TestServer::start()?;
    test_wasm("saltmine-client", |command| server.pass_to(command))
}

fn test_wasm_in_chromium(tools: &mut TestTools) -> Result<()> {
    let Some(chromium) = &tools.chromium else {
        tools.skipped.push("the wasm modules in a worker of Chromium".into());
        return Ok(());
    };
    // Headless, and without requests to networks that it need not reach: as every browser test starts it.
    let flags = std::fs::read_to_string(root().join("tests/support/chromium-flags.json"))?;
    let mut args: Vec<String> = serde_json::from_str(&flags)?;
    args.insert(0, "--headless=new".into());
    let options = json!({ "goog:chromeOptions": { "binary": chromium.browser, "args": args } });
    test_wasm_in_browser("CHROMEDRIVER", &chromium.driver, &options)
}

fn test_wasm_in_firefox(tools: &mut TestTools) -> Result<()> {
    let Some(firefox) = &tools.firefox else {
        tools.skipped.push("the wasm modules in a worker of Firefox".into());
        return Ok(());
    };
    let options = json!({ "moz:firefoxOptions": { "binary": firefox, "args": ["-headless"] } });
    test_wasm_in_browser("GECKODRIVER", &tools::geckodriver()?, &options)
}

/// Runs the tests in a worker of a browser, by the WebDriver that `variable` names to the runner.
fn test_wasm_in_browser(variable: &str, driver: &Path, capabilities: &serde_json::Value) -> Result<()> {
    let path = cache_dir().join("webdriver.json");
    std::fs::write(&path, capabilities.to_string())?;
    let prepare = |command: &mut Command| {
        command
            .env("WASM_BINDGEN_USE_DEDICATED_WORKER", "1")
            // In seconds. The default of 20 is too short for a machine with other work.
            .env("WASM_BINDGEN_TEST_TIMEOUT", "180")
            .env(variable, driver)
            .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", &path);
    };
    test_wasm("saltmine-solver", |command| {
        prepare(command);
        Ok(())
    })?;
    let server = TestServer::start()?;
    test_wasm("saltmine-client", |command| {
        prepare(command);
        server.pass_to(command)
    })
}

/// Node's own runner over the files of a kind, with the paths of the tools in environment variables.
fn run_js_tests(kind: &str, tools: &mut TestTools) -> Result<()> {
    let files = js_tests::find(kind, tools.chromium.is_some())?;
    for file in files.skipped {
        let file = file.strip_prefix(root()).map(PathBuf::from).unwrap_or(file);
        tools.skipped.push(format!("{} (needs Chromium)", file.display()));
    }
    let is_slow = kind != "test";
    let (independent, timed): (Vec<_>, Vec<_>) = files.run.into_iter().partition(|file| is_independent(file));
    let mut all_passed = true;
    for (files, concurrency) in [(independent, 2), (timed, 1)] {
        if files.is_empty() {
            continue;
        }
        let mut tests = node("--test");
        // Node 20 applies the time limit to whole files, whatever their tests say.
        let timeout_minutes = if is_slow { 20 } else { 5 };
        tests
            .args(["--test-reporter=spec".into(), format!("--test-concurrency={concurrency}")])
            .arg(format!("--test-timeout={}", timeout_minutes * 60_000))
            .args(files);
        pass_tools_to(&mut tests, tools);
        if kind == "matrix" {
            // Builds examples/rust-web.
            tests.env("SALTMINE_WASM_BINDGEN", tools::wasm_bindgen()?);
        }
        all_passed &= status(&mut tests)?.success();
    }
    if !all_passed {
        bail!("some tests failed: see above.");
    }
    Ok(())
}

/// Sets the variables by which the JavaScript tests find the server and the programs.
fn pass_tools_to(tests: &mut Command, tools: &TestTools) {
    tests
        .env("SALTMINE_SERVER", server::binary())
        .envs(tools.chromium.as_ref().map(|chromium| ("SALTMINE_CHROMIUM", &chromium.browser)))
        .envs(tools.firefox.as_ref().map(|path| ("SALTMINE_FIREFOX", path)))
        .envs(tools.schemathesis.as_ref().map(|path| ("SALTMINE_SCHEMATHESIS", path)))
        .envs(tools.go.as_ref().map(|path| ("SALTMINE_GO", path)));
    if let Some(webkit) = &tools.webkit {
        webkit.pass_to(tests);
    }
    if let Some(postgres) = &tools.postgres {
        postgres.pass_to(tests);
    }
}

/// Whether a test file may run beside another one. Not those that load the machine or compare durations, those of `e2e`,
/// which build the demo page and read it, and those of `widgets`, which install into one folder. Those of `frameworks` need
/// more memory than two of them should take.
fn is_independent(file: &Path) -> bool {
    const ALONE: [&str; 7] = [
        "browsers",
        "e2e",
        "frameworks",
        "load",
        "package/engine-selection.matrix.mjs",
        "package/pool.test.mjs",
        "widgets",
    ];
    let tests = root().join("tests");
    !ALONE.iter().any(|path| file.starts_with(tests.join(path)))
}
