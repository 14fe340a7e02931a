//! The change feed's call with messages as they come: whole, not yet decoded.

use bytes::{Buf, Bytes};
use prost::Message;
use tg_proto::cdcpb::ChangeDataRequest;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{IntoStreamingRequest, Status, Streaming};

/// The two forms of the call: many subscriptions of a region on a stream, or one.
const MULTIPLEXED: &str = "/cdcpb.ChangeData/EventFeedV2";
const SINGLE: &str = "/cdcpb.ChangeData/EventFeed";

/// Opens a stream.
pub(super) async fn event_feed(
    channel: Channel,
    multiplexed: bool,
    message_max_bytes: usize,
    requests: impl IntoStreamingRequest<Message = ChangeDataRequest>,
) -> Result<Streaming<Bytes>, Status> {
    let mut client = tonic::client::Grpc::new(channel).max_decoding_message_size(message_max_bytes);
    client.ready().await.map_err(|e| Status::unavailable(crate::net::chain(&e)))?;
    let path = PathAndQuery::from_static(if multiplexed { MULTIPLEXED } else { SINGLE });
    let response = client.streaming(requests.into_streaming_request(), path, FeedCodec).await?;
    Ok(response.into_inner())
}

#[derive(Clone, Copy)]
struct FeedCodec;

impl Codec for FeedCodec {
    type Encode = ChangeDataRequest;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for FeedCodec {
    type Item = ChangeDataRequest;
    type Error = Status;

    fn encode(&mut self, request: ChangeDataRequest, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        request.encode(to).map_err(|e| Status::internal(e.to_string()))
    }
}

impl Decoder for FeedCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
