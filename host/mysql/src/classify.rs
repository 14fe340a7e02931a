//! From the driver's errors to faults.

use crate::errno::{DENIED, DUPLICATE, OPEN_OUTCOME, RETRYABLE};
use mysql_async::{DriverError, Error, IoError, ServerError};
use tg_sql::{Fault, FaultKind, Phase};

/// The kind of a server error.
pub(crate) fn kind_of(errno: u16, phase: Phase) -> FaultKind {
    if errno == 8501 || (phase == Phase::Open && OPEN_OUTCOME.contains(&errno)) {
        FaultKind::Unknown
    } else if DUPLICATE.contains(&errno) {
        FaultKind::Duplicate
    } else if DENIED.contains(&errno) {
        FaultKind::Denied
    } else if RETRYABLE.contains(&errno) {
        FaultKind::Retryable
    } else {
        FaultKind::Refused
    }
}

/// A fault from an error of the driver.
pub(crate) fn fault(error: Error, phase: Phase, doing: &str) -> Fault {
    match error {
        Error::Server(ServerError { code, message, state }) => {
            Fault { kind: kind_of(code, phase), errno: code, sqlstate: state, doing: doing.to_owned(), message }
        }
        Error::Driver(DriverError::PacketTooLarge) => {
            Fault::own(FaultKind::Refused, doing, "a statement is larger than the server's max_allowed_packet")
        }
        Error::Driver(
            e @ (DriverError::UnknownAuthPlugin { .. }
            | DriverError::MysqlOldPasswordDisabled
            | DriverError::NoClientSslFlagFromServer
            | DriverError::CleartextPluginDisabled),
        ) => Fault::own(FaultKind::Denied, doing, e.to_string()),
        Error::Io(IoError::Tls(e)) => Fault::own(FaultKind::Denied, doing, format!("TLS was not agreed upon: {e}")),
        // What TLS refuses comes as invalid data: a certificate nobody vouches for, no common version.
        Error::Io(IoError::Io(e)) if e.kind() == std::io::ErrorKind::InvalidData && phase == Phase::Undone => {
            Fault::own(FaultKind::Denied, doing, format!("TLS was not agreed upon: {e}"))
        }
        // The driver says "Input/output error" twice before it says what happened.
        Error::Io(IoError::Io(e)) => Fault::own(phase.lost(), doing, e.to_string()),
        e => Fault::own(phase.lost(), doing, e.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Phase, fault, kind_of};
    use crate::FaultKind::{Denied, Duplicate, Refused, Retryable, Unknown};
    use mysql_async::{DriverError, Error};

    #[test]
    fn numbers_decide() {
        let cases = [
            (1062, Duplicate, Duplicate),
            (1045, Denied, Denied),
            (1044, Denied, Denied),
            (1205, Retryable, Retryable),
            (1213, Retryable, Retryable),
            (1040, Retryable, Retryable),
            (1290, Retryable, Retryable),
            (9007, Retryable, Retryable),
            (8028, Retryable, Retryable),
            (1053, Retryable, Unknown),
            (2013, Retryable, Unknown),
            (9002, Retryable, Unknown),
            (8501, Unknown, Unknown),
            (1180, Refused, Unknown),
            (1064, Refused, Refused),
            (1146, Refused, Refused),
        ];
        for (errno, undone, open) in cases {
            assert_eq!((kind_of(errno, Phase::Undone), kind_of(errno, Phase::Open)), (undone, open), "{errno}");
        }
    }

    #[test]
    fn a_lost_connection_is_open_only_from_commit_on() {
        let lost = || Error::Driver(DriverError::ConnectionClosed);
        assert_eq!(fault(lost(), Phase::Undone, "x").kind, Retryable);
        assert_eq!(fault(lost(), Phase::Open, "x").kind, Unknown);
        assert_eq!(fault(Error::Driver(DriverError::PacketTooLarge), Phase::Undone, "x").kind, Refused);
    }
}
