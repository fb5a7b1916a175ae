//! A page in Rust that gets a session token and shows until when it is valid.

use saltmine_client::{Client, ClientError, Session};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{HtmlElement, window};

/// Runs when the page has loaded the module.
#[wasm_bindgen(start)]
async fn start() -> Result<(), JsValue> {
    let status: HtmlElement = window()
        .and_then(|window| window.document())
        .and_then(|document| document.get_element_by_id("status"))
        .ok_or("the page has no element #status")?
        .unchecked_into();
    let settings = status.dataset();
    let setting = |name| settings.get(name).ok_or("#status lacks data-api or data-app");
    match session(&setting("api")?, &setting("app")?).await {
        Ok(session) => {
            status.set_text_content(Some(&format!("The session is valid until {}.", session.expires_at)));
        }
        Err(error) => {
            status.set_attribute("role", "alert")?;
            status.set_text_content(Some(&format!("There is no session: {error}.")));
        }
    }
    Ok(())
}

/// Gets a session. A request to the service sends its token: `Authorization: Bearer …`.
async fn session(base_url: &str, app_id: &str) -> Result<Session, ClientError> {
    Client::new(base_url, app_id).session().await
}
