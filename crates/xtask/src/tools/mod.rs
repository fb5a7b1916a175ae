//! The programs that the tasks need beyond Cargo and Node, and one function that finds or installs each of them.
//!
//! A tool is looked for in its environment variable and on the `PATH`, then installed as a package of the distribution
//! with `apt-get`, then downloaded where a download exists.

mod apt;
mod browsers;
mod cargo_tools;
mod databases;
mod languages;
mod machine;
mod measuring;
#[cfg(test)]
mod tests;

use std::fmt;

use anyhow::Result;

pub(crate) use apt::is_root;
pub(crate) use browsers::{CHROMIUM, Chromium, FIREFOX, WEBKIT, WebKit};
pub(crate) use cargo_tools::{
    cargo_deny, cargo_fuzz, geckodriver, nightly, wasm_bindgen, wasm_bindgen_test_runner, wasm_target,
};
pub(crate) use databases::{NGINX, POSTGRESQL, REDIS};
pub(crate) use languages::GO;
pub(crate) use machine::Machine;
pub(crate) use measuring::{WRK, schemathesis};

/// An external tool; `T` is what a task needs to know of it, such as the paths of its programs.
pub(crate) struct Tool<T> {
    /// The name in messages.
    pub(crate) name: &'static str,
    /// The environment variables that name the tool's location.
    pub(crate) variables: &'static [&'static str],
    /// The Debian packages that provide it: alternatives, tried in this order.
    pub(crate) packages: &'static [&'static [&'static str]],
    /// Looks for it in its variables, on the `PATH` and in the distribution's own folders.
    pub(crate) find: fn(&Machine) -> Result<Option<T>>,
    /// Fetches it from where its makers publish it.
    pub(crate) download: Option<fn(&Machine) -> Result<T>>,
}

impl<T> Tool<T> {
    /// Returns the tool, after installing it where it is missing. A `MissingTool` error names what to install; any
    /// other error is a variable with a wrong value.
    pub(crate) fn obtain(&self, machine: &Machine) -> Result<T> {
        if let Some(found) = (self.find)(machine)? {
            return Ok(found);
        }
        for packages in self.packages {
            eprintln!("{} is missing: installing {} with apt-get (once)", self.name, packages.join(", "));
            match apt::install(machine, packages) {
                Ok(()) => {
                    if let Some(found) = (self.find)(machine)? {
                        return Ok(found);
                    }
                    eprintln!(
                        "{} is not usable after the installation of {}",
                        self.name,
                        packages.join(", ")
                    );
                }
                Err(error) => eprintln!("{error:#}"),
            }
        }
        if let Some(download) = self.download {
            eprintln!("{} is missing: downloading it (once)", self.name);
            match download(machine) {
                Ok(found) => return Ok(found),
                Err(error) => eprintln!("{error:#}"),
            }
        }
        Err(MissingTool::new(self.name, self.packages, self.variables).into())
    }
}

/// The error for a tool that the tests cannot use here: it is neither installed nor installable, and the error names the
/// package; or it does not start, and the error has the reason.
#[derive(Debug)]
pub(crate) struct MissingTool(String);

impl MissingTool {
    pub(crate) fn new(name: &str, packages: &[&[&str]], variables: &[&str]) -> Self {
        let alternatives: Vec<_> = packages.iter().map(|packages| packages.join(" ")).collect();
        let variables = match variables {
            [] => String::new(),
            [one] => format!(", or set {one}"),
            [others @ .., last] => format!(", or set {} and {last}", others.join(", ")),
        };
        Self(format!(
            "{name} is missing: install it (Debian: apt-get install {}){variables}.",
            alternatives.join(", or ")
        ))
    }
}

impl MissingTool {
    /// A package of Python that pip did not install: it has said why.
    pub(crate) fn of_pip(name: &str) -> Self {
        Self(format!("{name} is missing: pip could not install it, for the reason above."))
    }

    /// A tool that is installed, and does not start on this machine.
    pub(crate) fn that_does_not_start(name: &str, reason: &anyhow::Error, variables: &[&str]) -> Self {
        let reason = format!("{reason:#}");
        let reason = reason.trim_end().trim_end_matches('.');
        Self(format!("{name} does not start: {reason}. Correct this, or set {}.", variables.join(" and ")))
    }
}

impl fmt::Display for MissingTool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for MissingTool {}
