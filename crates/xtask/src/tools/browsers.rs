//! The browsers that the tests run in.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{Machine, Tool};
use crate::process::{cache_dir, output};

/// Chromium and the WebDriver of the same version.
pub(crate) struct Chromium {
    pub(crate) browser: PathBuf,
    pub(crate) driver: PathBuf,
}

pub(crate) const CHROMIUM: Tool<Chromium> = Tool {
    name: "Chromium with chromedriver",
    variables: &["SALTMINE_CHROMIUM", "SALTMINE_CHROMEDRIVER"],
    packages: &[&["chromium", "chromium-driver"]],
    find: find_chromium,
    download: Some(|machine| {
        let browser = download(machine, "chrome")?;
        let driver = download(machine, "chromedriver")?;
        Ok(Chromium { browser, driver })
    }),
};

fn find_chromium(machine: &Machine) -> Result<Option<Chromium>> {
    const NAMES: [&str; 5] =
        ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
    let browsers = candidates(machine, "SALTMINE_CHROMIUM", &NAMES)?;
    let drivers = candidates(machine, "SALTMINE_CHROMEDRIVER", &["chromedriver"])?;
    let is_chosen = |variable| (machine.variable)(variable).is_some_and(|value| !value.is_empty());
    let both_chosen = is_chosen("SALTMINE_CHROMIUM") && is_chosen("SALTMINE_CHROMEDRIVER");
    for browser in &browsers {
        let Some(version) = major_version(machine, browser) else { continue };
        for driver in &drivers {
            // chromedriver refuses a browser of another major version.
            if both_chosen || major_version(machine, driver) == Some(version) {
                return Ok(Some(Chromium { browser: browser.clone(), driver: driver.clone() }));
            }
        }
    }
    Ok(None)
}

/// The program that the variable names, else those on the `PATH`.
fn candidates(machine: &Machine, variable: &str, names: &[&str]) -> Result<Vec<PathBuf>> {
    Ok(match machine.path_in(variable)? {
        Some(path) => vec![path],
        None => machine.all_on_path(names).collect(),
    })
}

/// From "Chromium 156.0.8078.79 built on Debian" or "ChromeDriver 156.0.8078.79 (…)"; nothing if it does not start.
fn major_version(machine: &Machine, program: &Path) -> Option<u32> {
    let printed = output(machine.command(program).arg("--version"))?;
    printed.split_whitespace().find_map(|word| word.split_once('.')?.0.parse().ok())
}

pub(crate) const FIREFOX: Tool<PathBuf> = Tool {
    name: "Firefox",
    variables: &["SALTMINE_FIREFOX"],
    packages: &[&["firefox-esr"], &["firefox"]],
    find: |machine| {
        if let Some(path) = machine.path_in("SALTMINE_FIREFOX")? {
            return Ok(Some(path));
        }
        Ok(machine.all_on_path(&["firefox-esr", "firefox"]).find(|path| machine.starts(path)))
    },
    download: Some(|machine| download(machine, "firefox")),
};

/// WebKitGTK's WebDriver and small browser, and the display that they run on: they have no headless mode.
pub(crate) struct WebKit {
    driver: PathBuf,
    browser: PathBuf,
    display: PathBuf,
}

impl WebKit {
    /// Passes the paths to a command of tests.
    pub(crate) fn pass_to(&self, command: &mut Command) {
        command
            .env("SALTMINE_WEBKIT_DRIVER", &self.driver)
            .env("SALTMINE_MINIBROWSER", &self.browser)
            .env("SALTMINE_XVFB_RUN", &self.display);
    }
}

pub(crate) const WEBKIT: Tool<WebKit> = Tool {
    name: "WebKitGTK with its WebDriver, MiniBrowser and xvfb-run",
    variables: &["SALTMINE_WEBKIT_DRIVER", "SALTMINE_MINIBROWSER", "SALTMINE_XVFB_RUN"],
    packages: &[&["webkit2gtk-driver", "xvfb", "xauth"]],
    find: |machine| {
        let either = |variable: &str, name: &str| -> Result<Option<PathBuf>> {
            Ok(machine.path_in(variable)?.or_else(|| machine.on_path(&[name])))
        };
        let driver = either("SALTMINE_WEBKIT_DRIVER", "WebKitWebDriver")?;
        let browser = machine.path_in("SALTMINE_MINIBROWSER")?.or_else(|| mini_browser(machine));
        let display = match machine.path_in("SALTMINE_XVFB_RUN")? {
            Some(path) => Some(path),
            // The script calls the two other programs.
            None => machine
                .on_path(&["xvfb-run"])
                .filter(|_| machine.on_path(&["Xvfb"]).is_some() && machine.on_path(&["xauth"]).is_some()),
        };
        Ok(driver.zip(browser).zip(display).map(|((driver, browser), display)| WebKit {
            driver,
            browser,
            display,
        }))
    },
    download: None,
};

/// Distributions keep it off the `PATH`, in `/usr/libexec` or in a folder of the processor's architecture.
fn mini_browser(machine: &Machine) -> Option<PathBuf> {
    let mut folders = Vec::new();
    for folder in ["usr/libexec", "usr/lib64", "usr/lib"].map(|folder| machine.root.join(folder)) {
        let nested = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
        folders.extend(nested);
        folders.push(folder);
    }
    folders
        .iter()
        .flat_map(|folder| {
            ["webkit2gtk-4.1", "webkit2gtk-4.0", "webkitgtk-6.0"]
                .map(|name| folder.join(name).join("MiniBrowser"))
        })
        .find(|path| path.is_file())
}

/// Downloads a browser or driver of the newest stable version into `.cache/browsers`.
fn download(machine: &Machine, name: &str) -> Result<PathBuf> {
    let printed = output(
        machine
            .command("npm")
            .args(["exec", "--yes", "--package", "@puppeteer/browsers@2.13.2", "--", "browsers"])
            .args(["install", &format!("{name}@stable"), "--path"])
            .arg(cache_dir().join("browsers")),
    )
    .with_context(|| format!("{name} could not be downloaded"))?;
    // Its last line is "name@version path".
    let path = printed
        .lines()
        .last()
        .and_then(|line| line.split_once(' '))
        .map(|(_, path)| PathBuf::from(path))
        .filter(|path| path.exists())
        .with_context(|| format!("the download of {name} names no file: {printed}"))?;
    if !machine.starts(&path) {
        bail!("{} was downloaded, but does not start: a system library may be missing", path.display());
    }
    Ok(path)
}
