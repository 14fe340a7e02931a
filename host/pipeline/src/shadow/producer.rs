//! Topics of one partition that take every message.

use super::Notes;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;
use tg_model::Position;
use tg_plugin::grant::{EndpointError, LaneContext, Messages, Producer, ProducerEndpoint};

const MESSAGE_MAX_BYTES: u32 = 16 << 20;

pub(super) struct Shadow(pub(super) Arc<Notes>);

struct Open(Arc<Notes>);

impl ProducerEndpoint for Shadow {
    fn open(&self, _: LaneContext) -> BoxFuture<'_, Result<Box<dyn Producer>, EndpointError>> {
        let open = Open(Arc::clone(&self.0));
        async { Ok(Box::new(open) as Box<dyn Producer>) }.boxed()
    }
}

impl Producer for Open {
    fn partitions<'a>(&'a mut self, _: &'a str) -> BoxFuture<'a, Result<u32, EndpointError>> {
        async { Ok(1) }.boxed()
    }

    fn max_message_bytes<'a>(&'a mut self, _: &'a str) -> BoxFuture<'a, Result<u32, EndpointError>> {
        async { Ok(MESSAGE_MAX_BYTES) }.boxed()
    }

    fn send(&mut self, messages: Messages) -> BoxFuture<'_, Result<(), EndpointError>> {
        for i in 0..messages.len() {
            let topic = messages.topic_of.get(i).copied().unwrap_or(0);
            let topic = messages.topics.get(usize::from(topic)).map_or("", String::as_str);
            let partition = messages.partitions.get(i);
            let key = messages.keys.as_ref().map(|k| k.get(i));
            let headers = &messages.headers;
            let what = format!("message to {topic:?}, partition {partition:?}, key {key:?}, headers {headers:?}");
            self.0.call(&what, &messages.values.get(i));
        }
        async { Ok(()) }.boxed()
    }

    fn flush(&mut self, _: Option<Position>) -> BoxFuture<'_, Result<(), EndpointError>> {
        async { Ok(()) }.boxed()
    }
}
