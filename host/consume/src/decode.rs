//! Messages of a topic to events.

use crate::error::ConsumeError;
use tg_format_common::{ChangeEvent, DecodeError};
use tg_kafka::TopicMessage;

/// Message formats of topics that can be read back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
}

impl TopicProtocol {
    /// Whether the writer says up to where everything has been sent.
    pub(crate) const fn has_watermarks(self) -> bool {
        match self {
            Self::CanalJson { extension } | Self::Debezium { extension } => extension,
            Self::OpenProtocol | Self::Simple => true,
        }
    }

    /// Whether messages cannot be understood without those before them.
    pub(crate) const fn needs_the_beginning(self) -> bool {
        matches!(self, Self::Simple)
    }
}

/// A decoder with what it has learnt.
pub(crate) struct Decoder {
    protocol: TopicProtocol,
    simple: tg_format_simple::Decoder,
}

impl Decoder {
    pub(crate) fn new(protocol: TopicProtocol) -> Self {
        Self { protocol, simple: tg_format_simple::Decoder::new() }
    }

    /// The events of a message; `topic` is for errors.
    pub(crate) fn events(&mut self, topic: &str, m: &TopicMessage) -> Result<Vec<ChangeEvent>, ConsumeError> {
        self.read(m).map_err(|e: DecodeError| ConsumeError::Damaged {
            path: format!("topic {topic}, partition {}, offset {}", m.partition, m.offset),
            reason: e.to_string(),
        })
    }

    fn read(&mut self, m: &TopicMessage) -> Result<Vec<ChangeEvent>, DecodeError> {
        // A tombstone follows the row that it is about.
        let Some(value) = m.value.as_deref() else { return Ok(Vec::new()) };
        match self.protocol {
            TopicProtocol::CanalJson { .. } => Ok(vec![tg_format_canal_json::decode(value)?]),
            TopicProtocol::OpenProtocol => {
                tg_format_open_protocol::decode(m.key.as_deref().unwrap_or_default(), value, None)
            }
            TopicProtocol::Simple => Ok(vec![self.simple.decode(value)?]),
            TopicProtocol::Debezium { .. } => {
                let names = m.key.as_deref().map_or(Ok(Vec::new()), tg_format_debezium::decode_key)?;
                Ok(vec![tg_format_debezium::decode(&names, value)?])
            }
        }
    }
}
