//! One connection to a store: registers regions, reads messages, delivers changes.

use super::effect::{Input, Registration, StreamNo};
use super::rows::{Harvest, Rows};
use super::sink::FeedSender;
use crate::net::{MESSAGE_MAX_BYTES, status_text};
use crate::stores::StoreMap;
use futures::FutureExt;
use std::sync::Arc;
use std::time::Duration;
use tg_proto::cdcpb;
use tg_proto::cdcpb::change_data_client::ChangeDataClient;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Status, Streaming};

/// What we say we are; it decides which protocol the store speaks.
const TICDC_VERSION: &str = "8.5.4";
/// Messages that are ready are taken together, up to so many and so much.
const DRAIN_MESSAGES: usize = 64;
const DRAIN_BYTES: usize = 2 << 20;

/// From the hub. Unbounded queues of these are bounded by what is subscribed.
pub(super) enum Command {
    Register(Box<Registration>),
    Deregister { request: u64 },
}

/// What a stream task works with.
pub(super) struct StreamTask {
    pub(super) stream: StreamNo,
    pub(super) store: u64,
    pub(super) group: u64,
    pub(super) cluster_id: u64,
    pub(super) prefix_len: usize,
    pub(super) unread_max: Duration,
    pub(super) stores: Arc<StoreMap>,
    pub(super) sink: FeedSender,
    pub(super) commands: mpsc::UnboundedReceiver<Command>,
    pub(super) hub: mpsc::Sender<Vec<Input>>,
}

type Requests = mpsc::UnboundedSender<cdcpb::ChangeDataRequest>;
type Messages = Streaming<cdcpb::ChangeDataEvent>;

impl StreamTask {
    /// Runs until the stream breaks, the consumer goes, or the hub closes it.
    pub(super) async fn run(mut self) {
        let mut rows = Rows::new(self.stream, self.prefix_len);
        let mut established = false;
        let reason = self.serve(&mut rows, &mut established).await;
        let Some(reason) = reason else { return };
        tracing::info!(store = self.store, stream = self.stream.0, reason, "change feed stream ended");
        self.tell(vec![Input::StreamDown { stream: self.stream, established }]).await;
    }

    async fn tell(&self, news: Vec<Input>) {
        if !news.is_empty() {
            // Without a hub there is nobody left to care.
            let _ = self.hub.send(news).await;
        }
    }

    /// Returns why the stream is over; `None` when nobody needs to know.
    async fn serve(&mut self, rows: &mut Rows, established: &mut bool) -> Option<String> {
        let channel = match self.stores.connect(self.store).await {
            Ok(channel) => channel,
            Err(error) => return Some(error.to_string()),
        };
        let mut client = ChangeDataClient::new(channel).max_decoding_message_size(MESSAGE_MAX_BYTES);
        let (requests, mut messages) = match self.open(&mut client, rows, true).await? {
            Ok(open) => open,
            Err(status) if status.code() == Code::Unimplemented => {
                let ended = rows.set_single();
                self.tell(ended).await;
                match self.open(&mut client, rows, false).await? {
                    Ok(open) => open,
                    Err(status) => return Some(status_text(&status)),
                }
            }
            Err(status) => return Some(status_text(&status)),
        };
        *established = true;
        loop {
            tokio::select! {
                biased;
                command = self.commands.recv() => {
                    let refused = self.command(command?, rows, &requests);
                    self.tell(refused.into_iter().collect()).await;
                }
                message = messages.message() => {
                    let mut harvest = Harvest::default();
                    let end = read(message, &mut messages, rows, &mut harvest);
                    let broken = harvest.broken;
                    if !self.deliver(&mut harvest).await? {
                        drop((requests, messages));
                        return self.wait_for_consumer(harvest).await;
                    }
                    match end {
                        Some(reason) => return Some(reason),
                        None if broken => return Some("it broke the rules".to_owned()),
                        None => {}
                    }
                }
            }
        }
    }

    /// Calls the store. It may answer the call only when it has something to say, so commands are served meanwhile.
    async fn open(
        &mut self,
        client: &mut ChangeDataClient<tonic::transport::Channel>,
        rows: &mut Rows,
        multiplexed: bool,
    ) -> Option<Result<(Requests, Messages), Status>> {
        let (tx, rx) = mpsc::unbounded_channel();
        for registration in rows.registrations() {
            let _ = tx.send(self.request(registration));
        }
        let mut request = Request::new(UnboundedReceiverStream::new(rx));
        let mut client = client.clone();
        let opening = async move {
            if multiplexed {
                request.metadata_mut().insert("features", MetadataValue::from_static("stream-multiplexing"));
                client.event_feed_v2(request).await
            } else {
                client.event_feed(request).await
            }
        };
        tokio::pin!(opening);
        loop {
            tokio::select! {
                biased;
                command = self.commands.recv() => {
                    let refused = self.command(command?, rows, &tx);
                    self.tell(refused.into_iter().collect()).await;
                }
                opened = &mut opening => {
                    if opened.is_ok() {
                        self.tell(vec![Input::StreamUp { stream: self.stream, multiplexed }]).await;
                    }
                    return Some(opened.map(|messages| (tx, messages.into_inner())));
                }
            }
        }
    }

    fn command(&self, command: Command, rows: &mut Rows, requests: &Requests) -> Option<Input> {
        let request = match command {
            Command::Register(registration) => {
                let request = self.request(&registration);
                if let Err(refused) = rows.add(*registration) {
                    return Some(refused);
                }
                request
            }
            Command::Deregister { request } => {
                rows.remove_request(request);
                cdcpb::ChangeDataRequest {
                    header: self.header(),
                    request_id: request,
                    request: Some(cdcpb::change_data_request::Request::Deregister(cdcpb::Deregister {})),
                    ..Default::default()
                }
            }
        };
        // A closed stream shows itself when it is read.
        let _ = requests.send(request);
        None
    }

    fn header(&self) -> Option<cdcpb::Header> {
        Some(cdcpb::Header { cluster_id: self.cluster_id, ticdc_version: TICDC_VERSION.to_owned() })
    }

    fn request(&self, registration: &Registration) -> cdcpb::ChangeDataRequest {
        cdcpb::ChangeDataRequest {
            header: self.header(),
            region_id: registration.region.id,
            region_epoch: Some(registration.region.epoch),
            checkpoint_ts: registration.checkpoint.get(),
            start_key: registration.range.start.clone(),
            end_key: registration.range.end.clone(),
            request_id: registration.request,
            extra_op: tg_proto::kvrpcpb::ExtraOp::ReadOldValue.into(),
            filter_loop: registration.filter_loop,
            ..Default::default()
        }
    }

    /// Changes first, then what follows from them. `Some(false)`: the consumer is too slow; `None`: it is gone.
    async fn deliver(&mut self, harvest: &mut Harvest) -> Option<bool> {
        if !harvest.batches.is_empty() {
            match tokio::time::timeout(self.unread_max, self.sink.send(&mut harvest.batches)).await {
                Ok(true) => {}
                Ok(false) => {
                    self.tell(vec![Input::GroupClosed { group: self.group }]).await;
                    return None;
                }
                Err(_) => return Some(false),
            }
        }
        self.tell(std::mem::take(&mut harvest.news)).await;
        Some(true)
    }

    /// The stream has been given up; its subscriptions are made anew when the consumer has room.
    async fn wait_for_consumer(&mut self, mut harvest: Harvest) -> Option<String> {
        if !self.sink.send(&mut harvest.batches).await {
            self.tell(vec![Input::GroupClosed { group: self.group }]).await;
            return None;
        }
        self.tell(std::mem::take(&mut harvest.news)).await;
        Some("its consumer was too slow".to_owned())
    }
}

/// Takes in a message and those that are ready behind it; returns why the stream is over, if it is.
fn read(
    first: Result<Option<cdcpb::ChangeDataEvent>, Status>,
    messages: &mut Messages,
    rows: &mut Rows,
    harvest: &mut Harvest,
) -> Option<String> {
    let mut next = first;
    let mut room = DRAIN_MESSAGES;
    loop {
        match next {
            Ok(Some(message)) => rows.message(message, harvest),
            Ok(None) => return Some("the store closed it".to_owned()),
            Err(status) => return Some(status_text(&status)),
        }
        room -= 1;
        if room == 0 || harvest.broken || harvest.weight_bytes >= DRAIN_BYTES {
            return None;
        }
        next = messages.message().now_or_never()?;
    }
}
