//! Development mode: generated secrets that are stored, and a demo app.

use crate::{AllowedDomain, App, AppConfig, AppState, Random, StoreError, WebClient, private_file};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::{fmt, fs};

/// The id of the demo app.
pub const DEMO_APP_ID: &str = "app_demo000000000000";

/// The variables whose values are drawn, in the order of [`DrawnSecrets::values`].
const NAMES: [&str; 3] =
    ["INKEEP_POW_HMAC_SECRET", "INKEEP_ANON_JWT_SECRET", "INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET"];

const FILE: &str = "secrets.env";

/// Secrets that were generated, now or at an earlier start.
#[derive(Clone)]
pub struct DrawnSecrets {
    /// The file that keeps them.
    pub file: PathBuf,
    pub(crate) values: [String; 3],
}

impl fmt::Debug for DrawnSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DrawnSecrets").field("file", &self.file).finish_non_exhaustive()
    }
}

/// The reason why there are no generated secrets.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The file cannot be read or written.
    #[error("{} cannot be used ({problem}): make it writable, or set SALTMINE_STATE_DIR to another folder.", file.display())]
    Unusable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        problem: io::Error,
    },
    /// The file holds something else.
    #[error("{} lacks {name}: delete the file to have new secrets drawn.", file.display())]
    Incomplete {
        /// The file.
        file: PathBuf,
        /// The variable that it should hold.
        name: &'static str,
    },
}

/// Returns the secrets stored in `folder`; generates them first if there are none.
///
/// # Errors
///
/// If the file there cannot be used. A file that is damaged is left as it is.
pub fn secrets(folder: &Path, random: &dyn Random) -> Result<DrawnSecrets, SecretsError> {
    let file = folder.join(FILE);
    let text = read_or_draw(folder, &file, random)
        .map_err(|problem| SecretsError::Unusable { file: file.clone(), problem })?;
    let value = |name: &'static str| {
        let values = text.lines().filter_map(|line| line.split_once('='));
        let value = values.filter(|(key, _)| *key == name).map(|(_, value)| value.trim().to_owned()).next();
        value.filter(|value| !value.is_empty()).ok_or(SecretsError::Incomplete { file: file.clone(), name })
    };
    let values = [value(NAMES[0])?, value(NAMES[1])?, value(NAMES[2])?];
    Ok(DrawnSecrets { file, values })
}

fn read_or_draw(folder: &Path, file: &Path, random: &dyn Random) -> io::Result<String> {
    match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        result => return result,
    }
    let mut text = String::from(
        "# Drawn at random by saltmine-server, for development only. Delete this file to have new ones drawn.\n",
    );
    for name in NAMES {
        text += &format!("{name}={}\n", random.lowercase(48)?);
    }
    // A folder that was there before has a `.gitignore` of its own, or needs none.
    let is_new = !folder.exists();
    fs::create_dir_all(folder)?;
    if is_new {
        match private_file::options().write(true).create_new(true).open(folder.join(".gitignore")) {
            Ok(mut ignored) => ignored.write_all(b"*\n")?,
            // Another process that starts at the same time was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    // Written whole under another name, then given its own if no other process was faster: no one reads a half.
    let draft = folder.join(format!("{FILE}.{}", random.lowercase(12)?));
    let written = write_private(&draft, &text).and_then(|()| match fs::hard_link(&draft, file) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    });
    let _ = fs::remove_file(&draft);
    written?;
    fs::read_to_string(file)
}

/// A new file that only its owner may read.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    private_file::options().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}

/// Makes the demo app, unless it is there: one that was changed stays as it is.
///
/// # Errors
///
/// If the database fails.
pub async fn seed_demo_app(state: &AppState) -> Result<(), StoreError> {
    let domain = |text: &str| -> AllowedDomain { text.parse().expect("the demo's domains are valid") };
    let now = state.clock.now();
    let config = AppConfig::WebClient {
        web_client: WebClient {
            allowed_domains: vec![domain("127.0.0.1"), domain("localhost")],
            allow_anonymous: true,
            public_keys: Vec::new(),
            audience: None,
            pow_version: None,
        },
    };
    let app = App {
        id: DEMO_APP_ID.to_owned(),
        tenant_id: "default".to_owned(),
        project_id: "default".to_owned(),
        name: "Demo".to_owned(),
        description: Some("Made for development.".to_owned()),
        r#type: config.app_type(),
        default_agent_id: None,
        prompt: None,
        enabled: true,
        config,
        last_used_at: None,
        created_at: now,
        updated_at: now,
    };
    state.store.insert_app(&app).await?;
    Ok(())
}
