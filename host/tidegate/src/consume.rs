//! `tidegate consume`: from files or a topic to a database or to lines of JSON.

mod error;

pub(crate) use error::CODES;

use error::Failed;
use std::io;
use std::time::Duration;
use tg_cli::ConsumeArgs;
use tg_config::uri::Family;
use tg_config::{ChangefeedConfig, KafkaOptions, MysqlOptions, SinkUri, StorageOptions};
use tg_consume::{
    Compression, Consumed, MysqlTable, Pace, Print, Protocol, SchemaRegistry, Source, StorageSource, Target,
    TopicProtocol, TopicSource, consume,
};
use tg_kafka::TopicReader;
use tg_object_store::StoreEndpoint;

/// Runs until everything is taken, or without end.
pub(crate) async fn run(args: ConsumeArgs) -> Result<(), Failed> {
    let config = match &args.config {
        Some(path) => ChangefeedConfig::load(path)?.0,
        None => ChangefeedConfig::default(),
    };
    let uri = SinkUri::parse(&args.source)?;
    let (mut source, name) = source(&uri, &config).await?;
    let mut target: Box<dyn Target> = match &args.to {
        None => Box::new(Print::new(io::stdout())),
        Some(to) => {
            let to = SinkUri::parse(to)?;
            if to.scheme.family() != Family::Mysql {
                return Err(Failed::NoTarget { uri: to.to_string() });
            }
            let to = MysqlOptions::new(&to, &ChangefeedConfig::default())?;
            Box::new(MysqlTable::connect(tg_server::mysql_target(&to), &name).await?)
        }
    };
    let pace = if args.follow { Pace::Follow(Duration::from_millis(args.every)) } else { Pace::Once };
    let follow = args.follow;
    let mut told = Consumed::default();
    let tell = |now: Consumed| {
        if follow && now != told {
            eprintln!("{}", shown(now));
            told = now;
        }
    };
    let consumed = consume(source.as_mut(), target.as_mut(), pace, tell).await?;
    eprintln!("{}", shown(consumed));
    Ok(())
}

/// The source, and its name for the progress.
async fn source(uri: &SinkUri, config: &ChangefeedConfig) -> Result<(Box<dyn Source>, String), Failed> {
    match uri.scheme.family() {
        Family::Storage => {
            let options = StorageOptions::new(uri, config)?;
            let target = tg_server::storage_target(&options.place)?;
            let store = StoreEndpoint::connect(&target).await?;
            let source = StorageSource::new(store.bucket(), protocol(&options, config));
            Ok((Box::new(source), target.shown()))
        }
        Family::Kafka => {
            let options = KafkaOptions::new(uri, config)?;
            let protocol = topic_protocol(&options)?;
            let reader = TopicReader::open(tg_server::kafka_target(&options.link), &options.topic).await?;
            let name = format!("kafka://{}/{}", options.link.brokers.join(","), options.topic);
            let compression = Compression::parse(&options.value_compression).unwrap_or_default();
            Ok((Box::new(TopicSource::new(reader, protocol, compression)), name))
        }
        _ => Err(Failed::NoSource { uri: uri.to_string() }),
    }
}

fn topic_protocol(options: &KafkaOptions) -> Result<TopicProtocol, Failed> {
    let extension = options.enable_tidb_extension;
    match options.protocol {
        "canal-json" => Ok(TopicProtocol::CanalJson { extension }),
        "open-protocol" => Ok(TopicProtocol::OpenProtocol),
        "simple" => Ok(TopicProtocol::Simple),
        "debezium" => Ok(TopicProtocol::Debezium { extension }),
        // Watermarks are of use where rows say when they were committed.
        "avro" => {
            let watermarks = extension && options.avro_enable_watermark;
            Ok(TopicProtocol::Avro { registry: registry(options)?, watermarks })
        }
        "debezium-avro" => Ok(TopicProtocol::DebeziumAvro { registry: registry(options)? }),
        other => Err(Failed::NoDecoder { protocol: other }),
    }
}

/// The registry of the avro formats, without which their options are refused.
fn registry(options: &KafkaOptions) -> Result<SchemaRegistry, Failed> {
    let url = options.schema_registry.as_ref().ok_or(Failed::NoDecoder { protocol: options.protocol })?;
    Ok(SchemaRegistry::at(url.expose())?)
}

fn shown(c: Consumed) -> String {
    format!("{} rows and {} statements, up to {}", c.rows, c.ddls, c.checkpoint)
}

fn protocol(options: &StorageOptions, config: &ChangefeedConfig) -> Protocol {
    let sink = &config.sink;
    match options.protocol.as_str() {
        "csv" => {}
        "parquet" => return Protocol::Parquet,
        _ => return Protocol::CanalJson(sink.terminator.clone()),
    }
    let hex = sink.csv.binary_encoding_method == "hex";
    Protocol::Csv(tg_format_csv::Options {
        delimiter: sink.csv.delimiter.clone(),
        quote: sink.csv.quote.bytes().next(),
        null: sink.csv.null.clone(),
        terminator: sink.terminator.clone(),
        include_commit_ts: sink.csv.include_commit_ts,
        binary: if hex { tg_format_csv::Binary::Hex } else { tg_format_csv::Binary::Base64 },
        output_old_value: sink.csv.output_old_value,
        output_field_header: sink.csv.output_field_header,
    })
}
