//! A Kafka downstream as its URI and file describe it.

use crate::ServerError;
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use tg_config::changefeed::DispatchRule;
use tg_config::{ChangefeedConfig, KafkaLink, KafkaLogin, KafkaOptions, LargeMessages, Secret, SinkUri};
use tg_format_rules::{Rules, RulesConfig};
use tg_http::{HttpOrigin, HttpTarget};
use tg_kafka::{Acks, KafkaEndpoint, KafkaTarget, OauthTarget, Sasl, Tls};
use tg_object_store::StoreEndpoint;
use tg_plugin::grant;
use tg_plugin::grant::HttpEndpoint;

/// Name of the registry's endpoint for the sink.
pub(crate) const REGISTRY: &str = "schema-registry";
/// Name of the endpoint of large messages.
pub(crate) const CLAIMS: &str = "claim-check";

/// What a changefeed into Kafka needs.
pub(crate) struct KafkaSide {
    pub(crate) endpoint: Arc<KafkaEndpoint>,
    pub(crate) registry: Option<Arc<dyn HttpEndpoint>>,
    /// Where large messages are kept.
    pub(crate) claims: Option<Arc<StoreEndpoint>>,
    /// What the sink in the box is told.
    pub(crate) options: Map<String, Value>,
    /// What the dispatcher in the box is told.
    pub(crate) rules: Map<String, Value>,
    pub(crate) keeps_progress: bool,
}

impl KafkaSide {
    /// Checks the options and looks for the default topic, which is made if it may be.
    pub(crate) async fn connect(
        uri: &SinkUri,
        config: &ChangefeedConfig,
        incarnation: &str,
    ) -> Result<Self, ServerError> {
        let o = KafkaOptions::new(uri, config)?;
        let rules = rules(&o, config);
        let read: RulesConfig = serde_json::from_value(Value::Object(rules.clone()))
            .map_err(|e| ServerError::Rules { reason: e.to_string() })?;
        Rules::new(&read).map_err(|e| ServerError::Rules { reason: e.to_string() })?;
        let target = target(&o.link);
        // With fewer acknowledgements a broker may lose what it acknowledged, so that there is nothing to be exact about.
        let keeps_progress = config.tidegate.exactly_once && target.acks == Acks::All;
        let target = KafkaTarget { exactly_once: keeps_progress, incarnation: incarnation.to_owned(), ..target };
        let endpoint = KafkaEndpoint::new(target)?;
        endpoint.partitions(&o.topic).await?;
        let registry = o.schema_registry.as_ref().map(registry).transpose()?;
        let claims = match &o.large {
            LargeMessages::ClaimCheck { place, .. } => {
                Some(Arc::new(StoreEndpoint::connect(&crate::storage::target(place)?).await?))
            }
            LargeMessages::Refuse | LargeMessages::HandleKeyOnly => None,
        };
        let options = sink_options(&o, &rules, config);
        Ok(Self { endpoint: Arc::new(endpoint), registry, claims, options, rules, keeps_progress })
    }
}

/// A grant of a message queue.
pub(crate) fn granted(uri: &SinkUri) -> Result<KafkaEndpoint, ServerError> {
    Ok(KafkaEndpoint::new(target(&KafkaLink::new(uri)?))?)
}

/// What clients of the brokers need.
#[must_use]
pub fn target(l: &KafkaLink) -> KafkaTarget {
    let secret = |s: &Secret| grant::Secret::new(s.expose());
    let sasl = l.login.as_ref().map(|login| match login {
        KafkaLogin::Plain { user, password } => Sasl::Plain(user.clone(), secret(password)),
        KafkaLogin::ScramSha256 { user, password } => Sasl::ScramSha256(user.clone(), secret(password)),
        KafkaLogin::ScramSha512 { user, password } => Sasl::ScramSha512(user.clone(), secret(password)),
        KafkaLogin::Oauth { token_url, client_id, client_secret, scopes, grant_type, audience } => {
            Sasl::Oauth(OauthTarget {
                token_url: token_url.clone(),
                client_id: client_id.clone(),
                client_secret: secret(client_secret),
                scopes: scopes.clone(),
                grant_type: grant_type.clone(),
                audience: audience.clone(),
            })
        }
    });
    let tls = l.tls.then(|| Tls {
        ca: l.ca.as_ref().map(PathBuf::from),
        identity: l.identity.as_ref().map(|(cert, key)| (PathBuf::from(cert), PathBuf::from(key))),
        skip_verify: l.skip_verify,
    });
    let default = KafkaTarget::default();
    KafkaTarget {
        brokers: l.brokers.clone(),
        client_id: l.client_id.clone().unwrap_or(default.client_id),
        acks: match l.required_acks {
            0 => Acks::Nobody,
            1 => Acks::Leader,
            _ => Acks::All,
        },
        compression: l.compression.clone(),
        max_message_bytes: l.max_message_bytes,
        auto_create_topic: l.auto_create_topic,
        partition_num: l.partition_num,
        replication_factor: l.replication_factor.into(),
        dial_timeout: l.dial_timeout.get(),
        read_timeout: l.read_timeout.get(),
        write_timeout: l.write_timeout.get(),
        sasl,
        tls,
        incarnation: default.incarnation,
        exactly_once: false,
        progress_topic: default.progress_topic,
    }
}

/// The registry as an endpoint; a login in its URL becomes a header.
fn registry(url: &Secret) -> Result<Arc<dyn HttpEndpoint>, ServerError> {
    let origin = HttpTarget::with_login(url.expose()).and_then(|target| HttpOrigin::new(&target));
    let bad = |reason: String| ServerError::BadGrant { grant: "sink.schema-registry".to_owned(), reason };
    Ok(Arc::new(origin.map_err(|e| bad(e.to_string()))?))
}

fn rules(o: &KafkaOptions, config: &ChangefeedConfig) -> Map<String, Value> {
    let rule = |r: &DispatchRule| {
        let mut out = Map::new();
        out.insert("matcher".to_owned(), json!(r.matcher));
        let mut put = |name: &str, value: Option<&str>| out.extend(value.map(|v| (name.to_owned(), json!(v))));
        put("topic", r.topic.as_deref());
        put("partition", r.partition_rule());
        put("index", r.index.as_deref());
        if !r.columns.is_empty() {
            out.insert("columns".to_owned(), json!(r.columns));
        }
        Value::Object(out)
    };
    let selectors: Vec<Value> =
        config.sink.column_selectors.iter().map(|s| json!({"matcher": s.matcher, "columns": s.columns})).collect();
    let all = json!({
        "topic": o.topic,
        "topic-per-table": o.topic_per_table(),
        "case-sensitive": config.case_sensitive,
        "output-raw-change-event": o.output_raw_change_event,
        "dispatchers": config.sink.dispatchers.iter().map(rule).collect::<Vec<_>>(),
        "column-selectors": selectors,
    });
    if let Value::Object(map) = all { map } else { Map::new() }
}

fn sink_options(o: &KafkaOptions, rules: &Map<String, Value>, config: &ChangefeedConfig) -> Map<String, Value> {
    let mut out = rules.clone();
    out.remove("output-raw-change-event");
    let own = json!({
        "protocol": o.protocol,
        "max-message-bytes": o.link.max_message_bytes,
        "max-batch-size": o.max_batch_size,
        "enable-tidb-extension": o.enable_tidb_extension,
        "content-compatible": o.content_compatible,
        "only-output-updated-columns": o.only_output_updated_columns,
        "delete-only-output-handle-key-columns": o.delete_only_handle_key,
        "output-old-value": o.output_old_value,
        "encoding-format": o.encoding_format,
        "debezium-disable-schema": o.debezium_disable_schema,
        "debezium-include-start-ts": o.debezium_include_start_ts,
        "avro-decimal-handling-mode": o.avro_decimal,
        "avro-bigint-unsigned-handling-mode": o.avro_bigint_unsigned,
        "avro-include-before-value": o.avro_include_before,
        "avro-enable-watermark": o.avro_enable_watermark,
        "send-bootstrap-interval-in-sec": config.sink.send_bootstrap_interval_in_sec,
        "send-bootstrap-in-msg-count": config.sink.send_bootstrap_in_msg_count,
        "send-bootstrap-to-all-partition": config.sink.send_bootstrap_to_all_partition,
    });
    if let Value::Object(own) = own {
        out.extend(own);
    }
    let large = match &o.large {
        LargeMessages::Refuse => json!({}),
        LargeMessages::HandleKeyOnly => json!({"large-message-handle-option": "handle-key-only"}),
        LargeMessages::ClaimCheck { shown, raw_value, .. } => json!({
            "large-message-handle-option": "claim-check",
            "claim-check-endpoint": CLAIMS,
            "claim-check-storage-uri": shown,
            "claim-check-raw-value": raw_value,
        }),
    };
    if let Value::Object(large) = large {
        out.extend(large);
    }
    if let LargeMessages::ClaimCheck { retention: Some(kept), .. } = &o.large {
        out.insert("claim-check-retention-ms".to_owned(), json!(kept.as_nanos() / 1_000_000));
    }
    // Versions of the sink that are pinned may not know these.
    if o.event_id != "none" {
        out.insert("event-id".to_owned(), json!(o.event_id));
    }
    if o.value_compression != "none" {
        out.insert("large-message-handle-compression".to_owned(), json!(o.value_compression));
    }
    if o.schema_registry.is_some() {
        out.insert("schema-registry".to_owned(), json!(REGISTRY));
    }
    out
}
