//! The least position over several connections.

use crate::error::CallFault;
use crate::grant::{EndpointError, EndpointErrorKind, SqlError, SqlErrorKind};
use tg_model::Position;

/// Gathers what the connections of one instance say.
#[derive(Default)]
pub(crate) struct Least {
    at: Option<Position>,
    failed: Option<CallFault>,
}

impl Least {
    pub(crate) fn add<E: Into<CallFault>>(&mut self, answer: Result<Option<Position>, E>) {
        match answer {
            Ok(Some(at)) => self.at = Some(self.at.map_or(at, |before| before.min(at))),
            Ok(None) => {}
            Err(e) => self.failed = Some(e.into()),
        }
    }

    /// The least position; `None`: no connection keeps one. One that failed may hold less than all others.
    pub(crate) fn get(self) -> Result<Option<Position>, CallFault> {
        self.failed.map_or(Ok(self.at), Err)
    }
}

impl From<SqlError> for CallFault {
    fn from(e: SqlError) -> Self {
        let message = e.to_string();
        match e.kind {
            SqlErrorKind::Fenced => Self::Fenced { message },
            SqlErrorKind::Retryable | SqlErrorKind::Unknown => Self::Retryable { message, after_ms: None },
            _ => Self::Fatal { code: "sql".to_owned(), message },
        }
    }
}

/// Of a question, so that an unknown outcome is none.
impl From<EndpointError> for CallFault {
    fn from(e: EndpointError) -> Self {
        let (code, message, after_ms) = (e.code, e.message, e.after_ms);
        match e.kind {
            EndpointErrorKind::Fenced => Self::Fenced { message },
            EndpointErrorKind::Retryable | EndpointErrorKind::Unknown => Self::Retryable { message, after_ms },
            EndpointErrorKind::Fatal => Self::Fatal { code, message },
            EndpointErrorKind::Unsupported => Self::Unsupported { code, message },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Least;
    use crate::CallFault;
    use crate::grant::{SqlError, SqlErrorKind};
    use tg_model::{Position, Ts};

    #[test]
    fn the_least_counts_and_a_failure_hides_all() {
        let at = |ts| Position::rows(Ts::new(ts));
        let mut least = Least::default();
        let answers: [Result<_, SqlError>; 3] = [Ok(Some(at(9))), Ok(None), Ok(Some(at(7)))];
        for answer in answers {
            least.add(answer);
        }
        assert_eq!(least.get(), Ok(Some(at(7))));
        let mut least = Least::default();
        least.add::<SqlError>(Ok(Some(at(9))));
        least.add(Err(SqlError { kind: SqlErrorKind::Fenced, errno: 0, sqlstate: String::new(), message: "x".into() }));
        assert!(matches!(least.get(), Err(CallFault::Fenced { .. })));
    }
}
