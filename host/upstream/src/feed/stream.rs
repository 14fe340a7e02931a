//! One connection to a store: registers regions, reads messages, delivers changes.

use super::budget::Budget;
use super::codec::event_feed;
use super::effect::{Input, Registration, StreamNo};
use super::rows::{HARVEST_BYTES, Harvest, Rows};
use super::sink::FeedSender;
use crate::net::{MESSAGE_MAX_BYTES, status_text};
use crate::stores::StoreMap;
use bytes::Bytes;
use futures::FutureExt;
use std::sync::Arc;
use std::time::Duration;
use tg_proto::cdcpb;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request, Status, Streaming};

/// What we say we are; it decides which protocol the store speaks.
const TICDC_VERSION: &str = "8.5.4";
/// Messages that are ready are taken together, up to so many.
const DRAIN_MESSAGES: usize = 64;

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
    pub(super) budget: Arc<Budget>,
    pub(super) stores: Arc<StoreMap>,
    pub(super) sink: FeedSender,
    pub(super) commands: mpsc::UnboundedReceiver<Command>,
    pub(super) hub: mpsc::Sender<Vec<Input>>,
}

type Requests = mpsc::UnboundedSender<cdcpb::ChangeDataRequest>;
type Messages = Streaming<Bytes>;
type Message = Result<Option<Bytes>, Status>;

impl StreamTask {
    /// Runs until the stream breaks, the consumer goes, or the hub closes it.
    pub(super) async fn run(mut self) {
        let mut rows = Rows::new(self.stream, self.prefix_len, Arc::clone(&self.budget));
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
        let (requests, mut messages) = match self.open(&channel, rows, true).await? {
            Ok(open) => open,
            Err(status) if status.code() == Code::Unimplemented => {
                let ended = rows.set_single();
                self.tell(ended).await;
                match self.open(&channel, rows, false).await? {
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
                message = messages.message() => match self.take(message, &mut messages, rows).await? {
                    Flow::On => {}
                    Flow::Slow(harvest) => {
                        drop((requests, messages));
                        return self.wait_for_consumer(*harvest).await;
                    }
                    Flow::End(reason) => return Some(reason),
                }
            }
        }
    }

    /// Takes in and delivers a message and those that are ready behind it. `None`: the consumer is gone.
    async fn take(&mut self, first: Message, messages: &mut Messages, rows: &mut Rows) -> Option<Flow> {
        let mut next = Some(first);
        loop {
            let mut harvest = Harvest::default();
            let end = blocking(rows.uses_disk(), || read(&mut next, messages, rows, &mut harvest));
            let broken = harvest.broken;
            if !self.deliver(&mut harvest).await? {
                return Some(Flow::Slow(Box::new(harvest)));
            }
            match end {
                Read::Over(reason) => return Some(Flow::End(reason)),
                _ if broken => return Some(Flow::End("it broke the rules".to_owned())),
                Read::More => {}
                Read::All => return Some(Flow::On),
            }
        }
    }

    /// Calls the store. It may answer the call only when it has something to say, so commands are served meanwhile.
    async fn open(
        &mut self,
        channel: &Channel,
        rows: &mut Rows,
        multiplexed: bool,
    ) -> Option<Result<(Requests, Messages), Status>> {
        let (tx, rx) = mpsc::unbounded_channel();
        for registration in rows.registrations() {
            let _ = tx.send(self.request(registration));
        }
        let mut request = Request::new(UnboundedReceiverStream::new(rx));
        if multiplexed {
            request.metadata_mut().insert("features", MetadataValue::from_static("stream-multiplexing"));
        }
        let opening = event_feed(channel.clone(), multiplexed, MESSAGE_MAX_BYTES, request);
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
                    return Some(opened.map(|messages| (tx, messages)));
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

/// How a stream goes on.
enum Flow {
    On,
    /// The consumer does not take this.
    Slow(Box<Harvest>),
    /// Why it is over.
    End(String),
}

/// What a reading came to.
enum Read {
    /// No message is ready.
    All,
    /// The harvest is full before that.
    More,
    /// The stream is over.
    Over(String),
}

/// Goes on with the message at hand, or `next`, and takes in those that are ready behind it.
fn read(next: &mut Option<Message>, messages: &mut Messages, rows: &mut Rows, harvest: &mut Harvest) -> Read {
    let mut room = DRAIN_MESSAGES;
    loop {
        match next.take() {
            None => {}
            Some(Ok(Some(message))) => rows.put(message),
            Some(Ok(None)) => return Read::Over("the store closed it".to_owned()),
            Some(Err(status)) => return Read::Over(status_text(&status)),
        }
        match rows.step(harvest) {
            Ok(true) => {}
            Ok(false) => return Read::More,
            Err(malformed) => return Read::Over(malformed.to_string()),
        }
        room -= 1;
        if room == 0 || harvest.broken || harvest.weight_bytes >= HARVEST_BYTES {
            return Read::All;
        }
        match messages.message().now_or_never() {
            Some(message) => *next = Some(message),
            None => return Read::All,
        }
    }
}

/// Does work that may wait for the disk, if it `may_wait`, where that holds up no other task.
fn blocking<T>(may_wait: bool, work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    let many = || Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread;
    if may_wait && many() { tokio::task::block_in_place(work) } else { work() }
}
