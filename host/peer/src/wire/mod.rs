//! Messages as they travel. The types of the wire are not those of the protocol: they change by the rules of the wire alone.

mod read;
mod write;

use bytes::Bytes;
use prost::Message as _;
use tg_cluster::Message;
use tg_proto::tgpeer as pb;

/// The largest message that is taken.
pub const MESSAGE_MAX_BYTES: usize = 16 << 20;
/// Messages within messages: a relayed one is not relayed again.
pub(crate) const DEPTH_MAX: usize = 2;

/// Why bytes are no message.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WireError {
    /// They are too many.
    #[error("it has {0} bytes")]
    TooLarge(usize),
    /// They are not protobuf.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// A field that must be there is not.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// A field has a value that it cannot have.
    #[error("its {0} cannot be")]
    Bad(&'static str),
}

/// A message as bytes.
#[must_use]
pub fn encode(message: &Message) -> Bytes {
    write::message(message).encode_to_vec().into()
}

/// Reads a message of any version that this program knows.
///
/// # Errors
/// When the bytes are none.
pub fn decode(bytes: &[u8]) -> Result<Message, WireError> {
    if bytes.len() > MESSAGE_MAX_BYTES {
        return Err(WireError::TooLarge(bytes.len()));
    }
    let found = pb::Message::decode(bytes).map_err(|e| WireError::Damaged(e.to_string()))?;
    from_proto(found)
}

pub(crate) fn to_proto(message: &Message) -> pb::Message {
    write::message(message)
}

pub(crate) fn from_proto(message: pb::Message) -> Result<Message, WireError> {
    read::message(message, 0)
}

pub(crate) fn id_to(n: u128) -> Bytes {
    write::id(n)
}

pub(crate) fn id_from(bytes: &[u8], what: &'static str) -> Result<u128, WireError> {
    read::id(bytes, what)
}
