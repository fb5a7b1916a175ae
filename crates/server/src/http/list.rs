//! Pages of lists.

use crate::Error;
use crate::store::{Page, PageRequest};
use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use serde::Serialize;
use std::collections::HashMap;
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};

/// The default number of entries on a page of the management API.
const DEFAULT_LIMIT: u32 = 10;
const MAX_LIMIT: u32 = 100;
/// The default number of entries on a page of the run API.
const RUN_DEFAULT_LIMIT: u32 = 20;
const RUN_MAX_LIMIT: u32 = 200;
const MAX_PAGE: u32 = 1_000_000;

/// The query string of a list: its page, and other parameters.
pub(super) struct ListQuery<const DEFAULT: u32 = DEFAULT_LIMIT, const MAX: u32 = MAX_LIMIT> {
    pub(super) page: PageRequest,
    parameters: HashMap<String, String>,
}

/// Describes [`ListQuery`].
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes what `ListQuery` reads")]
pub(super) struct ListParameters {
    /// The page, from 1 (default 1).
    #[param(minimum = 1, maximum = 1_000_000)]
    page: Option<u32>,
    /// The number of entries on a page (default 10).
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// The query string of a list in the run API.
pub(super) type RunListQuery = ListQuery<RUN_DEFAULT_LIMIT, RUN_MAX_LIMIT>;

/// The query string of the messages of a conversation. Widgets send no `limit`: the default is the maximum.
pub(super) type MessagesQuery = ListQuery<RUN_MAX_LIMIT, RUN_MAX_LIMIT>;

/// Describes [`RunListQuery`].
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes what `RunListQuery` reads")]
pub(super) struct RunListParameters {
    /// The page, from 1 (default 1).
    #[param(minimum = 1, maximum = 1_000_000)]
    page: Option<u32>,
    /// The number of entries on a page (default 20).
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Describes [`MessagesQuery`].
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes what `MessagesQuery` reads")]
pub(super) struct MessagesParameters {
    /// The page, from 1 (default 1). Page 1 has the newest messages.
    #[param(minimum = 1, maximum = 1_000_000)]
    page: Option<u32>,
    /// The number of messages on a page (default 200).
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

impl<const DEFAULT: u32, const MAX: u32> ListQuery<DEFAULT, MAX> {
    /// Returns the value of another parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }
}

impl<S: Sync, const DEFAULT: u32, const MAX: u32> FromRequestParts<S> for ListQuery<DEFAULT, MAX> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let parameters = parameters(&parts.uri)?;
        let number = |name: &str, default, max| match parameters.get(name) {
            None => Ok(default),
            Some(text) => {
                let number = text.parse().ok().filter(|number| (1..=max).contains(number));
                number.ok_or_else(|| Error::field(name, format!("must be a whole number from 1 to {max}")))
            }
        };
        let page = PageRequest { page: number("page", 1, MAX_PAGE)?, limit: number("limit", DEFAULT, MAX)? };
        Ok(Self { page, parameters })
    }
}

/// Returns the parameters of a query string, each of which may be given once.
pub(super) fn parameters(uri: &Uri) -> Result<HashMap<String, String>, Error> {
    let mut parameters = HashMap::new();
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if parameters.insert(name.clone().into_owned(), value.into_owned()).is_some() {
            return Err(Error::field(name, "must be given once"));
        }
    }
    Ok(parameters)
}

/// The position of a page in its list.
#[derive(Serialize, ToSchema)]
pub(super) struct Pagination {
    /// The page.
    page: u32,
    /// The number of entries on a page.
    limit: u32,
    /// The number of entries on all pages.
    total: u64,
    /// The number of pages.
    pages: u64,
}

impl Pagination {
    pub(super) fn of<T>(request: PageRequest, page: &Page<T>) -> Self {
        Self::of_total(request, page.total)
    }

    pub(super) fn of_total(request: PageRequest, total: u64) -> Self {
        let PageRequest { page, limit } = request;
        Self { page, limit, total, pages: total.div_ceil(limit.into()) }
    }
}
