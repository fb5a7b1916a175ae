//! Refuses query parameters that a route of the management API does not have.

use super::list::parameters;
use crate::Error;
use crate::suggestion::did_you_mean;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::{OpenApi as Description, RefOr};

/// The query parameters of each route, by its method and its path. A clone shares them.
#[derive(Clone)]
pub(super) struct KnownParameters(Arc<HashMap<(Method, String), Vec<String>>>);

impl KnownParameters {
    /// Reads the parameters from the description of the routes, so that no route needs a second list.
    pub(super) fn of(description: &Description) -> Self {
        let routes = description.paths.paths.iter().flat_map(|(path, item)| {
            let PathItem { get, post, patch, delete, .. } = item;
            let methods = [Method::GET, Method::POST, Method::PATCH, Method::DELETE];
            let operations = methods.into_iter().zip([get, post, patch, delete]);
            operations.filter_map(move |(method, operation)| {
                Some(((method, path.clone()), query_parameters(operation.as_ref()?)))
            })
        });
        Self(Arc::new(routes.collect()))
    }

    fn check(&self, request: &Request) -> Result<(), Error> {
        let Some(path) = request.extensions().get::<MatchedPath>() else { return Ok(()) };
        // A route that supports GET supports HEAD too.
        let method = if request.method() == Method::HEAD { Method::GET } else { request.method().clone() };
        // The route refuses a method that it does not support.
        let Some(known) = self.0.get(&(method, path.as_str().to_owned())) else { return Ok(()) };
        let given = parameters(request.uri())?;
        let mut unknown: Vec<&String> = given.keys().filter(|name| !known.contains(name)).collect();
        // Sorted, so that the same query string has the same error.
        unknown.sort();
        let Some(name) = unknown.first() else { return Ok(()) };
        let suggestion = did_you_mean(name, known.iter().map(String::as_str));
        Err(Error::field(name.as_str(), format!("is not a known query parameter{suggestion}")))
    }
}

fn query_parameters(operation: &Operation) -> Vec<String> {
    let parameters = operation.parameters.iter().flatten();
    let query = parameters.filter_map(|parameter| match parameter {
        RefOr::T(parameter) if matches!(parameter.parameter_in, ParameterIn::Query) => {
            Some(parameter.name.clone())
        }
        _ => None,
    });
    query.collect()
}

/// Refuses a request with an unknown query parameter: a misspelt filter would return the whole list.
pub(super) async fn refuse_unknown(
    State(known): State<KnownParameters>,
    request: Request,
    next: Next,
) -> Response {
    match known.check(&request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}
