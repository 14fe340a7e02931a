//! The change feed of the replaying cluster.

use crate::cluster::{Cluster, Cut, comparable};
use crate::recording::{Frame, Registration};
use futures::FutureExt;
use rand::Rng;
use std::collections::HashMap;
use std::sync::Arc;
use tg_proto::cdcpb::change_data_server::ChangeData;
use tg_proto::cdcpb::{self, ChangeDataEvent, ChangeDataRequest, Entries, Row, change_data_request, event::Event};
use tg_proto::errorpb::EpochNotMatch;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// Messages on the way to the client.
const QUEUE_LEN: usize = 32;
/// Events in a merged message.
const MERGED_MAX: usize = 12;

pub(crate) struct Store(pub(crate) Arc<Cluster>);

type Events = ReceiverStream<Result<ChangeDataEvent, Status>>;

#[tonic::async_trait]
impl ChangeData for Store {
    type EventFeedStream = Events;
    type EventFeedV2Stream = Events;

    async fn event_feed(&self, _: Request<Streaming<ChangeDataRequest>>) -> Result<Response<Events>, Status> {
        Err(Status::unimplemented("the recording is of the newer feed"))
    }

    async fn event_feed_v2(&self, request: Request<Streaming<ChangeDataRequest>>) -> Result<Response<Events>, Status> {
        let (tx, rx) = channel(QUEUE_LEN);
        let stream = Stream { cluster: Arc::clone(&self.0), tx, active: HashMap::new(), waiting: Vec::new() };
        tokio::spawn(stream.run(request.into_inner()));
        Ok(Response::new(ReceiverStream::new(rx)))
    }
}

/// A subscription by the client under test.
struct Active {
    recorded: usize,
    next: usize,
    request: ChangeDataRequest,
}

struct Stream {
    cluster: Arc<Cluster>,
    tx: Sender<Result<ChangeDataEvent, Status>>,
    /// By request and region: one request may name many regions.
    active: HashMap<(u64, u64), Active>,
    /// Events that wait to share a message.
    waiting: Vec<cdcpb::Event>,
}

impl Stream {
    async fn run(mut self, mut requests: Streaming<ChangeDataRequest>) {
        while self.step(&mut requests).await.is_some() {}
    }

    async fn step(&mut self, requests: &mut Streaming<ChangeDataRequest>) -> Option<()> {
        let Some(id) = self.pick() else {
            self.flush().await?;
            let request = requests.message().await.ok()??;
            return self.request(request).await;
        };
        while let Some(request) = requests.message().now_or_never() {
            self.request(request.ok()??).await?;
        }
        if self.cluster.breaks_now() {
            self.waiting.clear();
            let _ = self.tx.send(Err(Status::unavailable("broken off by the test"))).await;
            return None;
        }
        self.tell(id).await
    }

    /// The subscription that is told something next.
    fn pick(&self) -> Option<(u64, u64)> {
        let recorded = |a: &Active| &self.cluster.recording.registrations[a.recorded];
        let at = |a: &Active| recorded(a).frames.get(a.next).map(|(at, _)| *at);
        let mut ready: Vec<(usize, (u64, u64))> =
            self.active.iter().filter_map(|(id, a)| at(a).map(|at| (at, *id))).collect();
        ready.sort_unstable();
        let n = match self.cluster.play.cut {
            Cut::AsRecorded => 0,
            Cut::Rows | Cut::Merged if ready.is_empty() => 0,
            Cut::Rows | Cut::Merged => self.cluster.state.lock().unwrap().rng.random_range(0..ready.len()),
        };
        ready.get(n).map(|(_, id)| *id)
    }

    async fn request(&mut self, request: ChangeDataRequest) -> Option<()> {
        if matches!(request.request, Some(change_data_request::Request::Deregister(_))) {
            self.active.retain(|(id, _), _| *id != request.request_id);
            return Some(());
        }
        let Some(recorded) = self.cluster.find(&request) else {
            let error = cdcpb::Error { epoch_not_match: Some(EpochNotMatch::default()), ..Default::default() };
            return self.event(&request, Event::Error(error)).await;
        };
        let scanned = self.scan_before(&request, recorded);
        if !scanned.is_empty() {
            self.event(&request, Event::Entries(Entries { entries: scanned })).await?;
        }
        self.active.insert((request.request_id, request.region_id), Active { recorded, next: 0, request });
        Some(())
    }

    /// What a scan from the client's checkpoint finds that the recorder had seen already.
    fn scan_before(&self, request: &ChangeDataRequest, recorded: usize) -> Vec<Row> {
        let recording = &self.cluster.recording;
        let upto = recording.registrations[recorded].checkpoint;
        if request.checkpoint_ts >= upto {
            return Vec::new();
        }
        let range = (request.checkpoint_ts + 1, bytes::Bytes::new())..(upto + 1, bytes::Bytes::new());
        recording.versions.range(range).map(|(_, row)| row).filter(|r| in_range(r, request)).cloned().collect()
    }

    async fn tell(&mut self, id: (u64, u64)) -> Option<()> {
        let cluster = Arc::clone(&self.cluster);
        let active = self.active.get_mut(&id)?;
        let recorded: &Registration = &cluster.recording.registrations[active.recorded];
        let n = active.next;
        active.next += 1;
        let request = active.request.clone();
        if recorded.end_frame(n) {
            cluster.ended(active.recorded, recorded.frames[n].0);
            self.active.remove(&id);
        }
        match &recorded.frames[n].1 {
            Frame::Resolved(ts) => {
                self.flush().await?;
                let resolved = cdcpb::ResolvedTs { regions: vec![request.region_id], ts: *ts, request_id: id.0 };
                self.send(ChangeDataEvent { events: vec![], resolved_ts: Some(resolved) }).await
            }
            Frame::Event(Event::Entries(entries)) => {
                let entries: Vec<Row> = entries.entries.iter().filter(|r| in_range(r, &request)).cloned().collect();
                let size = if cluster.play.cut == Cut::Rows { 1 } else { entries.len().max(1) };
                for part in entries.chunks(size) {
                    self.event(&request, Event::Entries(Entries { entries: part.to_vec() })).await?;
                }
                Some(())
            }
            Frame::Event(other) => self.event(&request, other.clone()).await,
        }
    }

    async fn event(&mut self, to: &ChangeDataRequest, event: Event) -> Option<()> {
        self.waiting.push(cdcpb::Event {
            region_id: to.region_id,
            request_id: to.request_id,
            index: 0,
            event: Some(event),
        });
        let many = self.cluster.play.cut == Cut::Merged && self.waiting.len() < MERGED_MAX;
        if many { Some(()) } else { self.flush().await }
    }

    async fn flush(&mut self) -> Option<()> {
        if self.waiting.is_empty() {
            return Some(());
        }
        let events = std::mem::take(&mut self.waiting);
        self.send(ChangeDataEvent { events, resolved_ts: None }).await
    }

    async fn send(&self, message: ChangeDataEvent) -> Option<()> {
        self.tx.send(Ok(message)).await.ok()
    }
}

/// Rows without a key are marks; they go to everybody.
fn in_range(row: &Row, request: &ChangeDataRequest) -> bool {
    if row.key.is_empty() {
        return true;
    }
    let key = comparable(&row.key);
    request.start_key <= key && key < request.end_key
}
