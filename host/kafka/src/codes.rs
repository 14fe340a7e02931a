//! Help pages of this crate's codes.

use tg_model::{Code, CodePage};

const fn page(code: u16, title: &'static str, cause: &'static str, action: &'static str) -> CodePage {
    CodePage { code: Code(code), title, cause, action }
}

/// One page per kind of [`crate::Fault`].
pub const CODES: &[CodePage] = &[
    page(
        3201,
        "The Kafka brokers are not available for now",
        "None of them can be reached, or an answer did not come in time: they are down, overloaded, or a topic has no leader or too few replicas in sync. Nothing is lost: what was not acknowledged is kept and sent again.",
        "Nothing, if it passes. If it stays, check the addresses in the sink URI, the network, and the state of the topic's partitions.",
    ),
    page(
        3202,
        "A Kafka transaction was undone",
        "The brokers gave a transaction up, or its outcome was not known: it took longer than the brokers allow, or the connection broke while it was committed.",
        "Nothing: the progress topic tells whether it took effect, and if not, it is sent again. If it repeats, look at the load of the brokers.",
    ),
    page(
        3203,
        "Another writer has taken over a Kafka lane",
        "The progress topic holds a newer epoch for this lane: the changefeed was started elsewhere while this writer was cut off or slow.",
        "Nothing: this writer stops and the new one goes on. If two clusters write with the same changefeed name, rename one.",
    ),
    page(
        3204,
        "Kafka denies access",
        "User, password, certificate or mechanism are not accepted, or the user has no right to the topic, to the transactional id (`tidegate-…`) or to the progress topic in the message.",
        "Check the `sasl-…` and TLS options, and grant the rights: write and describe on topics, create where topics are to be made, write and describe on transactional ids with the prefix `tidegate-`, read and write on the progress topic. Without transactions (`[tidegate] exactly-once = false`) the last two are not needed.",
    ),
    page(
        3205,
        "A Kafka topic does not exist",
        "`auto-create-topic` is off, and the topic in the message is not there.",
        "Make the topic, or set `auto-create-topic = true`, then resume the changefeed.",
    ),
    page(
        3206,
        "A Kafka topic cannot be made",
        "The brokers refuse it: more replicas than brokers, a name or a setting that a policy does not allow.",
        "Change `replication-factor` or `partition-num`, or make the topic by hand, then resume the changefeed.",
    ),
    page(
        3207,
        "A message is too large for Kafka",
        "It is larger than `max-message-bytes`, or than the topic's `max.message.bytes`, whichever is less.",
        "Raise both, or set `large-message-handle-option` to `handle-key-only`, so that consumers read large rows from the source.",
    ),
    page(
        3208,
        "A Kafka topic has other partitions than asked for",
        "`partition-num` is greater than the number of partitions that the topic has, or a message is for a partition that is not there.",
        "Add partitions to the topic, or lower or remove `partition-num`. The partitions of existing keys change with the number.",
    ),
    page(
        3209,
        "Kafka settings cannot be used",
        "The client library does not take a value, or a certificate or key cannot be read.",
        "Correct the option that the message names, in the sink URI or in `[sink.kafka-config]`.",
    ),
    page(
        3210,
        "The Kafka progress topic cannot be used",
        "Exactly-once keeps progress in a compacted topic. It is not there and may not be made, has too few partitions, or holds a record of a newer version of Tidegate.",
        "Make the topic in the message with 16 partitions and `cleanup.policy=compact`, or set `[tidegate] exactly-once = false`.",
    ),
];

#[cfg(test)]
mod tests {
    use super::CODES;
    use crate::{Fault, FaultKind as K};
    use tg_model::Coded;

    #[test]
    fn every_kind_has_a_page() {
        let kinds = [
            K::Away,
            K::Undone,
            K::Fenced,
            K::Denied,
            K::NoTopic,
            K::NotMade,
            K::TooLarge,
            K::Partitions,
            K::Settings,
            K::Progress,
        ];
        let codes: Vec<_> = kinds.into_iter().map(|k| Fault::new(k, "", "").code()).collect();
        assert_eq!(codes, CODES.iter().map(|p| p.code).collect::<Vec<_>>());
    }
}
