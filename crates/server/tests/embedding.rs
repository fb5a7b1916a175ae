//! A host that embeds the library: the library changes no state of the whole process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use jsonwebtoken::crypto::{CryptoProvider, KeyUtils};
use jsonwebtoken::errors::ErrorKind;
use saltmine_server::AppState;
use saltmine_server::{ChatCompletions, ChatCompletionsSettings, Settings, Store};
use std::time::Duration;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    verifier_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    key_utils: KeyUtils::new_unimplemented(),
};

#[tokio::test]
async fn no_provider_is_installed_for_the_process() {
    let settings = ChatCompletionsSettings {
        url: "https://127.0.0.1:9/v1/chat/completions".parse().unwrap(),
        key: None,
        model: "m".to_owned(),
        time_limit: Duration::from_secs(1),
    };
    ChatCompletions::new(settings).unwrap();
    let store = Store::open("sqlite::memory:").await.unwrap();
    let settings = Settings::new("a secret that has more than thirty-two characters".into());
    AppState::builder(settings, store).build().unwrap();
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
    assert!(PROVIDER.install_default().is_ok());
}
