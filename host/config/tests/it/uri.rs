//! Sink URIs, good and bad, as data.

use tg_config::{ChangefeedConfig, Interval, MysqlOptions, PostgresOptions, Scheme, SinkUri, SslMode};
use tg_model::Coded;

#[test]
fn parts_are_decoded() {
    let uri =
        SinkUri::parse("mysql://root:p%40ss%2Fw%3A@127.0.0.1:3306/?worker-count=8&safe-mode=true&read-timeout=1m")
            .unwrap();
    assert_eq!(uri.user.as_deref(), Some("root"));
    assert_eq!(uri.password.as_ref().unwrap().expose(), "p@ss/w:");
    assert_eq!(uri.hosts, [("127.0.0.1".to_owned(), Some(3306))]);
    assert_eq!((uri.number("worker-count"), uri.flag("safe-mode")), (Some(8), Some(true)));
    assert_eq!(uri.interval("read-timeout"), Some(Interval::from_secs(60)));
    assert_eq!(uri.to_string(), "mysql://root:xxxxx@127.0.0.1:3306/?worker-count=8&safe-mode=true&read-timeout=1m");
    assert!(!format!("{uri:?}").contains("p@ss") && !format!("{uri:?}").contains("p%40"));
    assert!(uri.expose().contains("p%40ss"));
}

#[test]
fn every_scheme_is_read() {
    for (text, plugin, hosts, path) in [
        ("tidb+ssl://u@h/", "mysql", 1, ""),
        ("postgres://u:p@h:5432/shop?sslmode=verify-full&zero-dates=null", "postgres", 1, "shop"),
        ("postgresql://h", "postgres", 1, ""),
        (
            "kafka://a:9092,b:9092,[::1]:9092/topic?protocol=canal-json&partition-num=3&required-acks=-1",
            "kafka",
            3,
            "topic",
        ),
        ("kafka+ssl://a/t?protocol=avro", "kafka", 1, "t"),
        ("pulsar+https://a:1/persistent://t/n/x?protocol=canal-json", "pulsar", 1, "persistent://t/n/x"),
        ("file:///tmp/out%20put?protocol=csv&flush-interval=100ms", "storage", 0, "/tmp/out put"),
        ("s3://bucket/pre/fix?protocol=csv&access_key=A&secret-access-key=B", "storage", 1, "/pre/fix"),
        ("gs://bucket?protocol=csv&storage-class=NEARLINE", "storage", 1, ""),
        ("s3://bucket?protocol=csv&sse=aws:kms&sse-kms-key-id=k", "storage", 1, ""),
        ("azure://c/p?protocol=csv&sas-token=x", "storage", 1, "/p"),
        ("noop:///x?protocol=csv", "blackhole", 0, "/x"),
        ("blackhole://", "blackhole", 0, ""),
        ("blackhole:", "blackhole", 0, ""),
        ("blackhole://?protocol=canal-json", "blackhole", 0, ""),
        ("print://", "print", 0, ""),
        ("plugin+webhook://h:80/x?anything=1", "webhook", 1, "x"),
        ("PLUGIN+Hook@1.0://", "hook@1.0", 0, ""),
    ] {
        let uri = SinkUri::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!((uri.scheme.plugin(), uri.hosts.len(), uri.path.as_str()), (plugin, hosts, path), "{text}");
    }
    assert_eq!(SinkUri::parse("tidb://h/").unwrap().scheme, Scheme::Mysql { name: "tidb", tls: false });
}

#[test]
fn bad_uris_say_what_and_what_was_meant() {
    for (text, code, message) in [
        ("", 6010, "sink URI ``: is empty"),
        ("mysql", 6010, "sink URI `mysql`: has no scheme; write `mysql://…`, `kafka://…`"),
        ("nosuch://", 6011, "sink URI `nosuch:`: there is no scheme `nosuch`"),
        ("mysq://h/", 6011, "sink URI `mysq://h/`: there is no scheme `mysq`; did you mean `mysql`?"),
        ("mysql:h", 6010, "sink URI `mysql:h`: needs `//` behind the scheme"),
        ("mysql:///", 6010, "sink URI `mysql:///`: needs a host: mysql://user:password@host:4000/"),
        (
            "mysql://root:pw@h:99999/",
            6010,
            "sink URI `mysql://root:xxxxx@h:99999/`: has a port `99999` that is no number up to 65535",
        ),
        ("mysql://root:p#w@h/", 6010, "sink URI `mysql://root:xxxxx@h/`: holds a `#`; encode it as %23"),
        (
            "mysql://h/?a b=1",
            6010,
            "sink URI `mysql://h/?a b=1`: holds white space or control characters; encode a space as %20",
        ),
        (
            "mysql://root:pw@h/?worker-cuont=8",
            6012,
            "sink URI `mysql://root:xxxxx@h/?worker-cuont=8`: mysql has no parameter `worker-cuont`; did you mean `worker-count`?",
        ),
        (
            "mysql://h/?partition-num=3",
            6012,
            "sink URI `mysql://h/?partition-num=3`: mysql has no parameter `partition-num`",
        ),
        (
            "mysql://h/?max-txn-row=5000",
            6013,
            "sink URI `mysql://h/?max-txn-row=5000`: parameter `max-txn-row`: 5000 is not within 1 to 2048",
        ),
        (
            "mysql://h/?worker-count=many",
            6013,
            "sink URI `mysql://h/?worker-count=many`: parameter `worker-count`: `many` is no whole number from 1 to 1024",
        ),
        (
            "mysql://h/?safe-mode=yes",
            6013,
            "sink URI `mysql://h/?safe-mode=yes`: parameter `safe-mode`: `yes` is neither `true` nor `false`",
        ),
        (
            "file:///d?protocol=csv&flush-interval=1ms",
            6013,
            "sink URI `file:///d?protocol=csv&flush-interval=1ms`: parameter `flush-interval`: 1ms is not within 100ms to 10m0s",
        ),
        ("kafka://h/t?protocol=canal", 0, ""),
        (
            "kafka://h/t?protocol=canaljson",
            6013,
            "sink URI `kafka://h/t?protocol=canaljson`: parameter `protocol`: `canaljson` is not known; did you mean `canal-json`?",
        ),
        ("kafka://h:9092", 6010, "sink URI `kafka://h:9092`: needs a topic: kafka://broker:9092/topic?protocol=…"),
        ("s3:///x", 6010, "sink URI `s3:///x`: needs a bucket: s3://bucket/prefix?protocol=…"),
        (
            "azblob://c?account-key=hunter2&sas-token=hunter3",
            6010,
            "sink URI `azblob://c?account-key=xxxxx&sas-token=xxxxx`: takes `account-key` or `sas-token`, not both",
        ),
        (
            "s3://b?sse=AES256&sse-kms-key-id=k",
            6010,
            "sink URI `s3://b?sse=AES256&sse-kms-key-id=xxxxx`: gives `sse-kms-key-id` without `sse=aws:kms`",
        ),
        (
            "s3://b?sse=aes",
            6013,
            "sink URI `s3://b?sse=aes`: parameter `sse`: `aes` is not known; one of aes256, aws:kms, aws:kms:dsse",
        ),
        (
            "s3://b?role-arn=r",
            6013,
            "sink URI `s3://b?role-arn=r`: parameter `role-arn`: is not implemented: let the server's environment or machine give it the role",
        ),
        (
            "azure://c?sas-token=sv=1&sig=hunter2",
            6012,
            "sink URI `azure://c?sas-token=xxxxx&sig=xxxxx`: azblob has no parameter `sig`",
        ),
        ("gcs://b?account-key=x", 6012, "sink URI `gcs://b?account-key=xxxxx`: gcs has no parameter `account-key`"),
        (
            "kafka://h/t?sasl-password=hunter2&max-retry=x",
            6013,
            "sink URI `kafka://h/t?sasl-password=xxxxx&max-retry=x`: parameter `max-retry`: `x` is no whole number from 0 to 1000000",
        ),
    ] {
        let Err(error) = SinkUri::parse(text) else {
            assert_eq!(code, 0, "{text}");
            continue;
        };
        assert_eq!((error.to_string(), error.code().0), (message.to_owned(), code), "{text}");
        assert!(tg_config::CODES.iter().any(|p| p.code == error.code()), "{text}");
    }
}

#[test]
fn uri_wins_over_file_wins_over_default() {
    let toml = "[sink]\nsafe-mode = true\n[sink.mysql-config]\nworker-count = 4\nmax-txn-row = 10\nread-timeout = '3s'";
    let (config, _) = ChangefeedConfig::from_toml("cf.toml", toml).unwrap();
    let uri = SinkUri::parse("mysql+ssl://u:p@h/?worker-count=8&batch-dml-enable=false").unwrap();
    let options = MysqlOptions::new(&uri, &config).unwrap();
    assert_eq!((options.worker_count, options.max_txn_row, options.max_multi_update_row), (Some(8), 10, 40));
    assert_eq!((options.host.as_str(), options.port, options.user.as_str()), ("h", 4000, "u"));
    assert_eq!((options.tls, options.safe_mode, options.batch_dml, options.multi_statement), (true, true, false, true));
    assert_eq!((options.read_timeout, options.write_timeout), (Interval::from_secs(3), Interval::from_secs(120)));

    let (config, _) = ChangefeedConfig::from_toml("cf.toml", "[sink.mysql-config]\nmax-txn-row = 9999").unwrap();
    let error = MysqlOptions::new(&uri, &config).unwrap_err().to_string();
    assert_eq!(error, "changefeed config: option `sink.mysql-config.max-txn-row`: 9999 is not within 1 to 2048");
}

#[test]
fn postgres_uris_are_read_as_libpq_reads_them() {
    let of = |text: &str| PostgresOptions::new(&SinkUri::parse(text).unwrap(), &ChangefeedConfig::default());
    let o = of(
        "postgres://u:p%40ss@h/shop?sslmode=verify-ca&sslrootcert=/ca&sslcert=/c&sslkey=/k&zero-dates=null&safe-mode=true",
    );
    assert_eq!((o.host.as_str(), o.port, o.user.as_str(), o.database.as_str()), ("h", 5432, "u", "shop"));
    assert_eq!((o.password.expose(), o.ssl_mode), ("p@ss", SslMode::VerifyCa));
    assert_eq!((o.ssl_root_cert.as_deref(), o.ssl_identity), (Some("/ca"), Some(("/c".into(), "/k".into()))));
    assert_eq!(o.plugin["zero-dates"], "null");
    assert_eq!(o.plugin["safe-mode"], true);
    assert_eq!((of("postgresql://me@h").database.as_str(), of("postgres://h").database.as_str()), ("me", "postgres"));
    assert_eq!(of("postgres://h").ssl_mode, SslMode::Prefer);
    assert_eq!(of("postgres://h?sslmode=require&sslrootcert=/ca").ssl_mode, SslMode::VerifyCa);
    for (text, message) in [
        ("postgres:///", "sink URI `postgres:///`: needs a host: postgres://user:password@host:5432/database"),
        ("postgres://a,b/", "sink URI `postgres://a,b/`: takes one host; put a proxy in front of several"),
        (
            "postgres://u:pw@h/a/b",
            "sink URI `postgres://u:xxxxx@h/a/b`: names one database behind the host; schemas are made after the source's databases",
        ),
        (
            "postgres://h/?sslcert=/c",
            "sink URI `postgres://h/?sslcert=/c`: needs `sslcert` and `sslkey` together, or neither",
        ),
        (
            "postgres://h/?sslmode=verify-fll",
            "sink URI `postgres://h/?sslmode=verify-fll`: parameter `sslmode`: `verify-fll` is not known; did you mean `verify-full`?",
        ),
        (
            "postgres://h/?ssl-mode=require",
            "sink URI `postgres://h/?ssl-mode=require`: postgres has no parameter `ssl-mode`; did you mean `sslmode`?",
        ),
        ("postgress://h/", "sink URI `postgress://h/`: there is no scheme `postgress`; did you mean `postgres`?"),
    ] {
        assert_eq!(SinkUri::parse(text).unwrap_err().to_string(), message);
    }
}

#[test]
fn parameters_without_effect_give_a_warning() {
    let uri = SinkUri::parse("mysql://h/?where-clause=v1").unwrap();
    assert_eq!(uri.warnings[0].to_string(), "`where-clause` is accepted without effect");
    let uri = SinkUri::parse("mysql://h/?max-txn-row=9&dry-run=false").unwrap();
    let said: Vec<String> = uri.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["`max-txn-row` is not implemented yet and has no effect"]);
    let error = SinkUri::parse("mysql://h/?dry-run=true").unwrap_err().to_string();
    assert!(error.ends_with("parameter `dry-run`: is not implemented yet: rows would really be written"), "{error}");
}
