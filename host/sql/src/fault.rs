//! How an operation on a connection fails.

use tg_model::{Code, Coded};

/// What to do about a fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// Nothing took effect; trying again later may succeed.
    Retryable,
    /// The connection broke while the outcome was open.
    Unknown,
    /// Another writer holds the slot.
    Fenced,
    /// Duplicate key; nothing took effect.
    Duplicate,
    /// The server refuses for good; nothing took effect.
    Refused,
    /// Credentials or rights.
    Denied,
}

/// How far an operation was when it failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Nothing can have taken effect: connecting, reading, a transaction before its COMMIT.
    Undone,
    /// It may have taken effect: COMMIT, DDL.
    Open,
}

impl Phase {
    /// What a lost connection means.
    #[must_use]
    pub const fn lost(self) -> FaultKind {
        match self {
            Self::Undone => FaultKind::Retryable,
            Self::Open => FaultKind::Unknown,
        }
    }
}

/// A failed operation.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{doing}: {message}{}", self.numbers())]
pub struct Fault {
    /// What to do about it.
    pub kind: FaultKind,
    /// The server's number; 0 when the server did not speak.
    pub errno: u16,
    /// Five characters, or empty.
    pub sqlstate: String,
    /// What was being done, and to which server.
    pub doing: String,
    /// The cause, in the server's words if it spoke.
    pub message: String,
}

impl Fault {
    /// A fault that did not come from the server.
    #[must_use]
    pub fn own(kind: FaultKind, doing: &str, message: impl Into<String>) -> Self {
        Self { kind, errno: 0, sqlstate: String::new(), doing: doing.to_owned(), message: message.into() }
    }

    fn numbers(&self) -> String {
        if self.errno == 0 { String::new() } else { format!(" (errno {}, sqlstate {})", self.errno, self.sqlstate) }
    }
}

impl Coded for Fault {
    fn code(&self) -> Code {
        Code(match self.kind {
            FaultKind::Retryable => 3001,
            FaultKind::Unknown => 3002,
            FaultKind::Fenced => 3003,
            FaultKind::Duplicate => 3004,
            FaultKind::Refused => 3005,
            FaultKind::Denied => 3006,
        })
    }

    fn is_retryable(&self) -> bool {
        matches!(self.kind, FaultKind::Retryable | FaultKind::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, FaultKind};
    use tg_model::Coded;

    #[test]
    fn every_kind_has_a_page() {
        use FaultKind::{Denied, Duplicate, Fenced, Refused, Retryable, Unknown};
        for kind in [Retryable, Unknown, Fenced, Duplicate, Refused, Denied] {
            let code = Fault::own(kind, "x", "y").code();
            assert_eq!(crate::codes::CODES.iter().filter(|p| p.code == code).count(), 1);
        }
    }

    #[test]
    fn messages_say_what_and_why() {
        let fault = Fault {
            kind: FaultKind::Duplicate,
            errno: 1062,
            sqlstate: "23000".into(),
            doing: "writing to root@h:1".into(),
            message: "Duplicate entry".into(),
        };
        assert_eq!(fault.to_string(), "writing to root@h:1: Duplicate entry (errno 1062, sqlstate 23000)");
        assert_eq!(Fault::own(FaultKind::Fenced, "a", "b").to_string(), "a: b");
    }
}
