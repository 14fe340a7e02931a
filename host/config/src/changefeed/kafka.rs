//! `[sink.kafka-config]`.

use crate::{Secret, SecretUri};

section! {
    /// Kafka producer. Absent values have the defaults of the sink URI's parameters.
    KafkaConfig {
        /// Partitions of a topic.
        partition_num: Option<i32> = None,
        /// Copies of a partition.
        replication_factor: Option<i16> = None,
        /// Protocol version; absent: asked from the broker.
        kafka_version: Option<String> = None,
        /// Greatest message in bytes.
        max_message_bytes: Option<u64> = None,
        /// `none`, `gzip`, `snappy`, `lz4` or `zstd`.
        compression: Option<String> = None,
        /// Client id.
        kafka_client_id: Option<String> = None,
        /// Make topics that do not exist.
        auto_create_topic: Option<bool> = None,
        /// Longest wait for a connection.
        dial_timeout: Option<String> = None,
        /// Longest wait for a request to be taken.
        write_timeout: Option<String> = None,
        /// Longest wait for an answer.
        read_timeout: Option<String> = None,
        /// -1, 0 or 1.
        required_acks: Option<i16> = None,
        /// SASL user.
        sasl_user: Option<String> = None,
        /// SASL password.
        sasl_password: Option<Secret> = None,
        /// `plain`, `scram-sha-256`, `scram-sha-512`, `gssapi` or `oauthbearer`.
        sasl_mechanism: Option<String> = None,
        /// `USER` or `KEYTAB`.
        sasl_gssapi_auth_type: Option<String> = None,
        /// Path of the keytab.
        sasl_gssapi_keytab_path: Option<String> = None,
        /// Path of krb5.conf.
        sasl_gssapi_kerberos_config_path: Option<String> = None,
        /// Service name.
        sasl_gssapi_service_name: Option<String> = None,
        /// User.
        sasl_gssapi_user: Option<String> = None,
        /// Password.
        sasl_gssapi_password: Option<Secret> = None,
        /// Realm.
        sasl_gssapi_realm: Option<String> = None,
        /// Do not use PA-FX-FAST.
        sasl_gssapi_disable_pafxfast: Option<bool> = None,
        /// OAuth client.
        sasl_oauth_client_id: Option<String> = None,
        /// OAuth secret, base64.
        sasl_oauth_client_secret: Option<Secret> = None,
        /// Where tokens come from.
        sasl_oauth_token_url: Option<String> = None,
        /// What the token is for.
        sasl_oauth_scopes: Vec<String> = Vec::new(),
        /// Kind of grant.
        sasl_oauth_grant_type: Option<String> = None,
        /// Audience.
        sasl_oauth_audience: Option<String> = None,
        /// Connect with TLS.
        enable_tls: Option<bool> = None,
        /// Path of the CA certificate.
        ca: Option<String> = None,
        /// Path of the certificate.
        cert: Option<String> = None,
        /// Path of the certificate's key.
        key: Option<String> = None,
        /// Do not check the broker's certificate.
        insecure_skip_verify: Option<bool> = None,
        /// Do not split updates of a key into delete and insert.
        output_raw_change_event: Option<bool> = None,
        /// Where messages carry the stable id of their change: `none`, `message`, `header` or `both`. Tidegate's own.
        event_id: Option<String> = None,
        /// Encoding.
        codec_config: Option<CodecConfig> = None,
        /// Messages above the limit.
        large_message_handle: Option<LargeMessageConfig> = None,
        /// AWS Glue schema registry.
        glue_schema_registry_config: Option<GlueConfig> = None,
    }
}

section! {
    /// `[sink.kafka-config.codec-config]`.
    CodecConfig {
        /// TiDB's own fields.
        enable_tidb_extension: Option<bool> = None,
        /// Events per message (open-protocol).
        max_batch_size: Option<u32> = None,
        /// Watermarks in avro (tests).
        avro_enable_watermark: Option<bool> = None,
        /// `precise` or `string`.
        avro_decimal_handling_mode: Option<String> = None,
        /// `long` or `string`.
        avro_bigint_unsigned_handling_mode: Option<String> = None,
        /// The row before, in avro.
        avro_include_before_value: Option<bool> = None,
        /// `json` or `avro` (simple).
        encoding_format: Option<String> = None,
        /// The raw row key.
        output_row_key: Option<bool> = None,
    }
}

/// What happens to a message above the limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LargeMessageOption {
    /// The changefeed stops.
    #[default]
    None,
    /// It goes to a storage, its address to the topic.
    ClaimCheck,
    /// Only its key is sent.
    HandleKeyOnly,
}

section! {
    /// `[sink.kafka-config.large-message-handle]`.
    LargeMessageConfig {
        /// What happens.
        large_message_handle_option: LargeMessageOption = LargeMessageOption::None,
        /// `none`, `snappy` or `lz4`.
        large_message_handle_compression: String = "none".to_owned(),
        /// Storage, for `claim-check`.
        claim_check_storage_uri: SecretUri = SecretUri::default(),
        /// Store the bare value, without the JSON around it.
        claim_check_raw_value: bool = false,
        /// How long stored messages are kept, like `7d` or `36h`; absent: for ever. Tidegate's own.
        claim_check_retention: Option<String> = None,
    }
}

section! {
    /// `[sink.kafka-config.glue-schema-registry-config]`.
    GlueConfig {
        /// Registry; required.
        registry_name: String = String::new(),
        /// Region; required.
        region: String = String::new(),
        /// Access key.
        access_key: Option<String> = None,
        /// Its secret.
        secret_access_key: Option<Secret> = None,
        /// Session token.
        token: Option<Secret> = None,
    }
}
