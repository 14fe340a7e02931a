//! The parameters of sink URIs and their limits.

use super::{Family, PROTOCOLS, Scheme};
use crate::kafka_options::EVENT_IDS;
use crate::postgres_options::SSL_MODES;
use crate::{Interval, Secret, did_you_mean};

/// A parameter's value.
#[derive(Clone, PartialEq, Debug)]
pub enum ParamValue {
    /// A text.
    Text(String),
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A duration.
    Interval(Interval),
    /// A text not to be shown.
    Secret(Secret),
}

/// What values a parameter takes.
enum Kind {
    Text,
    Secret,
    Bool,
    Int(i64, i64),
    /// Limits in milliseconds.
    Interval(u64, u64),
    Words(&'static [&'static str]),
    /// Only `false`: what it asks for is not implemented, and to do without would be worse than to refuse.
    Never,
    /// No value, for this reason: objects would be less protected than it asks for.
    Refused(&'static str),
}

/// One parameter.
pub(super) struct Spec {
    pub(super) name: &'static str,
    kind: Kind,
    /// What to say when it is used.
    pub(super) warning: Option<&'static str>,
}

impl Spec {
    /// Reads a value; the error says what is wrong with it.
    pub(super) fn read(&self, value: &str) -> Result<ParamValue, String> {
        match self.kind {
            Kind::Text => Ok(ParamValue::Text(value.to_owned())),
            Kind::Secret => Ok(ParamValue::Secret(Secret::new(value.to_owned()))),
            Kind::Bool => match value {
                "true" | "True" | "TRUE" | "t" | "T" | "1" => Ok(ParamValue::Bool(true)),
                "false" | "False" | "FALSE" | "f" | "F" | "0" => Ok(ParamValue::Bool(false)),
                _ => Err(format!("`{value}` is neither `true` nor `false`")),
            },
            Kind::Never => match value {
                "false" | "False" | "FALSE" | "f" | "F" | "0" => Ok(ParamValue::Bool(false)),
                _ => Err("is not implemented yet: rows would really be written".to_owned()),
            },
            Kind::Refused(reason) => Err(reason.to_owned()),
            Kind::Int(min, max) => match value.parse::<i64>() {
                Ok(n) if (min..=max).contains(&n) => Ok(ParamValue::Int(n)),
                Ok(n) => Err(format!("{n} is not within {min} to {max}")),
                Err(_) => Err(format!("`{value}` is no whole number from {min} to {max}")),
            },
            Kind::Interval(min_ms, max_ms) => {
                let interval = value.parse::<Interval>()?;
                let (min, max) = (Interval::from_millis(min_ms), Interval::from_millis(max_ms));
                if (min..=max).contains(&interval) {
                    return Ok(ParamValue::Interval(interval));
                }
                Err(format!("{interval} is not within {min} to {max}"))
            }
            Kind::Words(words) => {
                let lower = value.to_ascii_lowercase();
                if words.contains(&lower.as_str()) {
                    return Ok(ParamValue::Text(lower));
                }
                let meant = did_you_mean(&lower, words.iter().copied()).map(|w| format!("did you mean `{w}`?"));
                let hint = meant.unwrap_or_else(|| format!("one of {}", words.join(", ")));
                Err(format!("`{value}` is not known; {hint}"))
            }
        }
    }
}

const fn spec(name: &'static str, kind: Kind) -> Spec {
    Spec { name, kind, warning: None }
}

const fn later(name: &'static str, kind: Kind) -> Spec {
    Spec { name, kind, warning: Some("is not implemented yet and has no effect") }
}

const fn idle(name: &'static str, kind: Kind) -> Spec {
    Spec { name, kind, warning: Some("is accepted without effect") }
}

/// Longest duration a parameter takes: a day.
const DAY_MS: u64 = 86_400_000;
/// Greatest message or file size that makes sense to anybody.
const BYTES_MAX: i64 = 1 << 40;

/// Of every family.
const SHARED: &[Spec] =
    &[spec("protocol", Kind::Words(PROTOCOLS)), spec("transaction-atomicity", Kind::Words(&["", "none", "table"]))];

const MYSQL: &[Spec] = &[
    spec("worker-count", Kind::Int(1, 1024)),
    later("max-txn-row", Kind::Int(1, 2048)),
    later("max-multi-update-row", Kind::Int(1, 256)),
    later("max-multi-update-row-size", Kind::Int(0, 8192)),
    spec("tidb-txn-mode", Kind::Words(&["", "optimistic", "pessimistic"])),
    spec("ssl-ca", Kind::Text),
    spec("ssl-cert", Kind::Text),
    spec("ssl-key", Kind::Text),
    later("time-zone", Kind::Text),
    spec("read-timeout", Kind::Interval(1, DAY_MS)),
    spec("write-timeout", Kind::Interval(1, DAY_MS)),
    spec("timeout", Kind::Interval(1, DAY_MS)),
    later("async-ddl-timeout", Kind::Interval(1, DAY_MS)),
    spec("safe-mode", Kind::Bool),
    spec("batch-dml-enable", Kind::Bool),
    spec("multi-stmt-enable", Kind::Bool),
    idle("cache-prep-stmts", Kind::Bool),
    later("has-vector-type", Kind::Bool),
    idle("enable-ddl-ts", Kind::Bool),
    idle("where-clause", Kind::Words(&["v1", "v2"])),
    spec("dry-run", Kind::Never),
    later("dry-run-delay", Kind::Int(0, 3_600_000)),
    later("dry-run-block-interval", Kind::Int(0, 86_400)),
];

const POSTGRES: &[Spec] = &[
    spec("worker-count", Kind::Int(1, 1024)),
    spec("sslmode", Kind::Words(SSL_MODES)),
    spec("sslrootcert", Kind::Text),
    spec("sslcert", Kind::Text),
    spec("sslkey", Kind::Text),
    spec("read-timeout", Kind::Interval(1, DAY_MS)),
    spec("write-timeout", Kind::Interval(1, DAY_MS)),
    spec("timeout", Kind::Interval(1, DAY_MS)),
    spec("safe-mode", Kind::Bool),
    spec("batch-dml-enable", Kind::Bool),
    spec("rows-per-statement", Kind::Int(1, 65_536)),
    spec("zero-dates", Kind::Words(&["refuse", "null"])),
    spec("bit-type", Kind::Words(&["numeric", "bit"])),
];

const KAFKA: &[Spec] = &[
    spec("partition-num", Kind::Int(1, 100_000)),
    spec("replication-factor", Kind::Int(1, 32_767)),
    spec("kafka-version", Kind::Text),
    spec("max-message-bytes", Kind::Int(1, BYTES_MAX)),
    spec("max-retry", Kind::Int(0, 1_000_000)),
    spec("max-batch-size", Kind::Int(1, 65_536)),
    spec("compression", Kind::Words(&["none", "gzip", "snappy", "lz4", "zstd"])),
    spec("kafka-client-id", Kind::Text),
    spec("auto-create-topic", Kind::Bool),
    spec("required-acks", Kind::Int(-1, 1)),
    spec("dial-timeout", Kind::Interval(1, DAY_MS)),
    spec("write-timeout", Kind::Interval(1, DAY_MS)),
    spec("read-timeout", Kind::Interval(1, DAY_MS)),
    spec("enable-tls", Kind::Bool),
    spec("ca", Kind::Text),
    spec("cert", Kind::Text),
    spec("key", Kind::Text),
    spec("insecure-skip-verify", Kind::Bool),
    spec("sasl-user", Kind::Text),
    spec("sasl-password", Kind::Secret),
    spec("sasl-mechanism", Kind::Words(&["plain", "scram-sha-256", "scram-sha-512", "gssapi", "oauthbearer"])),
    spec("sasl-gssapi-auth-type", Kind::Words(&["user", "keytab"])),
    spec("sasl-gssapi-keytab-path", Kind::Text),
    spec("sasl-gssapi-kerberos-config-path", Kind::Text),
    spec("sasl-gssapi-service-name", Kind::Text),
    spec("sasl-gssapi-user", Kind::Text),
    spec("sasl-gssapi-password", Kind::Secret),
    spec("sasl-gssapi-realm", Kind::Text),
    spec("sasl-gssapi-disable-pafxfast", Kind::Bool),
    spec("enable-tidb-extension", Kind::Bool),
    spec("avro-decimal-handling-mode", Kind::Words(&["precise", "string"])),
    spec("avro-bigint-unsigned-handling-mode", Kind::Words(&["long", "string"])),
    spec("avro-include-before-value", Kind::Bool),
    spec("avro-enable-watermark", Kind::Bool),
    spec("schema-registry", Kind::Text),
    spec("only-output-updated-columns", Kind::Bool),
    spec("content-compatible", Kind::Bool),
    spec("debezium-disable-schema", Kind::Bool),
    spec("debezium-include-start-ts", Kind::Bool),
    spec("encoding-format", Kind::Words(&["json", "avro"])),
    spec("output-row-key", Kind::Bool),
    spec("event-id", Kind::Words(EVENT_IDS)),
];

const PULSAR: &[Spec] = &[
    spec("max-message-bytes", Kind::Int(1, BYTES_MAX)),
    spec("enable-tidb-extension", Kind::Bool),
    spec("only-output-updated-columns", Kind::Bool),
    spec("content-compatible", Kind::Bool),
    spec("output-row-key", Kind::Bool),
];

const STORAGE: &[Spec] = &[
    idle("worker-count", Kind::Int(1, 512)),
    spec("flush-interval", Kind::Interval(100, 600_000)),
    spec("file-size", Kind::Int(1024, 512 << 20)),
    spec("zero-dates", Kind::Words(&["refuse", "null"])),
    later("use-table-id-as-path", Kind::Bool),
    idle("spool-disk-quota", Kind::Int(0, BYTES_MAX)),
    idle("spool-base-dir", Kind::Text),
    spec("enable-tidb-extension", Kind::Bool),
    later("output-row-key", Kind::Bool),
];

/// Of `s3`, besides those of every storage.
const S3: &[Spec] = &[
    spec("endpoint", Kind::Text),
    spec("region", Kind::Text),
    spec("access-key", Kind::Secret),
    spec("secret-access-key", Kind::Secret),
    spec("session-token", Kind::Secret),
    spec("force-path-style", Kind::Bool),
    spec("storage-class", Kind::Text),
    spec("sse", Kind::Words(&["aes256", "aws:kms", "aws:kms:dsse"])),
    spec("sse-kms-key-id", Kind::Secret),
    spec("acl", Kind::Refused("is not implemented: give the bucket a policy")),
    spec("role-arn", Kind::Refused("is not implemented: let the server's environment or machine give it the role")),
    spec("external-id", Kind::Refused("is not implemented: let the server's environment or machine give it the role")),
    idle("provider", Kind::Text),
];

/// Of `gcs`.
const GCS: &[Spec] = &[
    spec("endpoint", Kind::Text),
    spec("credentials-file", Kind::Text),
    spec("storage-class", Kind::Text),
    spec("predefined-acl", Kind::Text),
];

/// Of `azblob`.
const AZBLOB: &[Spec] = &[
    spec("endpoint", Kind::Text),
    spec("account-name", Kind::Text),
    spec("account-key", Kind::Secret),
    spec("sas-token", Kind::Secret),
    spec("access-tier", Kind::Text),
    spec("encryption-scope", Kind::Refused("is not implemented: make it the container's default scope")),
];

const fn of(family: Family) -> &'static [Spec] {
    match family {
        Family::Mysql => MYSQL,
        Family::Postgres => POSTGRES,
        Family::Kafka => KAFKA,
        Family::Pulsar => PULSAR,
        Family::Storage => STORAGE,
        Family::Blackhole | Family::Plugin => &[],
    }
}

/// Parameters of one scheme, besides those of its family.
const fn own(scheme: &Scheme) -> &'static [Spec] {
    match scheme {
        Scheme::S3 => S3,
        Scheme::Gcs => GCS,
        Scheme::Azblob => AZBLOB,
        _ => &[],
    }
}

fn all(scheme: &Scheme) -> impl Iterator<Item = &'static Spec> {
    SHARED.iter().chain(of(scheme.family())).chain(own(scheme))
}

/// The parameter with this name. Storage drivers also take names with `_`.
pub(super) fn find(scheme: &Scheme, name: &str) -> Option<&'static Spec> {
    let storage = scheme.family() == Family::Storage;
    let name = if storage { name.to_ascii_lowercase().replace('_', "-") } else { name.to_owned() };
    all(scheme).find(|s| s.name == name)
}

/// The names of a scheme's parameters.
pub(super) fn names(scheme: &Scheme) -> impl Iterator<Item = &'static str> {
    all(scheme).map(|s| s.name)
}
