//! Settings of the client library.

use crate::fault::{Fault, FaultKind};
use crate::target::{Acks, KafkaTarget, Sasl};
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use std::path::Path;
use std::time::Duration;

/// How long a message, or a transaction, may take before it is given up and sent again.
pub(crate) const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(60);
/// Messages wait for others so long: a batch is worth more than these milliseconds.
const LINGER_MS: &str = "2";
/// Longest pause between two tries to reach a broker.
const RECONNECT_MAX_MS: &str = "2000";
/// What the library's own bound on its queue is set to. The bound that counts is [`crate::link::IN_FLIGHT_BYTES_MAX`].
const QUEUE_KBYTES_MAX: &str = "1048576";
/// Least and greatest `message.max.bytes` the library takes.
const MESSAGE_BYTES: (u32, u32) = (1_000, 1_000_000_000);
/// Consumers that only assign need a group's name, and never join it.
const GROUP: &str = "tidegate";

fn base(target: &KafkaTarget) -> ClientConfig {
    let mut c = ClientConfig::new();
    c.set_log_level(RDKafkaLogLevel::Notice);
    c.set("bootstrap.servers", target.brokers.join(","));
    c.set("client.id", &target.client_id);
    c.set("socket.connection.setup.timeout.ms", millis(target.dial_timeout.max(Duration::from_secs(1))));
    c.set("socket.keepalive.enable", "true");
    c.set("reconnect.backoff.max.ms", RECONNECT_MAX_MS);
    c.set("reconnect.backoff.ms", "50");
    let protocol = match (&target.sasl, &target.tls) {
        (None, None) => "plaintext",
        (None, Some(_)) => "ssl",
        (Some(_), None) => "sasl_plaintext",
        (Some(_), Some(_)) => "sasl_ssl",
    };
    c.set("security.protocol", protocol);
    let mut login = |mechanism: &str, user: &str, password: &str| {
        c.set("sasl.mechanism", mechanism).set("sasl.username", user).set("sasl.password", password);
    };
    match &target.sasl {
        None => {}
        Some(Sasl::Plain(user, password)) => login("PLAIN", user, password.expose()),
        Some(Sasl::ScramSha256(user, password)) => login("SCRAM-SHA-256", user, password.expose()),
        Some(Sasl::ScramSha512(user, password)) => login("SCRAM-SHA-512", user, password.expose()),
        Some(Sasl::Oauth(_)) => {
            c.set("sasl.mechanism", "OAUTHBEARER");
        }
    }
    if let Some(tls) = &target.tls {
        let text = |path: &Path| path.display().to_string();
        if let Some(ca) = &tls.ca {
            c.set("ssl.ca.location", text(ca));
        }
        if let Some((certificate, key)) = &tls.identity {
            c.set("ssl.certificate.location", text(certificate)).set("ssl.key.location", text(key));
        }
        if tls.skip_verify {
            c.set("enable.ssl.certificate.verification", "false");
        }
    }
    c
}

fn millis(wait: Duration) -> String {
    wait.as_millis().to_string()
}

/// A producer's settings. With a transactional id it writes in transactions.
pub(crate) fn producer(target: &KafkaTarget, transactional_id: Option<&str>) -> ClientConfig {
    let mut c = base(target);
    let (least, most) = MESSAGE_BYTES;
    c.set("message.max.bytes", target.max_message_bytes.clamp(least, most).to_string());
    c.set("compression.type", &target.compression);
    c.set("linger.ms", LINGER_MS);
    c.set("batch.num.messages", "100000");
    c.set("queue.buffering.max.messages", "0");
    c.set("queue.buffering.max.kbytes", QUEUE_KBYTES_MAX);
    c.set("message.timeout.ms", millis(TRANSACTION_TIMEOUT));
    match target.acks {
        Acks::All => c.set("acks", "all").set("enable.idempotence", "true"),
        Acks::Leader => c.set("acks", "1").set("max.in.flight.requests.per.connection", "1"),
        Acks::Nobody => c.set("acks", "0").set("max.in.flight.requests.per.connection", "1"),
    };
    if let Some(id) = transactional_id {
        c.set("transactional.id", id).set("transaction.timeout.ms", millis(TRANSACTION_TIMEOUT));
    }
    c
}

/// The settings of a consumer that asks for metadata, and makes no topic by asking. It sees what is not committed too.
pub(crate) fn asker(target: &KafkaTarget) -> ClientConfig {
    let mut c = base(target);
    c.set("isolation.level", "read_uncommitted");
    c
}

/// The settings of a consumer of what is committed.
pub(crate) fn reader(target: &KafkaTarget) -> ClientConfig {
    let mut c = base(target);
    c.set("group.id", GROUP).set("enable.auto.commit", "false").set("auto.offset.reset", "earliest");
    c.set("isolation.level", "read_committed").set("enable.partition.eof", "true");
    c
}

/// What [`rdkafka::admin::AdminClient`] takes.
pub(crate) fn admin(target: &KafkaTarget) -> ClientConfig {
    base(target)
}

/// A client that could not be made. The value of a setting may be secret.
pub(crate) fn not_made(target: &KafkaTarget, e: &KafkaError) -> Fault {
    let reason = match e {
        KafkaError::ClientConfig(_, why, key, _) => format!("{key}: {why}"),
        other => other.to_string(),
    };
    Fault::new(FaultKind::Settings, format!("setting up a client of {}", target.display_name()), reason)
}

#[cfg(test)]
mod tests {
    use super::{asker, not_made, producer, reader};
    use crate::target::{Acks, KafkaTarget, OauthTarget, Sasl, Tls};
    use rdkafka::producer::BaseProducer;
    use tg_plugin::grant::Secret;

    #[test]
    fn the_library_takes_every_combination() {
        let secret = || Secret::new("hunter2");
        let oauth = OauthTarget {
            token_url: "http://127.0.0.1:1/token".to_owned(),
            client_id: "a".to_owned(),
            client_secret: secret(),
            scopes: Vec::new(),
            grant_type: String::new(),
            audience: String::new(),
        };
        let logins = [
            None,
            Some(Sasl::Plain("u".into(), secret())),
            Some(Sasl::ScramSha256("u".into(), secret())),
            Some(Sasl::ScramSha512("u".into(), secret())),
            Some(Sasl::Oauth(oauth)),
        ];
        for sasl in logins {
            for tls in [None, Some(Tls { skip_verify: true, ..Tls::default() })] {
                for compression in ["none", "gzip", "snappy", "lz4", "zstd"] {
                    let target = KafkaTarget {
                        brokers: vec!["127.0.0.1:1".to_owned()],
                        compression: compression.to_owned(),
                        sasl: sasl.clone(),
                        tls: tls.clone(),
                        ..KafkaTarget::default()
                    };
                    for id in [None, Some("x")] {
                        producer(&target, id).create_native_config().unwrap();
                    }
                    reader(&target).create_native_config().unwrap();
                    asker(&target).create_native_config().unwrap();
                }
            }
        }
        for acks in [Acks::Leader, Acks::Nobody] {
            producer(&KafkaTarget { acks, ..KafkaTarget::default() }, None).create::<BaseProducer>().unwrap();
        }
    }

    #[test]
    fn errors_hold_no_secret() {
        let sasl = Some(Sasl::Plain("u".into(), Secret::new("hunter2")));
        let target = KafkaTarget { sasl, compression: "best".into(), ..KafkaTarget::default() };
        assert!(!format!("{target:?}").contains("hunter2"));
        let e = producer(&target, None).create::<BaseProducer>().err().unwrap();
        let fault = not_made(&target, &e);
        assert!(fault.to_string().contains("compression"), "{fault}");
    }
}
