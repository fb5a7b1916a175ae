use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// Sessions that are no longer accepted: those of one visitor or of a whole app that began before a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Revocation {
    /// The visitor, as the `sub` of their token; `null` for all visitors of the app.
    #[schema(example = "anon_01234567-89ab-4cde-8f01-23456789abcd")]
    pub(crate) visitor: Option<String>,
    /// Sessions that began before are not accepted.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) not_before: Timestamp,
    /// When this was requested.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: Timestamp,
}
