//! What a Kafka sink gets of URI and file.

use tg_config::{ChangefeedConfig, ConfigError, KafkaLogin, KafkaOptions, LargeMessages, SinkUri};

fn options(uri: &str, toml: &str) -> Result<KafkaOptions, ConfigError> {
    let (config, _) = ChangefeedConfig::from_toml("t", toml).unwrap();
    KafkaOptions::new(&SinkUri::parse(uri).unwrap(), &config)
}

#[test]
fn the_uri_wins_over_the_file() {
    let toml =
        "[sink]\nprotocol = 'avro'\n[sink.kafka-config]\npartition-num = 3\ncompression = 'lz4'\nread-timeout = '7s'\n";
    let o = options("kafka://a:1,b/t?protocol=canal-json&partition-num=5&enable-tidb-extension=true", toml).unwrap();
    assert_eq!((o.protocol, o.topic.as_str()), ("canal-json", "t"));
    assert_eq!(o.link.brokers, ["a:1", "b:9092"]);
    assert_eq!((o.link.partition_num, o.link.compression.as_str()), (Some(5), "lz4"));
    assert_eq!(o.link.read_timeout.get().as_secs(), 7);
    assert!(o.enable_tidb_extension && o.link.auto_create_topic && !o.link.tls);
    assert_eq!(o.link.max_message_bytes, 10 << 20);
}

#[test]
fn logins_and_tls() {
    let o = options("kafka+ssl://a/t?protocol=simple&sasl-user=u&sasl-password=p%40&sasl-mechanism=SCRAM-SHA-512", "");
    let o = o.unwrap();
    assert!(o.link.tls);
    let Some(KafkaLogin::ScramSha512 { user, password }) = &o.link.login else { panic!("{:?}", o.link.login) };
    assert_eq!((user.as_str(), password.expose()), ("u", "p@"));
    assert!(!format!("{o:?}").contains("p@"));
    let oauth = "[sink.kafka-config]\nsasl-mechanism = 'oauthbearer'\nsasl-oauth-token-url = 'http://x/token'\n\
                 sasl-oauth-client-id = 'me'\nsasl-oauth-client-secret = 'aHVudGVyMg=='\n";
    let o = options("kafka://a/t?protocol=simple", oauth).unwrap();
    let Some(KafkaLogin::Oauth { client_secret, .. }) = &o.link.login else { panic!("{:?}", o.link.login) };
    assert_eq!(client_secret.expose(), "hunter2");
    assert!(options("kafka://a/t?protocol=simple&ca=/x.pem", "").unwrap().link.tls);
}

fn kept(retention: &str) -> String {
    format!(
        "[sink.kafka-config.large-message-handle]\nlarge-message-handle-option = 'claim-check'\n\
         claim-check-storage-uri = 'file:///x'\nclaim-check-retention = '{retention}'\n"
    )
}

#[test]
fn large_messages_are_kept_for_ever_or_as_long_as_is_said() {
    let retention = |text: &str| match options("kafka://a/t?protocol=simple", text).unwrap().large {
        LargeMessages::ClaimCheck { retention, .. } => retention.map(|kept| kept.get().as_secs()),
        other => panic!("{other:?}"),
    };
    assert_eq!(retention(&kept("")), None);
    assert_eq!(retention(&kept("7d")), Some(7 * 86_400));
    assert_eq!(retention(&kept("1h30m")), Some(5_400));
    let compressed = "[sink.kafka-config.large-message-handle]\nlarge-message-handle-compression = 'lz4'\n";
    assert_eq!(options("kafka://a/t?protocol=simple", compressed).unwrap().value_compression, "lz4");
    assert_eq!(options("kafka://a/t?protocol=simple", "").unwrap().value_compression, "none");
}

#[test]
fn ids_go_where_there_is_room() {
    let file = "[sink.kafka-config]\nevent-id = 'both'\n";
    for (uri, toml, place) in [
        ("kafka://a/t?protocol=canal-json", "", "none"),
        ("kafka://a/t?protocol=canal-json&enable-tidb-extension=true&event-id=message", "", "message"),
        ("kafka://a/t?protocol=open-protocol", file, "both"),
        ("kafka://a/t?protocol=simple&event-id=Header", file, "header"),
        ("kafka://a/t?protocol=debezium", file, "both"),
        ("kafka://a/t?protocol=avro&schema-registry=http://x&event-id=header", file, "header"),
    ] {
        assert_eq!(options(uri, toml).unwrap().event_id, place, "{uri}");
    }
    let error = ChangefeedConfig::from_toml("t", "[sink.kafka-config]\nevent-id = 'heder'\n").unwrap_err().to_string();
    assert!(error.contains("header"), "{error}");
    assert!(SinkUri::parse("kafka://a/t?protocol=simple&event-id=headers").unwrap_err().to_string().contains("header"));
}

#[test]
fn what_does_not_go_is_said() {
    for (uri, toml, why) in [
        ("kafka://a/t", "", "sink.protocol"),
        ("kafka://a/t?protocol=csv", "", "no format for topics"),
        ("kafka://a/t?protocol=maxwell", "", "no format for topics"),
        ("kafka://a/t?protocol=avro", "", "needs a registry"),
        ("kafka://a/t?protocol=simple&sasl-mechanism=gssapi", "", "Kerberos"),
        ("kafka://a/t?protocol=simple&sasl-mechanism=plain", "", "sasl-user"),
        ("kafka://a/t?protocol=simple&cert=/x", "", "need each other"),
        ("kafka://a/t?protocol=simple&transaction-atomicity=table", "", "message queue"),
        ("kafka://a/t?protocol=simple&max-message-bytes=99999999999", "", "more than Kafka"),
        (
            "kafka://a/t?protocol=canal-json",
            "[sink.kafka-config.large-message-handle]\nlarge-message-handle-option = 'handle-key-only'\n",
            "enable-tidb-extension",
        ),
        (
            "kafka://a/t?protocol=debezium",
            "[sink.kafka-config.large-message-handle]\nlarge-message-handle-option = 'handle-key-only'\n",
            "debezium",
        ),
        (
            "kafka://a/t?protocol=debezium",
            "[sink.kafka-config.large-message-handle]\nlarge-message-handle-compression = 'lz4'\n",
            "use `compression`",
        ),
        ("kafka://a/t?protocol=simple", kept("7d").replace("claim-check'", "none'").as_str(), "needs `claim-check`"),
        ("kafka://a/t?protocol=simple", kept("30s").as_str(), "not within 1m0s"),
        ("kafka://a/t?protocol=simple", kept("7 days").as_str(), "claim-check-retention"),
        ("kafka://a/t?protocol=canal-json&event-id=message", "", "use `header`"),
        ("kafka://a/t?protocol=simple&encoding-format=avro&event-id=both", "", "use `header`"),
        ("kafka://a/t?protocol=avro&schema-registry=http://x&event-id=message", "", "use `header`"),
        ("kafka://a/t?protocol=debezium-avro&schema-registry=http://x&event-id=both", "", "use `header`"),
    ] {
        let error = options(uri, toml).unwrap_err().to_string();
        assert!(error.contains(why), "{uri}: {error}");
    }
}
