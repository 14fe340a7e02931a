//! The least position over several connections.

use crate::error::CallFault;
use crate::grant::{SqlError, SqlErrorKind};
use tg_model::Position;

/// Gathers what the connections of one instance say.
#[derive(Default)]
pub(crate) struct Least {
    at: Option<Position>,
    failed: Option<SqlError>,
}

impl Least {
    pub(crate) fn add(&mut self, answer: Result<Option<Position>, SqlError>) {
        match answer {
            Ok(Some(at)) => self.at = Some(self.at.map_or(at, |before| before.min(at))),
            Ok(None) => {}
            Err(e) => self.failed = Some(e),
        }
    }

    /// The least position; `None`: no connection keeps one. One that failed may hold less than all others.
    pub(crate) fn get(self) -> Result<Option<Position>, CallFault> {
        let Some(e) = self.failed else { return Ok(self.at) };
        let message = e.to_string();
        Err(match e.kind {
            SqlErrorKind::Fenced => CallFault::Fenced { message },
            SqlErrorKind::Retryable | SqlErrorKind::Unknown => CallFault::Retryable { message, after_ms: None },
            _ => CallFault::Fatal { code: "sql".to_owned(), message },
        })
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
        for answer in [Ok(Some(at(9))), Ok(None), Ok(Some(at(7)))] {
            least.add(answer);
        }
        assert_eq!(least.get(), Ok(Some(at(7))));
        let mut least = Least::default();
        least.add(Ok(Some(at(9))));
        least.add(Err(SqlError { kind: SqlErrorKind::Fenced, errno: 0, sqlstate: String::new(), message: "x".into() }));
        assert!(matches!(least.get(), Err(CallFault::Fenced { .. })));
    }
}
