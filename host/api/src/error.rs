//! Errors of the API and how TiCDC's clients see them.

use crate::codes;
use axum::http::StatusCode;
use tg_config::ConfigError;
use tg_model::{Code, Coded, Ts};

/// Why a request was not done.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ApiError {
    /// There is no such changefeed.
    #[error("changefeed not exists, {name}")]
    NotFound {
        /// The name asked for.
        name: String,
    },
    /// The name is taken.
    #[error("changefeed already exists, {name}")]
    AlreadyExists {
        /// The name.
        name: String,
    },
    /// Something in the request is malformed.
    #[error("{reason}")]
    InvalidParam {
        /// What and why.
        reason: String,
    },
    /// A sink URI is missing or cannot be used.
    #[error("sink uri invalid '{uri}': {reason}")]
    SinkUri {
        /// The URI, masked.
        uri: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The changefeed cannot be changed so, or not now.
    #[error("changefeed update error: {reason}")]
    UpdateRefused {
        /// Why.
        reason: String,
    },
    /// The target does not lie above the start.
    #[error("target ts {target_ts} is not above start ts {start_ts}")]
    TargetBeforeStart {
        /// Start.
        start_ts: Ts,
        /// Target.
        target_ts: Ts,
    },
    /// The start is lost to the upstream's garbage collection.
    #[error("start ts {start_ts} is older than the upstream keeps data for (gc safepoint {safepoint_ts})")]
    StartBeforeGc {
        /// Start.
        start_ts: Ts,
        /// What is kept begins here.
        safepoint_ts: Ts,
    },
    /// Tables without a usable key are within the filter.
    #[error("{count} tables have no usable key, the first is {first}")]
    TableIneligible {
        /// How many.
        count: usize,
        /// One of them.
        first: String,
    },
    /// There is no such node.
    #[error("capture not exists, {name}")]
    CaptureNotFound {
        /// Its id.
        name: String,
    },
    /// The cluster does not work.
    #[error("the cluster is not healthy: {reason}")]
    Unhealthy {
        /// Why.
        reason: String,
    },
    /// A part of the server refuses what was asked for, and will again.
    #[error("{message}")]
    Rejected {
        /// The code of that part's error.
        code: Code,
        /// Its message.
        message: String,
    },
    /// A part of the server failed.
    #[error("{message}")]
    Failed {
        /// The code of that part's error.
        code: Code,
        /// Its message.
        message: String,
        /// Trying again later may work.
        retryable: bool,
    },
}

impl ApiError {
    /// An error of another part of the server.
    pub fn failed(error: &impl Coded) -> Self {
        Self::Failed { code: error.code(), message: error.to_string(), retryable: error.is_retryable() }
    }

    /// The name that TiCDC has for it; empty when it has none.
    #[must_use]
    pub const fn cdc_code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "CDC:ErrChangeFeedNotExists",
            Self::AlreadyExists { .. } => "CDC:ErrChangeFeedAlreadyExists",
            Self::InvalidParam { .. } | Self::Rejected { .. } => "CDC:ErrAPIInvalidParam",
            Self::SinkUri { .. } => "CDC:ErrSinkURIInvalid",
            Self::Config(error) => match error {
                ConfigError::BadUri { .. }
                | ConfigError::UnknownScheme { .. }
                | ConfigError::UnknownParam { .. }
                | ConfigError::BadParam { .. } => "CDC:ErrSinkURIInvalid",
                _ => "CDC:ErrInvalidReplicaConfig",
            },
            Self::UpdateRefused { .. } => "CDC:ErrChangefeedUpdateRefused",
            Self::TargetBeforeStart { .. } => "CDC:ErrTargetTsBeforeStartTs",
            Self::StartBeforeGc { .. } => "CDC:ErrStartTsBeforeGC",
            Self::TableIneligible { .. } => "CDC:ErrTableIneligible",
            Self::CaptureNotFound { .. } => "CDC:ErrCaptureNotExist",
            Self::Unhealthy { .. } => "CDC:ErrClusterIsUnhealthy",
            Self::Failed { .. } => "",
        }
    }

    /// The HTTP status. A changefeed that exists already is a 500 because that is what TiCDC answers.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::AlreadyExists { .. } | Self::Unhealthy { .. } | Self::Failed { .. } => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The message as TiCDC's clients print it: its code in brackets, then the text.
    #[must_use]
    pub fn message(&self) -> String {
        match self.cdc_code() {
            "" => format!("[{}]{self}", self.code()),
            name => format!("[{name}]{self}"),
        }
    }

    /// What to do about it; empty when the code is not one of ours.
    #[must_use]
    pub fn action(&self) -> &'static str {
        let pages = codes::CODES.iter().chain(tg_config::CODES);
        pages.into_iter().find(|p| p.code == self.code()).map_or("", |p| p.action)
    }
}

impl Coded for ApiError {
    fn code(&self) -> Code {
        Code(match self {
            Self::NotFound { .. } => 6101,
            Self::AlreadyExists { .. } => 6102,
            Self::InvalidParam { .. } => 6103,
            Self::SinkUri { .. } => 6104,
            Self::UpdateRefused { .. } => 6105,
            Self::TargetBeforeStart { .. } => 6106,
            Self::StartBeforeGc { .. } => 6107,
            Self::TableIneligible { .. } => 6108,
            Self::CaptureNotFound { .. } => 6109,
            Self::Unhealthy { .. } => 6110,
            Self::Config(error) => return error.code(),
            Self::Rejected { code, .. } | Self::Failed { code, .. } => return *code,
        })
    }

    fn is_retryable(&self) -> bool {
        matches!(self, Self::Unhealthy { .. } | Self::Failed { retryable: true, .. })
    }
}
