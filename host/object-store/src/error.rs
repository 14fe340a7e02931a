//! What stores answer, sorted by what is to be done about it.

use tg_model::{Code, Coded};
use tg_plugin::grant::{EndpointError, EndpointErrorKind};

/// Longest text of a cause that is shown.
const CAUSE_CHARS_MAX: usize = 300;

/// An error of an object store or of the way to it. `what`: the operation and the place.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[expect(missing_docs, reason = "fields are named in the messages")]
pub enum StoreError {
    /// Nothing took effect.
    #[error("{what}: the object store is not available: {cause}")]
    Unavailable { what: String, cause: String },
    /// It may have taken effect.
    #[error("{what}: the outcome is not known: {cause}")]
    Unknown { what: String, cause: String },
    /// No such bucket or folder.
    #[error("{what}: there is no such bucket or folder: {cause}")]
    NoBucket { what: String, cause: String },
    /// No right to do it.
    #[error("{what}: it is not allowed: {cause}")]
    Denied { what: String, cause: String },
    /// Not known who asks.
    #[error("{what}: the credentials are refused: {cause}")]
    Credentials { what: String, cause: String },
    /// The clock is off.
    #[error("{what}: this machine's clock differs too much from the store's: {cause}")]
    Clock { what: String, cause: String },
    /// The store does not do that.
    #[error("{what}: it is refused: {cause}")]
    Refused { what: String, cause: String },
    /// The target cannot be set up.
    #[error("{what}: {cause}")]
    Setup { what: String, cause: String },
}

impl Coded for StoreError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Unavailable { .. } => 3301,
            Self::Unknown { .. } => 3302,
            Self::NoBucket { .. } => 3304,
            Self::Denied { .. } => 3305,
            Self::Credentials { .. } => 3306,
            Self::Clock { .. } => 3307,
            Self::Refused { .. } => 3308,
            Self::Setup { .. } => 3309,
        })
    }

    fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Unknown { .. } | Self::Clock { .. })
    }
}

impl From<StoreError> for EndpointError {
    fn from(e: StoreError) -> Self {
        let kind = match &e {
            StoreError::Unavailable { .. } | StoreError::Clock { .. } => EndpointErrorKind::Retryable,
            StoreError::Unknown { .. } => EndpointErrorKind::Unknown,
            _ => EndpointErrorKind::Fatal,
        };
        // The message carries the code too: what may be tried again is passed on as a message only.
        Self::new(kind, &e.code().to_string(), format!("{e} ({})", e.code()))
    }
}

/// A text without control characters, secrets, and what URLs ask for (tokens and signatures may be there), cut to a readable length.
pub(crate) fn shown(text: &str, secrets: &[String]) -> String {
    let mut text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    for secret in secrets {
        text = text.replace(secret.as_str(), "***");
    }
    let plain = |word: &str| match word.split_once('?') {
        Some((url, _)) if url.contains("://") => url.to_owned(),
        _ => word.to_owned(),
    };
    let words: Vec<String> = text.split_whitespace().map(plain).collect();
    words.join(" ").chars().take(CAUSE_CHARS_MAX).collect()
}

/// Sorts the answer of a server: `status`, and the store's own word and message for it.
pub(crate) fn of_answer(what: String, status: u16, word: &str, message: &str, secrets: &[String]) -> StoreError {
    let cause = match (word, message) {
        ("", _) => format!("status {status}"),
        (word, "") => format!("{word} (status {status})"),
        (word, message) => format!("{word}: {message} (status {status})"),
    };
    let cause = shown(&cause, secrets);
    // Azure has one word for everything that is wrong with who asks.
    let skewed = word == "AuthenticationFailed" && message.contains("date header too old");
    let unknown = status == 403 && message.starts_with("Server failed to authenticate");
    match (word, status) {
        _ if skewed => StoreError::Clock { what, cause },
        _ if unknown => StoreError::Credentials { what, cause },
        ("RequestTimeTooSkewed", _) => StoreError::Clock { what, cause },
        ("NoSuchBucket" | "ContainerNotFound" | "ContainerBeingDeleted" | "PermanentRedirect", _) | (_, 301 | 307) => {
            StoreError::NoBucket { what, cause }
        }
        ("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "ExpiredToken" | "InvalidToken", _)
        | ("AuthenticationFailed" | "InvalidAuthenticationInfo", _)
        | (_, 401) => StoreError::Credentials { what, cause },
        (_, 403 | 405) => StoreError::Denied { what, cause },
        (_, 408 | 429 | 500..) => StoreError::Unavailable { what, cause },
        _ => StoreError::Refused { what, cause },
    }
}

/// Sorts an error of the file system.
pub(crate) fn of_io(what: String, e: &std::io::Error) -> StoreError {
    use std::io::ErrorKind as K;
    let cause = e.to_string();
    match e.kind() {
        K::PermissionDenied | K::ReadOnlyFilesystem => StoreError::Denied { what, cause },
        K::NotFound | K::NotADirectory | K::AlreadyExists => StoreError::NoBucket { what, cause },
        K::InvalidFilename | K::InvalidInput | K::IsADirectory => StoreError::Refused { what, cause },
        _ => StoreError::Unavailable { what, cause },
    }
}

#[cfg(test)]
mod tests {
    use super::{StoreError, of_answer, of_io, shown};
    use tg_model::Coded;
    use tg_plugin::grant::{EndpointError, EndpointErrorKind};

    #[test]
    fn answers_are_sorted_by_what_to_do() {
        for (status, word, code) in [
            (403, "RequestTimeTooSkewed", 3307),
            (403, "SignatureDoesNotMatch", 3306),
            (403, "AccessDenied", 3305),
            (403, "", 3305),
            (404, "NoSuchBucket", 3304),
            (404, "ContainerNotFound", 3304),
            (403, "AuthenticationFailed", 3306),
            (403, "AuthorizationPermissionMismatch", 3305),
            (401, "", 3306),
            (503, "SlowDown", 3301),
            (500, "", 3301),
            (400, "InvalidArgument", 3308),
        ] {
            let error = of_answer("put a".to_owned(), status, word, "", &[]);
            assert_eq!(error.code().0, code, "{error}");
            assert!(crate::CODES.iter().any(|p| p.code == error.code()));
        }
        let denied = of_io("put a".to_owned(), &std::io::Error::from(std::io::ErrorKind::PermissionDenied));
        assert_eq!(denied.code().0, 3305);
    }

    #[test]
    fn a_secret_in_an_answer_is_not_repeated() {
        let error = of_answer("list".to_owned(), 403, "InvalidAccessKeyId", "no key hunter2", &["hunter2".to_owned()]);
        assert_eq!(error.to_string(), "list: the credentials are refused: InvalidAccessKeyId: no key *** (status 403)");
    }

    #[test]
    fn what_a_url_asks_for_is_not_repeated() {
        let text = shown("error for http://h/c?sv=1&sig=x (is it there?)\r\nsecret", &["secret".to_owned()]);
        assert_eq!(text, "error for http://h/c (is it there?) ***");
    }

    #[test]
    fn a_plugin_is_told_the_code() {
        let lost = StoreError::Unknown { what: "put a".to_owned(), cause: "no answer".to_owned() };
        let e: EndpointError = lost.into();
        assert_eq!(e.kind, EndpointErrorKind::Unknown);
        assert!(e.message.ends_with("(TG-3302)"), "{}", e.message);
    }
}
