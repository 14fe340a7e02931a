//! From the library's errors to faults.

use crate::fault::{Fault, FaultKind};
use crate::watch::Watch;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as C};

/// The kind of an error with this code.
pub(crate) const fn kind_of(code: C) -> FaultKind {
    match code {
        C::Authentication
        | C::SaslAuthenticationFailed
        | C::UnsupportedSASLMechanism
        | C::IllegalSASLState
        | C::TopicAuthorizationFailed
        | C::ClusterAuthorizationFailed
        | C::GroupAuthorizationFailed
        | C::TransactionalIdAuthorizationFailed => FaultKind::Denied,
        C::MessageSizeTooLarge | C::InvalidMessageSize | C::MessageBatchTooLarge => FaultKind::TooLarge,
        C::InvalidReplicationFactor
        | C::InvalidPartitions
        | C::InvalidReplicaAssignment
        | C::InvalidTopic
        | C::InvalidConfig
        | C::PolicyViolation => FaultKind::NotMade,
        C::UnknownPartition => FaultKind::Partitions,
        C::InvalidArgument | C::UnsupportedFeature | C::InvalidTransactionTimeout => FaultKind::Settings,
        C::Fenced
        | C::ProducerFenced
        | C::InvalidProducerEpoch
        | C::InvalidProducerIdMapping
        | C::TransactionCoordinatorFenced
        | C::Fatal
        | C::State
        | C::PurgeQueue
        | C::PurgeInflight => FaultKind::Undone,
        _ => FaultKind::Away,
    }
}

/// The code of an error, if it has one.
fn code_of(e: &KafkaError) -> C {
    if let KafkaError::Transaction(inner) = e { inner.code() } else { e.rdkafka_error_code().unwrap_or(C::Fail) }
}

/// A fault from an error of the library. What it says of connections meanwhile tells more than a timeout.
pub(crate) fn fault(e: &KafkaError, watch: &Watch, doing: &str) -> Fault {
    let code = code_of(e);
    let said = if let KafkaError::Transaction(inner) = e { inner.string() } else { e.to_string() };
    told(code, said, watch, doing)
}

/// As [`fault`], of a code.
pub(crate) fn told(code: C, said: String, watch: &Watch, doing: &str) -> Fault {
    let kind = kind_of(code);
    match watch.last() {
        Some((last, reason)) if kind == FaultKind::Away && kind_of(last) == FaultKind::Denied => {
            Fault::new(FaultKind::Denied, doing, reason)
        }
        Some((_, reason)) if kind == FaultKind::Away => Fault::new(kind, doing, format!("{said}; {reason}")),
        _ => Fault::new(kind, doing, said),
    }
}

#[cfg(test)]
mod tests {
    use super::{fault, kind_of};
    use crate::FaultKind;
    use crate::watch::Watch;
    use rdkafka::error::{KafkaError, RDKafkaErrorCode as C};

    #[test]
    fn codes_decide() {
        for (code, kind) in [
            (C::MessageTimedOut, FaultKind::Away),
            (C::NotEnoughReplicas, FaultKind::Away),
            (C::UnknownTopicOrPartition, FaultKind::Away),
            (C::TopicAuthorizationFailed, FaultKind::Denied),
            (C::MessageSizeTooLarge, FaultKind::TooLarge),
            (C::InvalidReplicationFactor, FaultKind::NotMade),
            (C::ProducerFenced, FaultKind::Undone),
        ] {
            assert_eq!(kind_of(code), kind, "{code}");
        }
    }

    #[test]
    fn what_is_known_of_the_connection_explains_a_timeout() {
        let watch = Watch::new(None);
        let timeout = KafkaError::MetadataFetch(C::OperationTimedOut);
        assert_eq!(fault(&timeout, &watch, "asking").kind, FaultKind::Away);
        watch.heard(C::Authentication, "SASL authentication failed");
        let found = fault(&timeout, &watch, "asking");
        assert_eq!(found.kind, FaultKind::Denied);
        assert!(found.to_string().contains("SASL"), "{found}");
    }
}
