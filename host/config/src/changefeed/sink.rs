//! `[sink]` and its small tables.

use super::{IntegrityConfig, KafkaConfig, PulsarConfig, StorageConfig};
use crate::SecretUri;

section! {
    /// The downstream. Parameters of the sink URI win over what stands here.
    SinkConfig {
        /// Message format; required for message queues and storage.
        protocol: Option<String> = None,
        /// `none`: transactions may be split; `table`: single-table transactions stay whole.
        transaction_atomicity: Option<String> = None,
        /// Where the rows of which table go; the first rule that matches wins.
        dispatchers: Vec<DispatchRule> = Vec::new(),
        /// Which columns of which table are sent; the first rule that matches wins.
        column_selectors: Vec<ColumnSelector> = Vec::new(),
        /// URL of the schema registry (avro formats).
        schema_registry: Option<SecretUri> = None,
        /// Encoders.
        encoder_concurrency: u32 = 32,
        /// End of a row in files.
        terminator: String = "\r\n".to_owned(),
        /// `none`, `year`, `month` or `day`: date folders of a storage.
        date_separator: String = "day".to_owned(),
        /// A folder per partition of a table.
        enable_partition_separator: bool = true,
        /// Digits of file numbers, 6 to 20; absent: 20.
        file_index_digit: Option<u32> = None,
        /// Accepted without effect.
        enable_kafka_sink_v2: Option<bool> = None,
        /// Updates carry changed columns only.
        only_output_updated_columns: bool = false,
        /// Deletes carry key columns only.
        delete_only_output_handle_key_columns: bool = false,
        /// canal-json as the original writes it.
        content_compatible: bool = false,
        /// Write rows so that a repeated write does no harm (MySQL).
        safe_mode: Option<bool> = None,
        /// Accepted without effect.
        advance_timeout_in_sec: u32 = 150,
        /// Seconds between two schema messages (simple); zero or less: none.
        send_bootstrap_interval_in_sec: i64 = 120,
        /// Rows between two schema messages (simple); zero or less: none.
        send_bootstrap_in_msg_count: i64 = 10_000,
        /// Schema messages go to all partitions, not only to the first.
        send_bootstrap_to_all_partition: bool = true,
        /// Accepted without effect.
        send_all_bootstrap_at_start: bool = false,
        /// Leave the `schema` member out (debezium).
        debezium_disable_schema: bool = false,
        /// Accepted in files; the top-level key is the one that counts.
        case_sensitive: Option<bool> = None,
        /// Accepted in files; the top-level key is the one that counts.
        force_replicate: Option<bool> = None,
        /// Accepted in files; the codec option is the one that counts.
        output_row_key: Option<bool> = None,
        /// Accepted in files; the top-level table is the one that counts.
        integrity: Option<IntegrityConfig> = None,
        /// open-protocol.
        open: OpenConfig = OpenConfig::default(),
        /// debezium.
        debezium: DebeziumConfig = DebeziumConfig::default(),
        /// csv.
        csv: CsvConfig = CsvConfig::default(),
        /// Kafka.
        kafka_config: Option<KafkaConfig> = None,
        /// MySQL and TiDB.
        mysql_config: Option<MysqlConfig> = None,
        /// Storage.
        cloud_storage_config: Option<StorageConfig> = None,
        /// Pulsar.
        pulsar_config: Option<PulsarConfig> = None,
    }
}

section! {
    /// One `[[sink.dispatchers]]`.
    DispatchRule {
        /// Table rules.
        matcher: Vec<String> = Vec::new(),
        /// `default`, `table`, `ts`, `index-value`, `rowid` or `columns`.
        partition: Option<String> = None,
        /// Old name of `partition`; not both.
        dispatcher: Option<String> = None,
        /// A unique index, for `index-value`.
        index: Option<String> = None,
        /// Columns, for `columns`.
        columns: Vec<String> = Vec::new(),
        /// Topic name or expression of `{schema}` and `{table}`.
        topic: Option<String> = None,
        /// Name of the schema downstream, an expression of `{schema}` and `{table}`.
        target_schema: Option<String> = None,
        /// Name of the table downstream, an expression of `{schema}` and `{table}`.
        target_table: Option<String> = None,
    }
}

impl DispatchRule {
    /// How partitions are chosen, by either of its names; `None`: the default way.
    #[must_use]
    pub fn partition_rule(&self) -> Option<&str> {
        self.partition.as_deref().or(self.dispatcher.as_deref())
    }
}

section! {
    /// One of `[[sink.column-selectors]]`.
    ColumnSelector {
        /// Table rules.
        matcher: Vec<String> = Vec::new(),
        /// Column rules; the last one that matches wins.
        columns: Vec<String> = Vec::new(),
    }
}

section! {
    /// `[sink.open]`.
    OpenConfig {
        /// Updates carry the old values.
        output_old_value: bool = true,
    }
}

section! {
    /// `[sink.debezium]`.
    DebeziumConfig {
        /// Updates carry the old values.
        output_old_value: bool = true,
        /// The source block carries the start-ts.
        include_start_ts: Option<bool> = None,
    }
}

section! {
    /// `[sink.csv]`.
    CsvConfig {
        /// Between two fields: 1 to 3 characters, none of them CR, LF or the quote.
        delimiter: String = ",".to_owned(),
        /// Around texts: one character or none.
        quote: String = "\"".to_owned(),
        /// What stands for NULL.
        null: String = "\\N".to_owned(),
        /// A field for the commit-ts.
        include_commit_ts: bool = false,
        /// `base64` or `hex`.
        binary_encoding_method: String = "base64".to_owned(),
        /// Updates are a delete and an insert line.
        output_old_value: bool = false,
        /// Accepted without effect.
        output_handle_key: bool = false,
        /// A first line with the names of the fields.
        output_field_header: bool = false,
    }
}

section! {
    /// `[sink.mysql-config]`; absent values have the defaults of the sink URI's parameters, see [`crate::MysqlOptions`].
    MysqlConfig {
        /// Connections that write, 1 to 1024.
        worker_count: Option<u32> = None,
        /// Rows per transaction, 1 to 2048.
        max_txn_row: Option<u32> = None,
        /// Mean bytes of a row above which updates are not joined, 0 to 8192.
        max_multi_update_row_size: Option<u32> = None,
        /// Rows per joined update, 1 to 256.
        max_multi_update_row: Option<u32> = None,
        /// `optimistic` or `pessimistic`.
        tidb_txn_mode: Option<String> = None,
        /// Path of the CA certificate.
        ssl_ca: Option<String> = None,
        /// Path of the certificate.
        ssl_cert: Option<String> = None,
        /// Path of the certificate's key.
        ssl_key: Option<String> = None,
        /// Time zone of the session.
        time_zone: Option<String> = None,
        /// Longest wait for a write.
        write_timeout: Option<String> = None,
        /// Longest wait for a read.
        read_timeout: Option<String> = None,
        /// Longest wait for a connection.
        timeout: Option<String> = None,
        /// Longest wait for an ADD INDEX before it is left to run alone.
        async_ddl_timeout: Option<String> = None,
        /// Join rows into statements.
        enable_batch_dml: Option<bool> = None,
        /// Send a transaction as one text.
        enable_multi_statement: Option<bool> = None,
        /// Keep prepared statements.
        enable_cache_prepared_statement: Option<bool> = None,
    }
}
