//! `npm run fuzz`: each target of `fuzz/` under libFuzzer.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process::{cache_dir, program, root, run};
use crate::tools;

const TARGETS: [&str; 5] = ["challenge", "solution_header", "flow", "origin", "token"];

/// Cases of a target in the repository.
const MOST_KEPT: usize = 58;

const HELP: &str = "\
npm run fuzz -- [--seconds N] [--cases N] [--keep] [target…]
  --seconds N   how long each target runs at most (60)
  --cases N     how many cases each target gets at most
  --keep        replace the corpus in `fuzz/corpus` by the cases that reach the most
targets: challenge, solution_header, flow, origin, token (all)";

struct Options {
    seconds: u64,
    cases: Option<u64>,
    keep: bool,
    targets: Vec<String>,
}

/// Runs the targets one after the other; returns an error if one of them found a failure.
pub(crate) fn fuzz(arguments: &[String]) -> Result<()> {
    let options = Options::read(arguments)?;
    eprintln!("fuzz: building");
    run(cargo_fuzz("build")?.args(["--target-dir"]).arg(target_dir()))?;
    let mut finds = Vec::new();
    for target in &options.targets {
        let report = attack(target, &options)?;
        println!("{target}: {}", report.line);
        finds.extend(report.find);
        if options.keep {
            keep(target)?;
        }
    }
    if finds.is_empty() { Ok(()) } else { bail!("found something:\n{}", finds.join("\n")) }
}

impl Options {
    fn read(arguments: &[String]) -> Result<Self> {
        let mut options = Self { seconds: 60, cases: None, keep: false, targets: Vec::new() };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut number = || -> Result<u64> {
                let number =
                    arguments.next().and_then(|number| number.parse().ok()).filter(|number| *number > 0);
                number.with_context(|| format!("{argument} takes a number.\n{HELP}"))
            };
            match &**argument {
                "--seconds" => options.seconds = number()?,
                "--cases" => options.cases = Some(number()?),
                "--keep" => options.keep = true,
                target if TARGETS.contains(&target) => options.targets.push(target.to_owned()),
                _ => bail!("there is no target or option `{argument}`.\n{HELP}"),
            }
        }
        if options.targets.is_empty() {
            options.targets = TARGETS.map(str::to_owned).to_vec();
        }
        Ok(options)
    }
}

/// The result of a target.
struct Report {
    line: String,
    /// The failure that it found, and how to reproduce it.
    find: Option<String>,
}

fn attack(target: &str, options: &Options) -> Result<Report> {
    eprintln!("fuzz: {target}");
    let log = work_dir().join(format!("{target}.log"));
    fs::create_dir_all(grown(target))?;
    let mut command = libfuzzer(target)?;
    // New inputs go into the first folder.
    command.arg(grown(target)).arg(kept(target)).arg("--");
    command.args(["-print_final_stats=1", "-timeout=10", "-max_len=2048"]);
    command.arg(format!("-dict={}", root().join("fuzz/protocol.dict").display()));
    command.arg(format!("-max_total_time={}", options.seconds));
    command.args(options.cases.map(|cases| format!("-runs={cases}")));
    let status =
        command.stderr(fs::File::create(&log)?).status().context("cargo-fuzz could not be started")?;
    // A case is bytes, and may be shown as it is.
    let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    let line = summary(&said);
    if status.success() {
        return Ok(Report { line: line.with_context(|| format!("see {}", log.display()))?, find: None });
    }
    let after = |mark: &str| said.lines().find_map(|line| Some(line.split_once(mark)?.1.trim().to_owned()));
    let Some(case) = after("Test unit written to ") else {
        bail!("{target} did not run: see {}", log.display())
    };
    let find = format!(
        "{target}: {}\n  case: {case}\n  again: rustup run nightly cargo-fuzz run {target} {case} (all of it: {})",
        said.lines()
            .skip_while(|line| !line.contains("panicked at"))
            .take(4)
            .collect::<Vec<_>>()
            .join("\n    "),
        log.display(),
    );
    Ok(Report { line: line.unwrap_or_else(|| "ended by a find".into()), find: Some(find) })
}

/// Reads the statistics that libFuzzer prints at its end.
fn summary(said: &str) -> Option<String> {
    let stat = |name: &str| -> Option<u64> {
        said.lines().find_map(|line| {
            line.strip_prefix("stat::")?.strip_prefix(name)?.strip_prefix(':')?.trim().parse().ok()
        })
    };
    let edges = said.lines().rev().find_map(|line| line.split_once(" cov: ")?.1.split(' ').next())?;
    Some(format!(
        "{} cases, {} a second, {edges} edges, {} new in the corpus",
        stat("number_of_executed_units")?,
        stat("average_exec_per_sec")?,
        stat("new_units_added")?,
    ))
}

/// Replaces the repository's cases by the ones that reach the most features, of all cases.
fn keep(target: &str) -> Result<()> {
    let (fewest, reached) = (work_dir().join("fewest"), work_dir().join("reached"));
    fs::remove_dir_all(&fewest).ok();
    fs::create_dir_all(&fewest)?;
    fs::remove_file(&reached).ok();
    let mut merge = libfuzzer(target)?;
    merge.arg(&fewest).arg(kept(target)).arg(grown(target)).arg("--");
    // By what is reached, not by how often.
    merge.args(["-merge=1", "-set_cover_merge=1", "-use_counters=0", "-max_len=2048"]);
    run(merge
        .arg(format!("-merge_control_file={}", reached.display()))
        .stderr(fs::File::create(work_dir().join("merge.log"))?))?;
    let cases = widest(&fs::read_to_string(&reached)?, MOST_KEPT);
    // Their own files are among those that are replaced.
    let cases =
        cases.into_iter().map(|path| Ok((path.clone(), fs::read(path)?))).collect::<Result<Vec<_>>>()?;
    fs::remove_dir_all(kept(target)).ok();
    fs::create_dir_all(kept(target))?;
    for (path, case) in &cases {
        fs::write(kept(target).join(path.file_name().unwrap_or_default()), case)?;
    }
    Ok(())
}

/// The cases that reach the most together, each chosen for what the ones before it do not; from libFuzzer's notes: the
/// number of cases, how many of them are old, a path a line, then lines `FT <case> <feature>…`.
fn widest(notes: &str, most: usize) -> Vec<PathBuf> {
    let paths: Vec<_> = notes.lines().skip(2).take_while(|line| !line.starts_with("STARTED")).collect();
    let mut reaches: Vec<(usize, BTreeSet<u32>)> = notes
        .lines()
        .filter_map(|line| {
            let mut numbers = line.strip_prefix("FT ")?.split(' ').filter_map(|number| number.parse().ok());
            Some((numbers.next()? as usize, numbers.collect()))
        })
        .collect();
    let mut chosen = Vec::new();
    while chosen.len() < most
        && let Some(at) = (0..reaches.len()).max_by_key(|at| (reaches[*at].1.len(), Reverse(*at)))
        && !reaches[at].1.is_empty()
    {
        let (case, reached) = reaches.swap_remove(at);
        chosen.extend(paths.get(case).map(PathBuf::from));
        reaches.iter_mut().for_each(|(_, features)| features.retain(|feature| !reached.contains(feature)));
    }
    chosen
}

fn libfuzzer(target: &str) -> Result<Command> {
    let mut command = cargo_fuzz("run")?;
    command.arg("--target-dir").arg(target_dir()).arg(target);
    Ok(command)
}

/// cargo-fuzz with the nightly compiler that it needs.
fn cargo_fuzz(subcommand: &str) -> Result<Command> {
    tools::nightly()?;
    let mut command = program("rustup");
    command.args(["run", "nightly"]).arg(tools::cargo_fuzz()?).arg(subcommand);
    command.arg("--fuzz-dir").arg(root().join("fuzz")).env_remove("CARGO");
    Ok(command)
}

fn work_dir() -> PathBuf {
    cache_dir().join("fuzz")
}

fn target_dir() -> PathBuf {
    work_dir().join("target")
}

/// The target's corpus in the repository.
fn kept(target: &str) -> PathBuf {
    root().join("fuzz/corpus").join(target)
}

/// The inputs that were found beyond that on this machine.
fn grown(target: &str) -> PathBuf {
    work_dir().join("corpus").join(target)
}

#[cfg(test)]
mod tests {
    use super::{summary, widest};
    use std::path::PathBuf;

    #[test]
    fn the_widest_cases_are_kept() {
        let notes = "3\n0\na\nb\nc\nSTARTED 0 5\nFT 0 1 2\nCOV 0 1\nFT 1 2 3 4\nFT 2 3\n";
        assert_eq!(widest(notes, 9), ["b", "a"].map(PathBuf::from), "c reaches nothing that b does not");
        assert_eq!(widest(notes, 1), ["b"].map(PathBuf::from));
    }

    #[test]
    fn the_figures_are_libfuzzers() {
        let said = "#9\tNEW    cov: 17 ft: 20\nstat::number_of_executed_units: 100\n\
            stat::average_exec_per_sec:     50\nstat::new_units_added:          3\n";
        assert_eq!(summary(said).as_deref(), Some("100 cases, 50 a second, 17 edges, 3 new in the corpus"));
    }
}
