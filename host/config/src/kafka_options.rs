//! What a Kafka sink gets in the end: URI over file over default.

use crate::changefeed::{CodecConfig, KafkaConfig, LargeMessageConfig, LargeMessageOption};
use crate::uri::Family;
use crate::{ChangefeedConfig, ConfigError, Interval, Location, Scheme, Secret, SinkUri, StoragePlace, did_you_mean};

/// Port of a broker without one.
const PORT_DEFAULT: u16 = 9092;
/// Limits of how long large messages are kept: clocks differ, and consumers need some time.
const RETENTION_MIN: Interval = Interval::from_secs(60);
const RETENTION_MAX: Interval = Interval::from_secs(10 * 365 * DAY_SECS);
const DAY_SECS: u64 = 86_400;
/// Message formats that topics can have, and their other names.
const FORMATS: &[(&str, &str)] = &[
    ("canal-json", "canal-json"),
    ("open-protocol", "open-protocol"),
    ("default", "open-protocol"),
    ("simple", "simple"),
    ("debezium", "debezium"),
    ("avro", "avro"),
    ("flat-avro", "avro"),
    ("debezium-avro", "debezium-avro"),
];

/// Places of the ids of changes.
pub(crate) const EVENT_IDS: &[&str] = &["none", "message", "header", "both"];

/// How a client of Kafka proves who it is.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are SASL's")]
pub enum KafkaLogin {
    Plain {
        user: String,
        password: Secret,
    },
    ScramSha256 {
        user: String,
        password: Secret,
    },
    ScramSha512 {
        user: String,
        password: Secret,
    },
    Oauth {
        token_url: String,
        client_id: String,
        client_secret: Secret,
        scopes: Vec<String>,
        grant_type: String,
        audience: String,
    },
}

/// Settings of the way to the brokers.
#[derive(Clone, PartialEq, Debug)]
pub struct KafkaLink {
    /// `host:port` of some brokers.
    pub brokers: Vec<String>,
    /// Client id; `None`: the host chooses.
    pub client_id: Option<String>,
    /// -1: all replicas in sync; 1: the leader; 0: nobody.
    pub required_acks: i64,
    /// Compression of batches.
    pub compression: String,
    /// Largest message in bytes.
    pub max_message_bytes: u32,
    /// Make topics that do not exist.
    pub auto_create_topic: bool,
    /// Partitions of a topic; `None`: as it has.
    pub partition_num: Option<u32>,
    /// Copies of a topic that is made.
    pub replication_factor: i16,
    /// Longest wait for a connection.
    pub dial_timeout: Interval,
    /// Longest wait for an answer.
    pub read_timeout: Interval,
    /// Longest wait for a request to be taken.
    pub write_timeout: Interval,
    /// Connect with TLS.
    pub tls: bool,
    /// Path of the CA certificate.
    pub ca: Option<String>,
    /// Paths of the client's certificate and key.
    pub identity: Option<(String, String)>,
    /// Do not check the brokers' certificates.
    pub skip_verify: bool,
    /// Who the client is.
    pub login: Option<KafkaLogin>,
}

/// What is done with rows whose message is too large.
#[derive(Clone, PartialEq, Debug)]
pub enum LargeMessages {
    /// They are refused.
    Refuse,
    /// Their key is sent.
    HandleKeyOnly,
    /// They are stored, and their key and the place are sent.
    ClaimCheck {
        /// Where.
        place: Box<StoragePlace>,
        /// The same for consumers, without credentials.
        shown: String,
        /// Files hold the bare value.
        raw_value: bool,
        /// How long files are kept; `None`: for ever.
        retention: Option<Interval>,
    },
}

/// Settings of a Kafka downstream.
#[derive(Clone, PartialEq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent options, named as users write them")]
pub struct KafkaOptions {
    /// The way to the brokers.
    pub link: KafkaLink,
    /// Default topic.
    pub topic: String,
    /// Message format, by its first name.
    pub protocol: &'static str,
    /// TiDB's own fields.
    pub enable_tidb_extension: bool,
    /// Changes in a message (open-protocol).
    pub max_batch_size: u32,
    /// canal-json as the original writes it.
    pub content_compatible: bool,
    /// Updates carry changed columns only.
    pub only_output_updated_columns: bool,
    /// Deletes carry key columns only.
    pub delete_only_handle_key: bool,
    /// Updates carry the old values (open-protocol, debezium).
    pub output_old_value: bool,
    /// What is done above the limit.
    pub large: LargeMessages,
    /// How each value is compressed by itself: `none`, `snappy` or `lz4`.
    pub value_compression: String,
    /// `json` or `avro` (simple).
    pub encoding_format: String,
    /// Leave the `schema` member out (debezium).
    pub debezium_disable_schema: bool,
    /// The source block carries the start-ts (debezium).
    pub debezium_include_start_ts: bool,
    /// `precise` or `string`.
    pub avro_decimal: String,
    /// `long` or `string`.
    pub avro_bigint_unsigned: String,
    /// The row before, in avro.
    pub avro_include_before: bool,
    /// Watermarks in avro.
    pub avro_enable_watermark: bool,
    /// URL of the schema registry.
    pub schema_registry: Option<Secret>,
    /// Updates that change a key stay one change.
    pub output_raw_change_event: bool,
    /// Where messages carry the id of their change: `none`, `message`, `header` or `both`.
    pub event_id: String,
}

impl KafkaOptions {
    /// Merges a Kafka URI and a configuration.
    ///
    /// # Errors
    /// When there is no protocol or one that topics cannot have, options exclude each other, or this build lacks one.
    pub fn new(uri: &SinkUri, config: &ChangefeedConfig) -> Result<Self, ConfigError> {
        let file = config.sink.kafka_config.clone().unwrap_or_default();
        let codec = file.codec_config.clone().unwrap_or_default();
        let large = file.large_message_handle.clone().unwrap_or_default();
        let text = |name: &str, file: &Option<String>, default: &str| {
            uri.text(name).or(file.as_deref()).filter(|t| !t.is_empty()).unwrap_or(default).to_owned()
        };
        let flag = |name: &str, file: Option<bool>| uri.flag(name).or(file).unwrap_or(false);
        let protocol = protocol(uri, config)?;
        let batch = uri.number("max-batch-size").and_then(|n| u32::try_from(n).ok()).or(codec.max_batch_size);
        let registry = uri.text("schema-registry").map(|t| Secret::new(t.to_owned()));
        let in_file = config.sink.schema_registry.as_ref().map(|u| Secret::new(u.expose().to_owned()));
        let old_value = if protocol == "debezium" || protocol == "debezium-avro" {
            config.sink.debezium.output_old_value
        } else {
            config.sink.open.output_old_value
        };
        let options = Self {
            topic: uri.path.trim_end_matches('/').to_owned(),
            protocol,
            enable_tidb_extension: flag("enable-tidb-extension", codec.enable_tidb_extension),
            max_batch_size: batch.unwrap_or(16).clamp(1, 65_536),
            content_compatible: flag("content-compatible", Some(config.sink.content_compatible)),
            only_output_updated_columns: flag(
                "only-output-updated-columns",
                Some(config.sink.only_output_updated_columns),
            ),
            delete_only_handle_key: config.sink.delete_only_output_handle_key_columns,
            output_old_value: old_value,
            large: large_messages(&large)?,
            value_compression: Some(large.large_message_handle_compression.clone())
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| "none".to_owned()),
            encoding_format: text("encoding-format", &codec.encoding_format, "json"),
            debezium_disable_schema: flag("debezium-disable-schema", Some(config.sink.debezium_disable_schema)),
            debezium_include_start_ts: flag("debezium-include-start-ts", config.sink.debezium.include_start_ts),
            avro_decimal: text("avro-decimal-handling-mode", &codec.avro_decimal_handling_mode, "precise"),
            avro_bigint_unsigned: text(
                "avro-bigint-unsigned-handling-mode",
                &codec.avro_bigint_unsigned_handling_mode,
                "long",
            ),
            avro_include_before: flag("avro-include-before-value", codec.avro_include_before_value),
            avro_enable_watermark: flag("avro-enable-watermark", codec.avro_enable_watermark),
            schema_registry: registry.or(in_file).filter(|u| !u.expose().is_empty()),
            output_raw_change_event: file.output_raw_change_event.unwrap_or(false),
            event_id: text("event-id", &file.event_id, "none"),
            link: link(uri, &file)?,
        };
        options.check(uri, config, &codec)?;
        Ok(options)
    }

    /// The protocol has one schema a topic, so that topic expressions need both places.
    #[must_use]
    pub fn topic_per_table(&self) -> bool {
        self.needs_registry()
    }

    fn needs_registry(&self) -> bool {
        matches!(self.protocol, "avro" | "debezium-avro")
    }

    /// The format whose messages have no member for an id, if they are to have one.
    fn no_room_for_ids(&self) -> Option<&'static str> {
        match self.protocol {
            _ if matches!(self.event_id.as_str(), "none" | "header") => None,
            "canal-json" if !self.enable_tidb_extension => {
                Some("canal-json without `enable-tidb-extension = true`, whose member `_tidb` has it")
            }
            "simple" if self.encoding_format == "avro" => Some("simple in avro, whose schema is fixed"),
            "avro" => Some("avro, whose schemas are the tables'"),
            "debezium-avro" => Some("debezium-avro, whose schemas are the tables'"),
            _ => None,
        }
    }

    fn check(&self, uri: &SinkUri, config: &ChangefeedConfig, codec: &CodecConfig) -> Result<(), ConfigError> {
        let lacks = |key: &str| bad(key, "is not in this build yet");
        if self.needs_registry() && self.schema_registry.is_none() {
            return Err(conflict("sink.schema-registry", &format!("is missing: `{}` needs a registry", self.protocol)));
        }
        if config.sink.kafka_config.as_ref().is_some_and(|k| k.glue_schema_registry_config.is_some()) {
            return Err(lacks("sink.kafka-config.glue-schema-registry-config"));
        }
        let large_key = |name: &str| format!("sink.kafka-config.large-message-handle.{name}");
        if matches!(&self.large, LargeMessages::ClaimCheck { raw_value: true, .. }) && self.protocol == "open-protocol"
        {
            let reason = "does not go together with `open-protocol`, whose key is part of the message";
            return Err(conflict(&large_key("claim-check-raw-value"), reason));
        }
        let has_marks = self.large != LargeMessages::Refuse;
        if self.value_compression != "none" && !matches!(self.protocol, "canal-json" | "open-protocol" | "simple") {
            let reason = format!("does not go together with `{}`: use `compression`, of whole batches", self.protocol);
            return Err(conflict(&large_key("large-message-handle-compression"), &reason));
        }
        if has_marks && self.protocol == "canal-json" && !self.enable_tidb_extension {
            let reason = "needs `enable-tidb-extension = true` with canal-json: its marks are in `_tidb`";
            return Err(conflict(&large_key("large-message-handle-option"), reason));
        }
        if has_marks && !matches!(self.protocol, "canal-json" | "open-protocol" | "simple") {
            let reason = format!("does not go together with `{}`, which has no mark for it", self.protocol);
            return Err(conflict(&large_key("large-message-handle-option"), &reason));
        }
        if let Some(format) = self.no_room_for_ids() {
            let reason = format!("`{}` does not go together with {format}: use `header`", self.event_id);
            return Err(conflict("sink.kafka-config.event-id", &reason));
        }
        if uri.flag("output-row-key").or(codec.output_row_key) == Some(true) {
            return Err(lacks("output-row-key"));
        }
        if config.sink.transaction_atomicity.as_deref() == Some("table")
            || uri.text("transaction-atomicity") == Some("table")
        {
            return Err(conflict("sink.transaction-atomicity", "`table` does not go together with a message queue"));
        }
        Ok(())
    }
}

impl KafkaLink {
    /// The way to the brokers of a URI alone.
    ///
    /// # Errors
    /// As [`KafkaOptions::new`].
    pub fn new(uri: &SinkUri) -> Result<Self, ConfigError> {
        link(uri, &KafkaConfig::default())
    }
}

fn large_messages(large: &LargeMessageConfig) -> Result<LargeMessages, ConfigError> {
    let stored = large.large_message_handle_option == LargeMessageOption::ClaimCheck;
    if !stored && large.claim_check_retention.as_deref().is_some_and(|t| !t.is_empty()) {
        let key = "sink.kafka-config.large-message-handle.claim-check-retention";
        return Err(conflict(key, "needs `claim-check`: nothing else is stored"));
    }
    match large.large_message_handle_option {
        LargeMessageOption::None => Ok(LargeMessages::Refuse),
        LargeMessageOption::HandleKeyOnly => Ok(LargeMessages::HandleKeyOnly),
        LargeMessageOption::ClaimCheck => {
            let uri = SinkUri::parse(large.claim_check_storage_uri.expose())?;
            if uri.scheme.family() != Family::Storage {
                let key = "sink.kafka-config.large-message-handle.claim-check-storage-uri";
                return Err(bad(key, "must name a folder or bucket: file:///…, s3://…"));
            }
            let place = Box::new(StoragePlace::new(&uri));
            let shown = format!("{}://{}/{}", uri.scheme, place.bucket, place.path.trim_matches('/'));
            let retention =
                large.claim_check_retention.as_deref().filter(|t| !t.is_empty()).map(retention).transpose()?;
            Ok(LargeMessages::ClaimCheck { place, shown, raw_value: large.claim_check_raw_value, retention })
        }
    }
}

/// How long stored messages are kept: a duration, or whole days like `7d`.
fn retention(text: &str) -> Result<Interval, ConfigError> {
    let bad = |reason: &str| bad("sink.kafka-config.large-message-handle.claim-check-retention", reason);
    let days = text.strip_suffix('d').and_then(|n| n.parse::<u64>().ok());
    let found = match days {
        Some(days) => Interval::from_secs(days.saturating_mul(DAY_SECS)),
        None => text.parse().map_err(|reason: String| bad(&reason))?,
    };
    if !(RETENTION_MIN..=RETENTION_MAX).contains(&found) {
        return Err(bad(&format!("{found} is not within {RETENTION_MIN} and {RETENTION_MAX}")));
    }
    Ok(found)
}

fn protocol(uri: &SinkUri, config: &ChangefeedConfig) -> Result<&'static str, ConfigError> {
    let names = || FORMATS.iter().map(|(name, _)| *name);
    let Some(given) = uri.text("protocol").or(config.sink.protocol.as_deref()) else {
        let known: Vec<&str> = names().collect();
        return Err(conflict(
            "sink.protocol",
            &format!("is missing: a message queue needs one of {}", known.join(", ")),
        ));
    };
    let found = FORMATS.iter().find(|(name, _)| *name == given).map(|(_, first)| *first);
    found.ok_or_else(|| {
        let hint = did_you_mean(given, names()).map(|n| format!("; did you mean `{n}`?"));
        let hint = hint.unwrap_or_else(|| format!("; one of {}", names().collect::<Vec<_>>().join(", ")));
        bad("sink.protocol", &format!("`{given}` is no format for topics{hint}"))
    })
}

fn link(uri: &SinkUri, file: &KafkaConfig) -> Result<KafkaLink, ConfigError> {
    let text = |name: &str, file: &Option<String>| {
        uri.text(name).map(str::to_owned).or_else(|| file.clone()).filter(|s| !s.is_empty())
    };
    let wait = |name: &str, file: &Option<String>| -> Result<Interval, ConfigError> {
        let in_file = file.as_ref().filter(|t| !t.is_empty());
        let key = format!("sink.kafka-config.{name}");
        let from_file = in_file.map(|t| t.parse().map_err(|reason: String| bad(&key, &reason))).transpose()?;
        Ok(uri.interval(name).or(from_file).unwrap_or_else(|| Interval::from_secs(10)))
    };
    let number = |name: &str, file: Option<i64>| uri.number(name).or(file);
    let bytes = number("max-message-bytes", file.max_message_bytes.and_then(|n| i64::try_from(n).ok()));
    let bytes = bytes.unwrap_or(10 << 20);
    let too_much = |_| bad("sink.kafka-config.max-message-bytes", &format!("{bytes} is more than Kafka can take"));
    let tls_files = [&file.ca, &file.cert, &file.key].iter().any(|f| f.is_some());
    let scheme = matches!(uri.scheme, Scheme::Kafka { tls: true });
    let (cert, key) = (text("cert", &file.cert), text("key", &file.key));
    let identity = match (cert, key) {
        (Some(cert), Some(key)) => Some((cert, key)),
        (None, None) => None,
        _ => return Err(conflict("sink.kafka-config.cert", "and `key` need each other")),
    };
    let tls_named = ["ca", "cert", "key"].iter().any(|name| uri.text(name).is_some());
    Ok(KafkaLink {
        brokers: uri.hosts.iter().map(|(host, port)| broker(host, port.unwrap_or(PORT_DEFAULT))).collect(),
        client_id: text("kafka-client-id", &file.kafka_client_id),
        required_acks: number("required-acks", file.required_acks.map(i64::from)).unwrap_or(-1),
        compression: text("compression", &file.compression).unwrap_or_else(|| "none".to_owned()),
        max_message_bytes: u32::try_from(bytes).map_err(too_much)?,
        auto_create_topic: uri.flag("auto-create-topic").or(file.auto_create_topic).unwrap_or(true),
        partition_num: number("partition-num", file.partition_num.map(i64::from)).and_then(|n| u32::try_from(n).ok()),
        replication_factor: number("replication-factor", file.replication_factor.map(i64::from))
            .and_then(|n| i16::try_from(n).ok())
            .unwrap_or(1),
        dial_timeout: wait("dial-timeout", &file.dial_timeout)?,
        read_timeout: wait("read-timeout", &file.read_timeout)?,
        write_timeout: wait("write-timeout", &file.write_timeout)?,
        tls: scheme || tls_files || tls_named || uri.flag("enable-tls").or(file.enable_tls).unwrap_or(false),
        ca: text("ca", &file.ca),
        identity,
        skip_verify: uri.flag("insecure-skip-verify").or(file.insecure_skip_verify).unwrap_or(false),
        login: login(uri, file)?,
    })
}

fn broker(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn login(uri: &SinkUri, file: &KafkaConfig) -> Result<Option<KafkaLogin>, ConfigError> {
    let user = uri.text("sasl-user").map(str::to_owned).or_else(|| file.sasl_user.clone());
    let user = user.filter(|u| !u.is_empty());
    let password = uri.secret("sasl-password").or(file.sasl_password.as_ref()).cloned();
    let mechanism = uri.text("sasl-mechanism").or(file.sasl_mechanism.as_deref()).map(str::to_ascii_lowercase);
    let key = |name: &str| format!("sink.kafka-config.{name}");
    if let Some(token_url) = file.sasl_oauth_token_url.clone().filter(|u| !u.is_empty()) {
        let need = |name: &str| conflict(&key(name), "is missing: `sasl-oauth-token-url` needs it");
        let encoded = file.sasl_oauth_client_secret.clone().ok_or_else(|| need("sasl-oauth-client-secret"))?;
        return Ok(Some(KafkaLogin::Oauth {
            token_url,
            client_id: file.sasl_oauth_client_id.clone().ok_or_else(|| need("sasl-oauth-client-id"))?,
            client_secret: decoded(&encoded),
            scopes: file.sasl_oauth_scopes.clone(),
            grant_type: file.sasl_oauth_grant_type.clone().unwrap_or_default(),
            audience: file.sasl_oauth_audience.clone().unwrap_or_default(),
        }));
    }
    let need = |name: &str| conflict(&key(name), "is missing: `sasl-mechanism` needs a user and a password");
    let Some(mechanism) = mechanism.or_else(|| user.is_some().then(|| "plain".to_owned())) else {
        return if password.is_some() { Err(need("sasl-user")) } else { Ok(None) };
    };
    match mechanism.as_str() {
        "plain" | "scram-sha-256" | "scram-sha-512" => {
            let user = user.ok_or_else(|| need("sasl-user"))?;
            let password = password.ok_or_else(|| need("sasl-password"))?;
            Ok(Some(match mechanism.as_str() {
                "plain" => KafkaLogin::Plain { user, password },
                "scram-sha-256" => KafkaLogin::ScramSha256 { user, password },
                _ => KafkaLogin::ScramSha512 { user, password },
            }))
        }
        "gssapi" => Err(bad(&key("sasl-mechanism"), "`gssapi` (Kerberos) is not in this build")),
        "oauthbearer" => Err(conflict(&key("sasl-oauth-token-url"), "is missing: `oauthbearer` needs it, in the file")),
        other => Err(bad(
            &key("sasl-mechanism"),
            &format!("`{other}` is not known; one of plain, scram-sha-256, scram-sha-512, oauthbearer"),
        )),
    }
}

/// A secret that files hold in base64, or as it is.
fn decoded(secret: &Secret) -> Secret {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(secret.expose()).ok();
    let text = bytes.and_then(|b| String::from_utf8(b).ok()).filter(|t| !t.is_empty());
    text.map_or_else(|| secret.clone(), Secret::new)
}

fn bad(key: &str, reason: &str) -> ConfigError {
    let at = Location::whole("changefeed config");
    ConfigError::BadValue { at, key: key.to_owned(), reason: reason.to_owned() }
}

fn conflict(key: &str, reason: &str) -> ConfigError {
    let at = Location::whole("changefeed config");
    ConfigError::Conflict { at, key: key.to_owned(), reason: reason.to_owned() }
}
