//! `[sink.cloud-storage-config]` and `[sink.pulsar-config]`.

use crate::Secret;

section! {
    /// Files on a disk or in a bucket. Absent values have the defaults of the sink URI's parameters.
    StorageConfig {
        /// Writers, 1 to 512.
        worker_count: Option<u32> = None,
        /// Time between two flushes, 100 ms to 10 min.
        flush_interval: Option<String> = None,
        /// Bytes from which a file is closed, 1 KiB to 512 MiB.
        file_size: Option<u64> = None,
        /// Bytes of the local spool.
        spool_disk_quota: Option<u64> = None,
        /// Folder of the local spool.
        spool_base_dir: Option<String> = None,
        /// Column ids in schema files.
        output_column_id: Option<bool> = None,
        /// Days after which dated folders are removed; zero: never.
        file_expiration_days: Option<u32> = None,
        /// When they are removed, as a cron expression with seconds.
        file_cleanup_cron_spec: Option<String> = None,
        /// Parts of a file uploaded at a time, 1 to 512.
        flush_concurrency: Option<u32> = None,
        /// Table ids in place of names in paths.
        use_table_id_as_path: Option<bool> = None,
        /// Do not split updates of a key into delete and insert.
        output_raw_change_event: Option<bool> = None,
    }
}

section! {
    /// Pulsar producer.
    PulsarConfig {
        /// Path of the TLS key.
        tls_key_file_path: Option<String> = None,
        /// Path of the TLS certificate.
        tls_certificate_file: Option<String> = None,
        /// Path of the CA certificates.
        tls_trust_certs_file_path: Option<String> = None,
        /// Producers kept.
        pulsar_producer_cache_size: Option<u32> = None,
        /// Version.
        pulsar_version: Option<String> = None,
        /// `lz4`, `zlib`, `zstd` or `none`.
        compression_type: Option<String> = None,
        /// Token.
        authentication_token: Option<Secret> = None,
        /// Path of a file with the token.
        token_from_file: Option<String> = None,
        /// User.
        basic_user_name: Option<String> = None,
        /// Password.
        basic_password: Option<Secret> = None,
        /// Path of the certificate that authenticates.
        auth_tls_certificate_path: Option<String> = None,
        /// Path of its key.
        auth_tls_private_key_path: Option<String> = None,
        /// Seconds to wait for a connection.
        connection_timeout: Option<u64> = None,
        /// Seconds to wait for an operation.
        operation_timeout: Option<u64> = None,
        /// Messages per batch.
        batching_max_messages: Option<u32> = None,
        /// Milliseconds a batch waits.
        batching_max_publish_delay: Option<u64> = None,
        /// Seconds to wait for a send.
        send_timeout: Option<u64> = None,
        /// Accepted without effect.
        output_raw_change_event: Option<bool> = None,
        /// OAuth 2.
        oauth2: Option<PulsarOauth2> = None,
    }
}

section! {
    /// `[sink.pulsar-config.oauth2]`.
    PulsarOauth2 {
        /// Issuer.
        oauth2_issuer_url: Option<String> = None,
        /// Audience.
        oauth2_audience: Option<String> = None,
        /// Path of the private key, or the key.
        oauth2_private_key: Option<Secret> = None,
        /// Client.
        oauth2_client_id: Option<String> = None,
        /// Scope.
        oauth2_scope: Option<String> = None,
    }
}
