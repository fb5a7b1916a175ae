//! Pages of lists.

use crate::Error;
use crate::store::{Page, PageRequest};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::Serialize;
use std::collections::HashMap;
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};

const DEFAULT_LIMIT: u32 = 10;
const MAX_LIMIT: u32 = 100;
const MAX_PAGE: u32 = 1_000_000;

/// What a list is asked for in the query string.
pub(super) struct ListQuery {
    pub(super) page: PageRequest,
    parameters: HashMap<String, String>,
}

/// How [`ListQuery`] is described.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes what `ListQuery` reads")]
pub(super) struct ListParameters {
    /// Which page: 1 is the first and the default.
    #[param(minimum = 1, maximum = 1_000_000)]
    page: Option<u32>,
    /// How many entries a page has: 10 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

impl ListQuery {
    /// Another parameter's value.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }
}

impl<S: Sync> FromRequestParts<S> for ListQuery {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let query = parts.uri.query().unwrap_or_default();
        let mut parameters = HashMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if parameters.insert(name.clone().into_owned(), value.into_owned()).is_some() {
                return Err(Error::field(name, "must be given once"));
            }
        }
        let number = |name: &str, default, max| match parameters.get(name) {
            None => Ok(default),
            Some(text) => {
                let number = text.parse().ok().filter(|number| (1..=max).contains(number));
                number.ok_or_else(|| Error::field(name, format!("must be a whole number from 1 to {max}")))
            }
        };
        let page = PageRequest {
            page: number("page", 1, MAX_PAGE)?,
            limit: number("limit", DEFAULT_LIMIT, MAX_LIMIT)?,
        };
        Ok(Self { page, parameters })
    }
}

/// Where in a list a page is.
#[derive(Serialize, ToSchema)]
pub(super) struct Pagination {
    /// The page.
    page: u32,
    /// How many entries a page has.
    limit: u32,
    /// How many entries there are on all pages.
    total: u64,
    /// How many pages there are.
    pages: u64,
}

impl Pagination {
    pub(super) fn of<T>(request: PageRequest, page: &Page<T>) -> Self {
        let PageRequest { page: number, limit } = request;
        Self { page: number, limit, total: page.total, pages: page.total.div_ceil(limit.into()) }
    }
}
