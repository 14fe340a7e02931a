//! Errors of the library, as errors of the store.

use crate::error::{StoreError, of_answer, shown};
use object_store::Error as LibraryError;
use object_store::client::HttpError;
use std::error::Error;

/// An answer that is not a success.
#[derive(Debug, thiserror::Error)]
#[error("{} (status {status})", if word.is_empty() { "an error" } else { word })]
pub(super) struct Answered {
    pub(super) status: u16,
    /// The store's own word for it; may be empty.
    pub(super) word: String,
    message: String,
}

impl Answered {
    /// `word` where a header says it; otherwise it is in the body, which is XML of S3's kind.
    pub(super) fn new(status: u16, word: Option<&str>, body: &str) -> Self {
        let text = |name: &str| element(body, name).unwrap_or_default().to_owned();
        let word = word.map_or_else(|| text("Code"), str::to_owned);
        let detail = element(body, "AuthenticationErrorDetail").map(|d| format!(" {d}")).unwrap_or_default();
        Self { status, word, message: text("Message") + &detail }
    }

    /// The condition of a put does not hold.
    pub(super) fn conflicts(&self) -> bool {
        let about = |what: &str| self.word.starts_with(what);
        match self.status {
            412 => !about("Lease"),
            // Somebody else writes at this moment, or has written.
            409 => !about("Container") && !about("Account"),
            // No version is there at all.
            404 => !self.no_bucket(),
            _ => false,
        }
    }

    pub(super) fn no_bucket(&self) -> bool {
        matches!(self.word.as_str(), "NoSuchBucket" | "ContainerNotFound")
    }
}

/// A request went out, and no whole answer came.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Lost(#[source] pub(super) HttpError);

/// Nobody gave credentials.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NoCredentials(#[source] pub(super) LibraryError);

/// What lies between the tags of the first element of this name.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = xml.split_once(&format!("<{name}>"))?;
    after.split_once(&format!("</{name}>")).map(|(text, _)| text.trim())
}

fn chain<'a>(e: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(e), |&e| e.source())
}

fn found<'a, E: Error + 'static>(e: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(e).find_map(|e| e.downcast_ref::<E>())
}

/// The answer that is behind an error.
pub(super) fn answer(e: &LibraryError) -> Option<&Answered> {
    // Who gives out credentials answers too.
    if found::<NoCredentials>(e).is_some() { None } else { found::<Answered>(e) }
}

/// Nothing went wrong on the way: the library could not make use of what came, or has no credentials.
pub(super) fn own_words(e: &LibraryError) -> bool {
    found::<HttpError>(e).is_none()
}

/// There is no such object.
pub(super) fn no_object(e: &LibraryError) -> bool {
    match answer(e) {
        Some(answer) => answer.status == 404 && !answer.no_bucket(),
        None => matches!(e, LibraryError::NotFound { .. }),
    }
}

/// Sorts an error of the library.
pub(super) fn of_library(what: String, e: &LibraryError, secrets: &[String]) -> StoreError {
    let root = chain(e).last().map(ToString::to_string).unwrap_or_default();
    let cause = shown(&root, secrets);
    if let Some(none) = found::<NoCredentials>(e) {
        let cause = format!("there are none: {cause}");
        // Whoever gives them out may be away for a moment.
        return match found::<HttpError>(none) {
            Some(_) => StoreError::Unavailable { what, cause },
            None => StoreError::Credentials { what, cause },
        };
    }
    if let Some(answer) = answer(e) {
        return of_answer(what, answer.status, &answer.word, &answer.message, secrets);
    }
    if found::<Lost>(e).is_some() {
        return StoreError::Unknown { what, cause };
    }
    match e {
        LibraryError::InvalidPath { .. } | LibraryError::NotSupported { .. } | LibraryError::NotImplemented { .. } => {
            StoreError::Refused { what, cause }
        }
        _ => StoreError::Unavailable { what, cause },
    }
}

/// The same for the end of an upload, which takes effect or does not. That it is not known any more may be because it was finished.
pub(super) fn of_finish(what: String, e: &LibraryError, secrets: &[String]) -> StoreError {
    let gone = answer(e).is_some_and(|a| matches!(a.word.as_str(), "NoSuchUpload" | "InvalidBlockList"));
    match of_library(what, e, secrets) {
        StoreError::Refused { what, cause } if gone => StoreError::Unknown { what, cause },
        StoreError::Unavailable { what, cause } if own_words(e) => StoreError::Unknown { what, cause },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Answered, Lost, NoCredentials, no_object, of_finish, of_library};
    use object_store::Error as LibraryError;
    use object_store::client::{HttpError, HttpErrorKind};
    use std::error::Error;
    use tg_model::Coded;

    fn generic(source: impl Error + Send + Sync + 'static) -> LibraryError {
        LibraryError::Generic { store: "S3", source: Box::new(source) }
    }

    fn http(source: impl Error + Send + Sync + 'static) -> HttpError {
        HttpError::new(HttpErrorKind::Unknown, source)
    }

    fn code(e: &LibraryError) -> u16 {
        of_library("put a".to_owned(), e, &[]).code().0
    }

    #[test]
    fn an_answer_is_found_behind_the_librarys_errors() {
        let body = "<?xml?><Error><Code>AccessDenied</Code><Message>not you</Message></Error>";
        let error = of_library("put a".to_owned(), &generic(http(Answered::new(403, None, body))), &[]);
        assert_eq!(error.to_string(), "put a: it is not allowed: AccessDenied: not you (status 403)");
        let skewed = Answered::new(
            403,
            Some("AuthenticationFailed"),
            "<Error><AuthenticationErrorDetail>Request date header too old: 'x'</AuthenticationErrorDetail></Error>",
        );
        assert_eq!(code(&generic(http(skewed))), 3307);
        assert_eq!(code(&generic(http(Answered::new(403, Some("AuthenticationFailed"), "")))), 3306);
        assert_eq!(code(&generic(http(Answered::new(404, Some("ContainerNotFound"), "")))), 3304);
    }

    #[test]
    fn what_is_lost_is_told_apart_from_what_was_not_sent() {
        let io = || std::io::Error::other("reset");
        assert_eq!(code(&generic(http(Lost(http(io()))))), 3302);
        assert_eq!(code(&generic(http(io()))), 3301);
    }

    #[test]
    fn without_credentials_it_counts_who_says_so() {
        let away = generic(NoCredentials(generic(http(std::io::Error::other("no route")))));
        assert_eq!(code(&away), 3301);
        assert_eq!(code(&generic(NoCredentials(generic(std::io::Error::other("the role is unknown"))))), 3306);
        let not_there = generic(NoCredentials(generic(http(Answered::new(404, None, "")))));
        assert!(!no_object(&not_there), "the object may be there");
    }

    #[test]
    fn conditions_that_do_not_hold_are_told_apart_from_other_conflicts() {
        for (status, word, conflicts) in [
            (412, "PreconditionFailed", true),
            (409, "BlobAlreadyExists", true),
            (409, "ConditionalRequestConflict", true),
            (404, "NoSuchKey", true),
            (404, "NoSuchBucket", false),
            (409, "ContainerBeingDeleted", false),
            (412, "LeaseIdMissing", false),
            (403, "AccessDenied", false),
        ] {
            assert_eq!(Answered::new(status, Some(word), "").conflicts(), conflicts, "{word}");
        }
    }

    #[test]
    fn the_end_of_an_upload_may_have_been_seen_before() {
        let finish = |e: &LibraryError| of_finish("finish a".to_owned(), e, &[]).code().0;
        assert_eq!(finish(&generic(http(Answered::new(404, Some("NoSuchUpload"), "")))), 3302);
        assert_eq!(finish(&generic(std::io::Error::other("no XML"))), 3302);
        assert_eq!(finish(&generic(http(Answered::new(403, Some("AccessDenied"), "")))), 3305);
    }

    #[test]
    fn no_error_shows_what_a_url_asks_for() {
        let e = generic(std::io::Error::other("GET https://h/c/b?sv=1&sig=abc%3D failed: hunter2"));
        let text = of_library("get b".to_owned(), &e, &["hunter2".to_owned()]).to_string();
        assert!(!text.contains("sig") && !text.contains("hunter2"), "{text}");
        assert!(text.contains("https://h/c/b"), "{text}");
    }
}
