//! A cluster that says again what the recorded one said, to whoever registers.
//!
//! PD's answers follow the client: a region is there as the recorder knew it until its end (EpochNotMatch)
//! has been told, then those are there which the recorder registered next. So a client that comes to
//! a region for the first time gets the recorded subscription of that region, with its own request id.

use crate::recording::{Frame, Recording, Registration, version_of};
use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::sync::{Arc, Mutex};
use tg_proto::cdcpb::change_data_server::ChangeDataServer;
use tg_proto::cdcpb::{ChangeDataRequest, event::Event};
use tg_proto::pdpb::{self, pd_server::PdServer};
use tokio::net::TcpListener;
use tonic::transport::Server;

pub(crate) const CLUSTER: u64 = 7;

/// How the recorded frames are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Message by message, in the order of the recording.
    AsRecorded,
    /// Every row a message of its own, regions in random order.
    Rows,
    /// Many events in one message, regions in random order.
    Merged,
}

/// How a replay differs from the recording.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Play {
    pub(crate) cut: Cut,
    /// How often a stream is broken off at a random place. With any, a new client also takes over at every snapshot.
    pub(crate) breaks: u32,
    pub(crate) seed: u64,
}

/// What changes while a recording plays.
pub(crate) struct State {
    /// Registrations in force, by index; they do not overlap.
    current: Vec<usize>,
    pub(crate) rng: StdRng,
    pub(crate) breaks_left: u32,
    pub(crate) clock: u64,
}

pub(crate) struct Cluster {
    pub(crate) recording: Recording,
    pub(crate) play: Play,
    pub(crate) address: String,
    pub(crate) state: Mutex<State>,
}

impl Cluster {
    /// Serves PD and store on one port.
    pub(crate) async fn start(recording: Recording, play: Play) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut current = Vec::new();
        recording.fill(&mut current, 0);
        let state = State {
            current,
            rng: StdRng::seed_from_u64(play.seed),
            breaks_left: play.breaks,
            clock: recording.end_ts.get(),
        };
        let address = listener.local_addr().unwrap().to_string();
        let cluster = Arc::new(Self { recording, play, address, state: Mutex::new(state) });
        let router = Server::builder()
            .add_service(PdServer::new(crate::pd::Pd(Arc::clone(&cluster))))
            .add_service(ChangeDataServer::new(crate::store::Store(Arc::clone(&cluster))));
        let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
        tokio::spawn(async move { router.serve_with_incoming(incoming).await });
        cluster
    }

    /// PD's regions for a range, in order.
    pub(crate) fn regions(&self, start: &[u8], end: &[u8]) -> Vec<pdpb::Region> {
        let state = self.state.lock().unwrap();
        let mut found: Vec<&Registration> = state.current.iter().map(|r| &self.recording.registrations[*r]).collect();
        found.retain(|r| r.overlaps(start, end));
        found.sort_by_key(|r| r.start.clone());
        let mut regions: Vec<pdpb::Region> = found.iter().map(|r| self.recording.regions[&r.region].clone()).collect();
        regions.dedup_by_key(|r| r.region.as_ref().unwrap().id);
        regions
    }

    /// The recorded registration that answers a request.
    pub(crate) fn find(&self, request: &ChangeDataRequest) -> Option<usize> {
        let region = (request.region_id, version_of(request.region_epoch));
        let fits = |r: &Registration| r.region == region && r.start <= request.start_key && request.end_key <= r.end;
        self.recording.registrations.iter().position(fits)
    }

    /// The end of a registration has been told at this frame: PD knows better from now on.
    pub(crate) fn ended(&self, registration: usize, at: usize) {
        let mut state = self.state.lock().unwrap();
        let before = state.current.len();
        state.current.retain(|r| *r != registration);
        if state.current.len() < before {
            self.recording.fill(&mut state.current, at);
        }
    }

    /// Whether a stream is to be broken off before its next message.
    pub(crate) fn breaks_now(&self) -> bool {
        let mut state = self.state.lock().unwrap();
        let now = state.breaks_left > 0 && state.rng.random_ratio(1, 200);
        state.breaks_left -= u32::from(now);
        now
    }
}

impl Registration {
    pub(crate) fn overlaps(&self, start: &[u8], end: &[u8]) -> bool {
        (end.is_empty() || &self.start[..] < end) && &self.end[..] > start
    }

    pub(crate) fn end_frame(&self, n: usize) -> bool {
        matches!(self.frames.get(n), Some((_, Frame::Event(Event::Error(_)))))
    }
}

impl Recording {
    /// Closes the holes between registrations with those that were made from frame `from` on, first come first.
    fn fill(&self, current: &mut Vec<usize>, from: usize) {
        for (n, r) in self.registrations.iter().enumerate().filter(|(_, r)| r.at >= from) {
            if !current.iter().any(|c| self.registrations[*c].overlaps(&r.start, &r.end)) {
                current.push(n);
            }
        }
    }
}

/// Region-key form of a raw key: groups of eight bytes, padded, each with a marker.
pub(crate) fn comparable(key: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(key.len() + 9);
    let mut rest = key;
    loop {
        let n = rest.len().min(8);
        out.extend_from_slice(&rest[..n]);
        out.resize(out.len() + 8 - n, 0);
        out.push(0xff - (8 - n) as u8);
        if n < 8 {
            return out.into();
        }
        rest = &rest[8..];
    }
}
