//! Why the consumer ended.

use tg_model::{Code, CodePage, Coded};

/// An error of `tidegate consume`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error(transparent)]
    Config(#[from] tg_config::ConfigError),
    #[error(transparent)]
    Store(#[from] tg_object_store::StoreError),
    #[error(transparent)]
    Server(#[from] tg_server::ServerError),
    #[error(transparent)]
    Consume(#[from] tg_consume::ConsumeError),
    #[error(transparent)]
    Kafka(#[from] tg_kafka::Fault),
    /// A format without a reader.
    #[error("`{protocol}` cannot be read back by this build; every format of topics that it writes can")]
    NoDecoder { protocol: &'static str },
    /// Another kind of source.
    #[error("{uri} is no folder, bucket or topic that changes can be read from")]
    NoSource { uri: String },
    /// Another kind of target.
    #[error("{uri} is no database that changes can be applied to")]
    NoTarget { uri: String },
}

impl Coded for Failed {
    fn code(&self) -> Code {
        match self {
            Self::Config(e) => e.code(),
            Self::Store(e) => e.code(),
            Self::Server(e) => e.code(),
            Self::Consume(e) => e.code(),
            Self::Kafka(e) => e.code(),
            Self::NoDecoder { .. } => Code(8213),
            Self::NoSource { .. } => Code(8211),
            Self::NoTarget { .. } => Code(8212),
        }
    }
}

/// Pages of its own codes.
pub(crate) const CODES: &[CodePage] = &[
    CodePage {
        code: Code(8211),
        title: "Changes cannot be read from there",
        cause: "`tidegate consume` reads what a changefeed wrote to a folder, a bucket or a topic; the URI is of another kind.",
        action: "Give the sink URI of the changefeed: file:///…, s3://…, kafka://….",
    },
    CodePage {
        code: Code(8212),
        title: "Changes cannot be applied there",
        cause: "`tidegate consume --to` applies changes to MySQL, MariaDB or TiDB; the URI is of another kind.",
        action: "Give --to mysql://user:password@host:port/, or leave it out to print the changes.",
    },
    CodePage {
        code: Code(8213),
        title: "This format cannot be read back",
        cause: "`tidegate consume` reads topics in canal-json, open-protocol, simple, debezium, avro and debezium-avro; the URI or the file \
                names another format.",
        action: "Give the `protocol` that the changefeed writes. What a plugin of your own writes, a reader of your own has to read.",
    },
];
