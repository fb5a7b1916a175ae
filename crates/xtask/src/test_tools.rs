//! The tools of the tests: which of them the machine has, and which tests did not run because one is missing.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use crate::postgres::Postgres;
use crate::tools::{
    self, CHROMIUM, Chromium, FIREFOX, GO, Machine, MissingTool, NGINX, REDIS, WEBKIT, WebKit,
};

/// The tools of the tests, as far as the machine has them.
#[derive(Default)]
pub(crate) struct TestTools {
    pub(crate) chromium: Option<Chromium>,
    pub(crate) firefox: Option<PathBuf>,
    pub(crate) webkit: Option<WebKit>,
    pub(crate) postgres: Option<Postgres>,
    pub(crate) redis: Option<PathBuf>,
    pub(crate) nginx: Option<PathBuf>,
    pub(crate) schemathesis: Option<PathBuf>,
    pub(crate) go: Option<PathBuf>,
    /// A sentence for each tool that is missing.
    missing: Vec<String>,
    /// The tests that did not run for it.
    pub(crate) skipped: Vec<String>,
}

impl TestTools {
    /// The variables by which the server's tests find programs.
    pub(crate) fn of_server_tests(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
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
    pub(crate) fn conclude(&self, result: Result<()>) -> Result<ExitCode> {
        let summary = self.summary(result.is_ok());
        if let Some(summary) = &summary {
            eprint!("{summary}");
        }
        result.map(|()| if summary.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// Finds or installs what every kind of test needs.
pub(crate) fn find_tools(tools: &mut TestTools) -> Result<()> {
    let machine = Machine::current();
    tools.chromium = tools.note(CHROMIUM.obtain(&machine))?;
    tools.postgres = tools.note(Postgres::start(&machine))?;
    tools.redis = tools.note(REDIS.obtain(&machine))?;
    tools.nginx = tools.note(NGINX.obtain(&machine))?;
    Ok(())
}

/// The same for the frameworks' projects.
pub(crate) fn find_tools_of_frameworks(tools: &mut TestTools) -> Result<()> {
    find_tools(tools)?;
    tools.firefox = tools.note(FIREFOX.obtain(&Machine::current()))?;
    Ok(())
}

/// The same for the slow tests.
pub(crate) fn find_tools_of_matrix(tools: &mut TestTools) -> Result<()> {
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

#[cfg(test)]
mod tests {
    use std::process::ExitCode;

    use anyhow::{Result, anyhow, bail};

    use super::TestTools;
    use crate::progress::Step;
    use crate::testing::perform;
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
