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
use crate::postgres::Postgres;
use crate::process::{cache_dir, cargo, node, root, run, status};
use crate::progress::{Step, run_steps};
use crate::server::{self, TestServer};
use crate::tools::{
    self, CHROMIUM, Chromium, FIREFOX, GO, Machine, MissingTool, NGINX, REDIS, WEBKIT, WebKit,
};
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
        label: "installing and building the frameworks' projects",
        run: |tools| run_js_tests("frameworks", tools),
    },
];

/// What the tests run with, as far as the machine has it.
#[derive(Default)]
pub(crate) struct TestTools {
    chromium: Option<Chromium>,
    firefox: Option<PathBuf>,
    webkit: Option<WebKit>,
    postgres: Option<Postgres>,
    redis: Option<PathBuf>,
    nginx: Option<PathBuf>,
    schemathesis: Option<PathBuf>,
    go: Option<PathBuf>,
    /// A sentence for each tool that is missing.
    missing: Vec<String>,
    /// The tests that did not run for it.
    skipped: Vec<String>,
}

impl TestTools {
    /// The variables by which the server's tests find programs.
    fn of_server_tests(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        let programs = [("SALTMINE_TEST_REDIS_SERVER", &self.redis), ("SALTMINE_TEST_NGINX", &self.nginx)];
        programs.into_iter().filter_map(|(name, path)| Some((name, path.as_ref()?)))
    }

    /// Returns the tool, or nothing after taking a note that it is missing or does not start. Other errors, such as a
    /// variable with a wrong value, remain errors.
    fn note<T>(&mut self, tool: Result<T>) -> Result<Option<T>> {
        match tool {
            Ok(tool) => Ok(Some(tool)),
            Err(error) if error.is::<MissingTool>() => {
                eprintln!("{error}");
                self.missing.push(error.to_string());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Describes what is missing and which tests did not run for it, if anything is. `passed` is whether every step
    /// succeeded.
    fn summary(&self, passed: bool) -> Option<String> {
        if self.missing.is_empty() {
            return None;
        }
        let heading = match (passed, self.skipped.is_empty()) {
            (true, _) => "The tests that ran passed. These did not run:",
            (false, true) => "A step failed, and a tool is missing:",
            (false, false) => "A step failed. These tests did not run, because a tool is missing:",
        };
        let skipped = self.skipped.iter().map(|skipped| format!("  {skipped}\n"));
        let missing = self.missing.iter().map(|missing| format!("saltmine: {missing}\n"));
        Some(format!("\n{heading}\n{}", skipped.chain(missing).collect::<String>()))
    }

    /// Prints the summary; returns the code to exit with, or the error of the step that failed.
    fn conclude(&self, result: Result<()>) -> Result<ExitCode> {
        let summary = self.summary(result.is_ok());
        if let Some(summary) = &summary {
            eprint!("{summary}");
        }
        result.map(|()| if summary.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

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

fn perform(steps: &[Step]) -> Result<ExitCode> {
    let mut tools = TestTools::default();
    let result = run_steps(steps, &mut tools);
    tools.conclude(result)
}

fn find_tools(tools: &mut TestTools) -> Result<()> {
    let machine = Machine::current();
    tools.chromium = tools.note(CHROMIUM.obtain(&machine))?;
    tools.postgres = tools.note(Postgres::start(&machine))?;
    tools.redis = tools.note(REDIS.obtain(&machine))?;
    tools.nginx = tools.note(NGINX.obtain(&machine))?;
    Ok(())
}

fn find_tools_of_frameworks(tools: &mut TestTools) -> Result<()> {
    find_tools(tools)?;
    tools.firefox = tools.note(FIREFOX.obtain(&Machine::current()))?;
    Ok(())
}

fn find_tools_of_matrix(tools: &mut TestTools) -> Result<()> {
    find_tools(tools)?;
    let machine = Machine::current();
    tools.firefox = tools.note(FIREFOX.obtain(&machine))?;
    tools.webkit = tools.note(WEBKIT.obtain(&machine))?;
    tools.schemathesis = tools.note(tools::schemathesis(&machine))?;
    tools.go = tools.note(GO.obtain(&machine))?;
    if tools.go.is_none() {
        tools.skipped.push("the example examples/backend-go".into());
    }
    Ok(())
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
    // Of the workspace: of the package alone, cargo would choose other features and compile all again.
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
            // Each variant's flags in a folder of their own, so that they do not evict each other.
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
    if files.run.is_empty() {
        return Ok(());
    }
    // Node 20 applies it to whole files, whatever their tests say.
    let timeout_minutes = if kind == "test" { 5 } else { 20 };
    let mut tests = node("--test");
    tests
        .args(["--test-reporter=spec", "--test-concurrency=1"])
        .arg(format!("--test-timeout={}", timeout_minutes * 60_000))
        .args(files.run)
        .env("SALTMINE_SERVER", server::binary())
        .envs(tools.chromium.as_ref().map(|chromium| ("SALTMINE_CHROMIUM", &chromium.browser)))
        .envs(tools.firefox.as_ref().map(|path| ("SALTMINE_FIREFOX", path)))
        .envs(tools.schemathesis.as_ref().map(|path| ("SALTMINE_SCHEMATHESIS", path)))
        .envs(tools.go.as_ref().map(|path| ("SALTMINE_GO", path)));
    if let Some(webkit) = &tools.webkit {
        webkit.pass_to(&mut tests);
    }
    if let Some(postgres) = &tools.postgres {
        postgres.pass_to(&mut tests);
    }
    if kind == "matrix" {
        // Builds examples/rust-web.
        tests.env("SALTMINE_WASM_BINDGEN", tools::wasm_bindgen()?);
    }
    if !status(&mut tests)?.success() {
        bail!("some tests failed: see above.");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::ExitCode;

    use anyhow::{Result, anyhow, bail};

    use super::{TestTools, perform};
    use crate::progress::Step;
    use crate::tools::MissingTool;

    const SUMMARY: &str = "\nThe tests that ran passed. These did not run:\n  the tests on Redis\nsaltmine: Redis is \
                           missing: install it (Debian: apt-get install redis-server).\n";

    /// A step that misses a tool, and skips the tests that need it.
    fn miss(tools: &mut TestTools) -> Result<()> {
        let error = MissingTool::new("Redis", &[&["redis-server"]], &[]).into();
        assert!(tools.note::<()>(Err(error))?.is_none());
        tools.skipped.push("the tests on Redis".into());
        Ok(())
    }

    const MISSING: Step = Step { label: "missing", run: miss };
    const PASSING: Step = Step { label: "passing", run: |_| Ok(()) };
    const FAILING: Step = Step { label: "failing", run: |_| bail!("some tests failed: see above.") };

    fn code(steps: &[Step]) -> String {
        format!("{:?}", perform(steps).unwrap())
    }

    #[test]
    fn a_tool_that_is_there_is_returned_and_a_missing_one_is_noted() {
        let mut tools = TestTools::default();
        assert_eq!(tools.note(Ok(1)).unwrap(), Some(1));
        assert!(tools.missing.is_empty());
        miss(&mut tools).unwrap();
        let reason = anyhow!("initdb failed");
        let stopped = MissingTool::that_does_not_start("PostgreSQL", &reason, &["URL"]).into();
        assert_eq!(tools.note::<()>(Err(stopped)).unwrap(), None);
        assert_eq!(
            tools.missing,
            [
                "Redis is missing: install it (Debian: apt-get install redis-server).",
                "PostgreSQL does not start: initdb failed. Correct this, or set URL.",
            ]
        );
    }

    #[test]
    fn another_error_remains_an_error() {
        let mut tools = TestTools::default();
        let error = tools.note::<()>(Err(anyhow!("Invalid REDIS: there is no file /nowhere."))).unwrap_err();
        assert_eq!(error.to_string(), "Invalid REDIS: there is no file /nowhere.");
        assert!(tools.missing.is_empty());
    }

    #[test]
    fn the_exit_code_is_1_when_a_tool_is_missing() {
        assert_eq!(code(&[PASSING]), format!("{:?}", ExitCode::SUCCESS));
        assert_eq!(code(&[MISSING, PASSING]), format!("{:?}", ExitCode::FAILURE));
    }

    #[test]
    fn a_failed_step_is_the_error_with_a_missing_tool_and_without() {
        for steps in [&[PASSING, FAILING], &[MISSING, FAILING]] {
            assert_eq!(perform(steps).unwrap_err().to_string(), "some tests failed: see above.");
        }
    }

    #[test]
    fn the_summary_says_that_the_tests_passed_only_if_they_did() {
        let mut tools = TestTools::default();
        assert_eq!(tools.summary(true), None);
        assert_eq!(tools.summary(false), None);
        miss(&mut tools).unwrap();
        assert_eq!(tools.summary(true).unwrap(), SUMMARY);
        assert_eq!(
            tools.summary(false).unwrap(),
            SUMMARY.replace(
                "The tests that ran passed. These did not run:",
                "A step failed. These tests did not run, because a tool is missing:"
            )
        );
        tools.skipped.clear();
        assert_eq!(
            tools.summary(false).unwrap(),
            "\nA step failed, and a tool is missing:\nsaltmine: Redis is missing: install it (Debian: apt-get install \
             redis-server).\n"
        );
    }
}
