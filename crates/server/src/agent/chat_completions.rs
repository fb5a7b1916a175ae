//! The agent that requests chat completions from another service, in the format of OpenAI.

use super::{Agent, AgentError, Message, Reply};
use crate::Secret;
use crate::trace_context::TraceContext;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use reqwest::{Client, Response, Url, header};
use rustls_platform_verifier::BuilderVerifierExt;
use serde::{Deserialize, Serialize};
use sse_stream::SseByteStream;
use std::sync::Arc;
use std::time::Duration;

/// The time limit of the connection to the service.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// The maximum size of a response, in bytes: far more than any model writes.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The maximum number of characters of an error's body in the log.
const SHOWN_CHARACTERS: usize = 500;

/// The settings of the service.
// No `Debug`: the address may contain a key.
#[derive(Clone)]
pub struct ChatCompletionsSettings {
    /// The URL, including `/chat/completions`.
    pub url: Url,
    /// Sent as `Authorization: Bearer …`.
    pub key: Option<Secret>,
    /// The model to request.
    pub model: String,
    /// The time limit of a complete reply.
    pub time_limit: Duration,
}

/// An agent that sends the conversation to a service, and returns the reply while the service writes it.
pub struct ChatCompletions {
    client: Client,
    settings: ChatCompletionsSettings,
}

impl ChatCompletions {
    /// Returns an agent for the service of these settings.
    ///
    /// # Errors
    ///
    /// If this machine's certificates cannot be read. The error is a text.
    pub fn new(settings: ChatCompletionsSettings) -> Result<Self, AgentError> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls().map_err(|error| AgentError(with_causes(&error)))?)
            .connect_timeout(CONNECT_TIME)
            .timeout(settings.time_limit)
            // The key is only for this service, and must not be sent to the target of a redirect.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("saltmine-server/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| AgentError(with_causes(&error)))?;
        Ok(Self { client, settings })
    }
}

/// Returns the TLS settings of the client: this machine's certificates, with a separate crypto provider. The provider of the
/// whole process belongs to the application that embeds this library.
pub(crate) fn tls() -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    Ok(config)
}

#[derive(Serialize)]
struct Question<'a> {
    model: &'a str,
    messages: &'a [Message],
    stream: bool,
}

/// A part of the response, or the whole response of a service that does not stream.
#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
    error: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Choice {
    /// A part of the response, from a service that streams.
    delta: Option<Delta>,
    /// The whole response, from a service that does not stream. Some services send both members.
    message: Option<Delta>,
    finish_reason: Option<String>,
}

impl Choice {
    /// Returns the text of a part, or of the whole response.
    fn content(self) -> Option<String> {
        let content = |delta: Option<Delta>| delta.and_then(|delta| delta.content);
        content(self.delta).or_else(|| content(self.message))
    }
}

#[derive(Deserialize)]
struct Delta {
    content: Option<String>,
}

impl Agent for ChatCompletions {
    fn reply(&self, messages: Vec<Message>) -> Reply {
        let Self { client, settings } = self;
        let question = Question { model: &settings.model, messages: &messages, stream: true };
        let body = serde_json::to_vec(&question).expect("texts are always JSON");
        let mut request = client
            .post(settings.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "text/event-stream")
            .headers(TraceContext::outgoing_headers())
            .body(body);
        if let Some(key) = &settings.key {
            request = request.bearer_auth(key.reveal());
        }
        stream::once(async move {
            let response = request.send().await.map_err(failed)?;
            answer(response).await
        })
        .try_flatten()
        .boxed()
    }
}

async fn answer(response: Response) -> Result<BoxStream<'static, Result<String, AgentError>>, AgentError> {
    let status = response.status();
    if !status.is_success() {
        let text: String = text(response).await?.chars().take(SHOWN_CHARACTERS).collect();
        return Err(AgentError(format!("the service responded with {status}: {text}")));
    }
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|value| value.starts_with("text/event-stream")) {
        let completion = read(&text(response).await?)?;
        let content = completion.choices.into_iter().next().and_then(Choice::content);
        let content = content.ok_or_else(|| AgentError("the response has no content".to_owned()))?;
        return Ok(stream::iter([Ok(content)]).boxed());
    }
    Ok(pieces(response).boxed())
}

/// Returns the contents of the events, until an event marks the reply as complete.
fn pieces(response: Response) -> impl futures_util::Stream<Item = Result<String, AgentError>> + Send {
    let events = SseByteStream::new(limited(response)).map_err(|error| AgentError(with_causes(&error)));
    stream::try_unfold((events.boxed(), false), async |(mut events, mut finished)| {
        loop {
            let Some(event) = events.try_next().await? else {
                let broken = AgentError("the response ended before the reply was complete".to_owned());
                return if finished { Ok(None) } else { Err(broken) };
            };
            let data = event.data.unwrap_or_default();
            match data.trim() {
                "" => continue,
                "[DONE]" => return Ok(None),
                data => {
                    let Some(choice) = read(data)?.choices.into_iter().next() else { continue };
                    finished |= choice.finish_reason.is_some();
                    if let Some(content) = choice.content()
                        && !content.is_empty()
                    {
                        return Ok(Some((content, (events, finished))));
                    }
                }
            }
        }
    })
}

fn read(json: &str) -> Result<Completion, AgentError> {
    let completion: Completion = serde_json::from_str(json)
        .map_err(|error| AgentError(format!("the response cannot be read: {error}")))?;
    match completion.error {
        Some(error) => Err(AgentError(format!("the service responded with an error: {error}"))),
        None => Ok(completion),
    }
}

async fn text(response: Response) -> Result<String, AgentError> {
    let bytes = limited(response).map_err(|error| AgentError(with_causes(&error)));
    let bytes: Vec<u8> =
        bytes.try_fold(Vec::new(), async |all, bytes| Ok([all, bytes.to_vec()].concat())).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns the body, with an error at the end if it is too long.
fn limited(
    response: Response,
) -> impl futures_util::Stream<Item = Result<axum::body::Bytes, std::io::Error>> + Send {
    let mut left = MAX_BYTES;
    response.bytes_stream().map(move |bytes| {
        let bytes = bytes.map_err(std::io::Error::other)?;
        left =
            left.checked_sub(bytes.len()).ok_or_else(|| std::io::Error::other("the response is too long"))?;
        Ok(bytes)
    })
}

fn failed(error: reqwest::Error) -> AgentError {
    // The address may contain a key.
    AgentError(with_causes(&error.without_url()))
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}
