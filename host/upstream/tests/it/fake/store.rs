use super::{PATIENCE, State};
use std::sync::{Arc, Mutex};
use tg_proto::cdcpb::change_data_server::ChangeData;
use tg_proto::cdcpb::{self, ChangeDataEvent, ChangeDataRequest, event};
use tg_proto::kvrpcpb as kv;
use tg_proto::tikvpb::tikv_server::Tikv;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

#[derive(Clone)]
pub(crate) struct FakeStore {
    pub(crate) store: u64,
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) feeds: mpsc::UnboundedSender<Feed>,
}

/// One stream, in the hands of the test.
pub(crate) struct Feed {
    pub(crate) store: u64,
    /// What the client asked for in the metadata; none: the old feed.
    pub(crate) features: Option<String>,
    requests: Streaming<ChangeDataRequest>,
    events: mpsc::Sender<Result<ChangeDataEvent, Status>>,
}

impl Feed {
    pub(crate) async fn request(&mut self) -> ChangeDataRequest {
        let next = tokio::time::timeout(PATIENCE, self.requests.message()).await.expect("no request comes");
        next.unwrap().expect("the client closed the stream")
    }

    async fn send(&self, event: ChangeDataEvent) {
        self.events.send(Ok(event)).await.unwrap();
    }

    async fn event(&self, to: &ChangeDataRequest, event: event::Event) {
        let event = cdcpb::Event { region_id: to.region_id, request_id: to.request_id, index: 0, event: Some(event) };
        self.send(ChangeDataEvent { events: vec![event], resolved_ts: None }).await;
    }

    pub(crate) async fn rows(&self, to: &ChangeDataRequest, entries: Vec<cdcpb::Row>) {
        self.event(to, event::Event::Entries(cdcpb::Entries { entries })).await;
    }

    pub(crate) async fn initialized(&self, to: &ChangeDataRequest) {
        self.rows(to, vec![cdcpb::Row { r#type: cdcpb::LogType::Initialized.into(), ..Default::default() }]).await;
    }

    pub(crate) async fn error(&self, to: &ChangeDataRequest, error: cdcpb::Error) {
        self.event(to, event::Event::Error(error)).await;
    }

    pub(crate) async fn resolved(&self, to: &ChangeDataRequest, ts: u64) {
        self.resolved_as(to.request_id, to, ts).await;
    }

    pub(crate) async fn resolved_as(&self, request_id: u64, to: &ChangeDataRequest, ts: u64) {
        let resolved_ts = Some(cdcpb::ResolvedTs { regions: vec![to.region_id], ts, request_id });
        self.send(ChangeDataEvent { events: vec![], resolved_ts }).await;
    }

    /// Ends the stream as a store that goes down does.
    pub(crate) async fn break_off(self) {
        self.events.send(Err(Status::unavailable("going down"))).await.unwrap();
    }

    /// Whether the client has ended the stream.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let next = tokio::time::timeout(PATIENCE, self.requests.message()).await.expect("the stream stays open");
        !matches!(next, Ok(Some(_)))
    }

    /// Queues a message if the queue is not full.
    pub(crate) fn try_rows(&self, to: &ChangeDataRequest, entries: Vec<cdcpb::Row>) -> bool {
        let event = event::Event::Entries(cdcpb::Entries { entries });
        let event = cdcpb::Event { region_id: to.region_id, request_id: to.request_id, index: 0, event: Some(event) };
        self.events.try_send(Ok(ChangeDataEvent { events: vec![event], resolved_ts: None })).is_ok()
    }
}

/// A version as a scan or a one-phase commit delivers it.
pub(crate) fn committed(key: &str, start_ts: u64, commit_ts: u64, value: &str) -> cdcpb::Row {
    cdcpb::Row {
        start_ts,
        commit_ts,
        r#type: cdcpb::LogType::Committed.into(),
        op_type: cdcpb::OpType::Put.into(),
        key: key.to_owned().into(),
        value: value.to_owned().into(),
        ..Default::default()
    }
}

impl FakeStore {
    fn feed(&self, request: Request<Streaming<ChangeDataRequest>>, v2: bool) -> Answer<Events> {
        let (events, rx) = mpsc::channel(64);
        let features = request.metadata().get("features").map(|f| f.to_str().unwrap().to_owned());
        let features = if v2 { features } else { None };
        let feed = Feed { store: self.store, features, requests: request.into_inner(), events };
        // The test may be over.
        let _ = self.feeds.send(feed);
        Ok(Response::new(ReceiverStream::new(rx)))
    }
}

type Answer<T> = Result<Response<T>, Status>;
type Events = ReceiverStream<Result<ChangeDataEvent, Status>>;

#[tonic::async_trait]
impl ChangeData for FakeStore {
    type EventFeedStream = Events;
    type EventFeedV2Stream = Events;

    async fn event_feed(&self, request: Request<Streaming<ChangeDataRequest>>) -> Answer<Events> {
        self.feed(request, false)
    }

    async fn event_feed_v2(&self, request: Request<Streaming<ChangeDataRequest>>) -> Answer<Events> {
        if self.state.lock().unwrap().old_stores {
            return Err(Status::unimplemented("unknown method"));
        }
        self.feed(request, true)
    }
}

macro_rules! not_here {
    ($($method:ident($request:ident) -> $answer:ident),* $(,)?) => {
        #[tonic::async_trait]
        impl Tikv for FakeStore {
            $(async fn $method(&self, _: Request<kv::$request>) -> Answer<kv::$answer> {
                self.state.lock().unwrap().calls.push(stringify!($method));
                Err(Status::unimplemented(""))
            })*
        }
    };
}

not_here!(
    kv_get(GetRequest) -> GetResponse,
    kv_scan(ScanRequest) -> ScanResponse,
    kv_batch_get(BatchGetRequest) -> BatchGetResponse,
    kv_scan_lock(ScanLockRequest) -> ScanLockResponse,
    kv_check_txn_status(CheckTxnStatusRequest) -> CheckTxnStatusResponse,
    kv_check_secondary_locks(CheckSecondaryLocksRequest) -> CheckSecondaryLocksResponse,
    kv_resolve_lock(ResolveLockRequest) -> ResolveLockResponse,
    kv_pessimistic_rollback(PessimisticRollbackRequest) -> PessimisticRollbackResponse,
    kv_prewrite(PrewriteRequest) -> PrewriteResponse,
    kv_commit(CommitRequest) -> CommitResponse,
    kv_batch_rollback(BatchRollbackRequest) -> BatchRollbackResponse,
    kv_pessimistic_lock(PessimisticLockRequest) -> PessimisticLockResponse,
    kv_txn_heart_beat(TxnHeartBeatRequest) -> TxnHeartBeatResponse,
);
