//! Reads the arguments and the environment: reads values from files, and rejects unknown names.

use super::command::{Command, CommandLine};
use super::{Arguments, ConfigError};
use crate::suggestion::similar;
use clap::builder::Resettable;
use clap::{Arg, CommandFactory, FromArgMatches};
use std::env;
use std::fs;

/// The prefixes of the server's variables. An unknown name with one of these prefixes is an error.
const PREFIXES: [&str; 2] = ["SALTMINE_", "INKEEP_"];

impl Command {
    /// Reads the command line and the environment. A value that may be secret is also read from the file that
    /// `<NAME>_FILE` names. Prints and exits for `--help`, `--version` and a wrong command line.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, a value is given twice, or a variable of the server's own prefixes is not known.
    pub fn read() -> Result<Self, ConfigError> {
        let command = with_values_of_files(CommandLine::command())?;
        // The options of `serve` have every variable: those of the other commands are a part of them.
        let known: Vec<String> = known_names(&Arguments::command());
        let matches = command.get_matches();
        reject_unknown_names(&known)?;
        let line = CommandLine::from_arg_matches(&matches).map_err(|error| error.exit());
        line.map(|line| line.command.unwrap_or_else(|| Self::Serve(Box::new(line.arguments))))
    }
}

/// Returns the variable that an argument is read from.
fn variable(argument: &Arg) -> Option<&str> {
    argument.get_env()?.to_str()
}

/// Returns whether the argument may be secret: its value is not shown in `--help`.
fn may_be_secret(argument: &Arg) -> bool {
    argument.is_hide_env_values_set()
}

fn known_names(command: &clap::Command) -> Vec<String> {
    let names = command.get_arguments().filter_map(|argument| {
        let name = variable(argument)?.to_owned();
        let file = may_be_secret(argument).then(|| format!("{name}_FILE"));
        Some([Some(name), file])
    });
    names.flatten().flatten().collect()
}

/// Gives every argument the value of its file as its default, also in the subcommands.
fn with_values_of_files(command: clap::Command) -> Result<clap::Command, ConfigError> {
    let mut failure = None;
    let mut command = command.mut_args(|argument| {
        let name = variable(&argument).filter(|_| may_be_secret(&argument)).map(str::to_owned);
        match name.map_or(Ok(None), value_of_file) {
            // Not in `--help`, as defaults are. The variable itself is unset or empty: it must not override the file.
            Ok(Some(value)) => argument.env(Resettable::Reset).default_value(value).hide_default_value(true),
            Ok(None) => argument,
            Err(error) => {
                failure = Some(error);
                argument
            }
        }
    });
    if let Some(failure) = failure {
        return Err(failure);
    }
    let names: Vec<String> =
        command.get_subcommands().map(|subcommand| subcommand.get_name().to_owned()).collect();
    for name in names {
        let mut result = Ok(());
        command = command.mut_subcommand(name, |subcommand| {
            let unchanged = subcommand.clone();
            with_values_of_files(subcommand).unwrap_or_else(|error| {
                result = Err(error);
                unchanged
            })
        });
        result?;
    }
    Ok(command)
}

/// Returns the content of the file that `<name>_FILE` names, without the line break at its end.
fn value_of_file(name: String) -> Result<Option<String>, ConfigError> {
    let Some(file) = env::var_os(format!("{name}_FILE")).filter(|file| !file.is_empty()) else {
        return Ok(None);
    };
    // An empty one is as good as none: `${NAME:-}` of a compose file sets it.
    if env::var_os(&name).is_some_and(|value| !value.is_empty()) {
        return Err(ConfigError::GivenTwice { name });
    }
    match fs::read_to_string(&file) {
        // Nothing would turn off what the secret is for.
        Ok(text) if text.trim().is_empty() => {
            Err(ConfigError::EmptyFile { name, file: file.to_string_lossy().into_owned() })
        }
        Ok(text) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned())),
        Err(problem) => Err(ConfigError::UnreadableFile { name, problem }),
    }
}

fn reject_unknown_names(known: &[String]) -> Result<(), ConfigError> {
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut names = names.filter(|name| PREFIXES.iter().any(|prefix| name.starts_with(prefix)));
    match names.find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(name) => {
            let similar = similar(&name, known.iter().map(String::as_str));
            let advice = similar.map_or_else(
                || "see `saltmine-server --help` for all names.".to_owned(),
                |known| format!("did you mean {known}? Correct or remove it."),
            );
            Err(ConfigError::UnknownVariable { name, advice })
        }
    }
}
