//! Messages of a topic to events.

use crate::error::ConsumeError;
use crate::registry::SchemaRegistry;
use std::borrow::Cow;
use tg_format_avro::{SchemaId, read_header};
use tg_format_common::{Bytes, ChangeEvent, Compression, DecodeError, Expand};
use tg_kafka::TopicMessage;

/// Message formats of topics that can be read back.
#[derive(Clone, Debug)]
pub enum TopicProtocol {
    /// `canal-json`; with the extension it has commit timestamps and watermarks.
    CanalJson {
        /// `enable-tidb-extension`.
        extension: bool,
    },
    /// `open-protocol`.
    OpenProtocol,
    /// `simple`, as JSON or avro.
    Simple,
    /// `debezium`; with the extension it has watermarks.
    Debezium {
        /// `enable-tidb-extension`.
        extension: bool,
    },
    /// `avro`.
    Avro {
        /// Where its schemas are.
        registry: SchemaRegistry,
        /// `avro-enable-watermark` with the extension: commit timestamps, statements and watermarks.
        watermarks: bool,
    },
    /// `debezium-avro`.
    DebeziumAvro {
        /// Where its schemas are.
        registry: SchemaRegistry,
    },
}

impl TopicProtocol {
    /// Whether the writer says up to where everything has been sent.
    pub(crate) const fn has_watermarks(&self) -> bool {
        match self {
            Self::CanalJson { extension } | Self::Debezium { extension } => *extension,
            Self::OpenProtocol | Self::Simple => true,
            Self::Avro { watermarks, .. } => *watermarks,
            Self::DebeziumAvro { .. } => false,
        }
    }

    /// Whether messages cannot be understood without those before them.
    pub(crate) const fn needs_the_beginning(&self) -> bool {
        matches!(self, Self::Simple)
    }

    const fn registry(&self) -> Option<&SchemaRegistry> {
        match self {
            Self::Avro { registry, .. } | Self::DebeziumAvro { registry } => Some(registry),
            Self::CanalJson { .. } | Self::OpenProtocol | Self::Simple | Self::Debezium { .. } => None,
        }
    }
}

/// How messages are read; some formats learn from those before.
enum Format {
    CanalJson,
    OpenProtocol,
    Debezium,
    Simple(tg_format_simple::Decoder),
    Avro(tg_format_avro::Decoder<SchemaRegistry>),
    DebeziumAvro(tg_format_debezium_avro::Decoder<SchemaRegistry>),
}

impl Format {
    /// Whether a message without a value is a change: in avro it is the deleted row, in the others it follows the row that it is about.
    const fn has_tombstones(&self) -> bool {
        matches!(self, Self::Avro(_))
    }
}

/// A decoder with what it has learnt.
pub(crate) struct Decoder {
    format: Format,
    /// Undoes the compression of single values.
    expand: Option<Expand>,
    registry: Option<SchemaRegistry>,
}

impl Decoder {
    pub(crate) fn new(protocol: &TopicProtocol, compression: Compression) -> Self {
        let format = match protocol {
            TopicProtocol::CanalJson { .. } => Format::CanalJson,
            TopicProtocol::OpenProtocol => Format::OpenProtocol,
            TopicProtocol::Debezium { .. } => Format::Debezium,
            TopicProtocol::Simple => Format::Simple(tg_format_simple::Decoder::new()),
            TopicProtocol::Avro { registry, .. } => Format::Avro(tg_format_avro::Decoder::new(registry.clone())),
            TopicProtocol::DebeziumAvro { registry } => {
                Format::DebeziumAvro(tg_format_debezium_avro::Decoder::new(registry.clone()))
            }
        };
        Self { format, expand: compression.inverse(), registry: protocol.registry().cloned() }
    }

    /// The events of a message; `topic` is for errors. After an error that may pass it can be asked again.
    pub(crate) async fn events(&mut self, topic: &str, m: &TopicMessage) -> Result<Vec<ChangeEvent>, ConsumeError> {
        let at = || format!("topic {topic}, partition {}, offset {}", m.partition, m.offset);
        if let Some(registry) = &self.registry {
            let numbers: Vec<u32> = [&m.key, &m.value].into_iter().flatten().filter_map(|b| number(b)).collect();
            registry.learn(&numbers, &at()).await?;
        }
        self.read(m).map_err(|e: DecodeError| ConsumeError::Damaged { path: at(), reason: e.to_string() })
    }

    fn read(&mut self, m: &TopicMessage) -> Result<Vec<ChangeEvent>, DecodeError> {
        let (key, value) = (m.key.as_deref(), m.value.as_deref());
        if value.is_none() && !self.format.has_tombstones() {
            return Ok(Vec::new());
        }
        let whole = value.unwrap_or_default();
        // Changes that are joined are compressed each by itself.
        let whole = match (self.expand, &self.format) {
            (Some(expand), Format::CanalJson | Format::Simple(_)) => Cow::Owned(expand(whole)?),
            _ => Cow::Borrowed(whole),
        };
        let event = match &mut self.format {
            Format::OpenProtocol => {
                return tg_format_open_protocol::decode(key.unwrap_or_default(), &whole, self.expand);
            }
            Format::CanalJson => tg_format_canal_json::decode(&whole),
            Format::Debezium => {
                let names = key.map_or(Ok(Vec::new()), tg_format_debezium::decode_key)?;
                tg_format_debezium::decode(&names, &whole)
            }
            Format::Simple(decoder) => decoder.decode(&whole),
            Format::Avro(decoder) => decoder.decode(key, value),
            Format::DebeziumAvro(decoder) => decoder.decode(key, &whole),
        };
        Ok(vec![event?])
    }
}

/// The schema that a key or value is written with; what has no such number, its decoder judges.
fn number(bytes: &[u8]) -> Option<u32> {
    match read_header(&mut Bytes(bytes)) {
        Ok(SchemaId::Confluent(id)) => Some(id),
        Ok(SchemaId::Glue(_)) | Err(_) => None,
    }
}
