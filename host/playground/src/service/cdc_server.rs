//! The gRPC plumbing of the change feed service: answers are bytes that were encoded once, elsewhere.
//!
//! The generated server would encode every message for every subscriber anew.

use super::cdc::{FeedService, Output};
use bytes::BufMut;
use futures::future::BoxFuture;
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use tg_proto::cdcpb::ChangeDataRequest;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{Body, Service, StdError, http};
use tonic::{Request, Response, Status, Streaming};

use crate::store::Piece;

/// The service as the transport sees it.
#[derive(Clone)]
pub(crate) struct FeedServer(pub(crate) Arc<FeedService>);

impl tonic::server::NamedService for FeedServer {
    const NAME: &'static str = "cdcpb.ChangeData";
}

impl<B> Service<http::Request<B>> for FeedServer
where
    B: Body + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let v2 = match request.uri().path() {
            "/cdcpb.ChangeData/EventFeed" => false,
            "/cdcpb.ChangeData/EventFeedV2" => true,
            _ => return Box::pin(async { Ok(Status::unimplemented("").into_http()) }),
        };
        let feed = Feed { service: self.0.clone(), v2 };
        Box::pin(async move { Ok(tonic::server::Grpc::new(FeedCodec).streaming(feed, request).await) })
    }
}

struct Feed {
    service: Arc<FeedService>,
    v2: bool,
}

impl tonic::server::StreamingService<ChangeDataRequest> for Feed {
    type Response = Vec<Piece>;
    type ResponseStream = Output;
    type Future = BoxFuture<'static, Result<Response<Output>, Status>>;

    fn call(&mut self, request: Request<Streaming<ChangeDataRequest>>) -> Self::Future {
        let (service, v2) = (self.service.clone(), self.v2);
        Box::pin(async move { service.feed(request, v2).map(Response::new) })
    }
}

#[derive(Clone, Copy, Default)]
struct FeedCodec;

impl Codec for FeedCodec {
    type Encode = Vec<Piece>;
    type Decode = ChangeDataRequest;
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
    type Item = Vec<Piece>;
    type Error = Status;

    fn encode(&mut self, pieces: Vec<Piece>, dst: &mut EncodeBuf<'_>) -> Result<(), Status> {
        dst.reserve(pieces.iter().map(Piece::len_bytes).sum());
        for piece in pieces {
            match piece {
                Piece::Event(head, body) => {
                    dst.put_slice(&head);
                    dst.put_slice(&body);
                }
                Piece::Resolved(message) => dst.put_slice(&message),
            }
        }
        Ok(())
    }
}

impl Decoder for FeedCodec {
    type Item = ChangeDataRequest;
    type Error = Status;

    fn decode(&mut self, src: &mut DecodeBuf<'_>) -> Result<Option<ChangeDataRequest>, Status> {
        let request = prost::Message::decode(src);
        request.map(Some).map_err(|e| Status::internal(e.to_string()))
    }
}
