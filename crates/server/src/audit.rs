use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// One call of the management API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditEntry {
    /// `audit_` and 20 of a-z0-9.
    #[schema(example = "audit_0123456789abcdefghij")]
    pub(crate) id: String,
    /// The time of the call.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    /// The role of the caller's key.
    pub(crate) key: ManagementRole,
    /// The address of the caller.
    #[schema(example = "192.0.2.1")]
    pub(crate) address: String,
    /// The method.
    #[schema(example = "POST")]
    pub(crate) method: String,
    /// The path, without the query.
    #[schema(example = "/manage/tenants/default/projects/default/apps")]
    pub(crate) path: String,
    /// The status of the response; `null` while the call runs, and if no response was recorded.
    #[schema(example = 201)]
    pub(crate) status: Option<u16>,
}

/// The role of a management key: the calls that it permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ManagementRole {
    /// Every call.
    Full,
    /// Only calls that change nothing.
    ReadOnly,
}

impl ManagementRole {
    /// Returns the name of the role in JSON and in the database.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::ReadOnly => "read-only",
        }
    }

    /// Returns the role with this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Full, Self::ReadOnly].into_iter().find(|role| role.name() == name)
    }
}
