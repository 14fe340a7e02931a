//! SQLSTATEs that decide what happens next.

use tg_sql::FaultKind;

/// A unique key is taken.
const DUPLICATE: &str = "23505";
/// Whether a statement took effect is not known.
const COMPLETION_UNKNOWN: &str = "40003";

/// Single states that pass; whole classes are below.
const RETRYABLE: &[&str] = &[
    "25006", // the server is read only: a standby, or one that is becoming the primary
    "25P03", // idle in a transaction for too long
    "25P04", // the transaction took too long
    "55006", // object in use
    "55P03", // lock not to be had in time
    "57014", // cancelled
    "57P01", // the administrator ended the session
    "57P02", // crash of another session
    "57P03", // the server is starting
    "57P05", // idle session ended
    "58030", // input or output error
];

/// Classes that pass: connections, transactions undone, too few resources.
const RETRYABLE_CLASSES: &[&str] = &["08", "40", "53"];

/// What to do about a state when nothing has taken effect.
pub(crate) fn kind_of(state: &str) -> FaultKind {
    let class = state.get(..2).unwrap_or_default();
    if state == DUPLICATE {
        FaultKind::Duplicate
    } else if class == "28" || state == "42501" {
        FaultKind::Denied
    } else if RETRYABLE_CLASSES.contains(&class) || RETRYABLE.contains(&state) {
        FaultKind::Retryable
    } else {
        FaultKind::Refused
    }
}

/// Whether the outcome is open when this is the answer to COMMIT or a DDL. An ordinary error there undid the transaction; one that
/// ends the session may come after the transaction was committed.
pub(crate) fn leaves_open(state: &str, ends_session: bool) -> bool {
    ends_session || state == COMPLETION_UNKNOWN || state.starts_with("08")
}

#[cfg(test)]
mod tests {
    use super::{kind_of, leaves_open};
    use tg_sql::FaultKind::{Denied, Duplicate, Refused, Retryable};

    #[test]
    fn states_decide() {
        let cases = [
            ("23505", Duplicate),
            ("40001", Retryable),
            ("40P01", Retryable),
            ("55P03", Retryable),
            ("57P01", Retryable),
            ("57P02", Retryable),
            ("57P03", Retryable),
            ("08006", Retryable),
            ("53300", Retryable),
            ("53100", Retryable),
            ("25006", Retryable),
            ("28P01", Denied),
            ("28000", Denied),
            ("42501", Denied),
            ("42P01", Refused),
            ("22P05", Refused),
            ("23502", Refused),
            ("", Refused),
        ];
        for (state, kind) in cases {
            assert_eq!(kind_of(state), kind, "{state}");
        }
    }

    #[test]
    fn only_what_ends_the_session_leaves_a_commit_open() {
        assert!(leaves_open("57P01", true) && leaves_open("08006", false) && leaves_open("40003", false));
        assert!(!leaves_open("40001", false) && !leaves_open("23505", false) && !leaves_open("53100", false));
    }
}
