//! Who the PD members are and which of them leads.

use super::CALLER;
use crate::UpstreamError;
use crate::net::{Dialer, host_of, status_text};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tg_proto::pdpb;
use tg_proto::pdpb::pd_client::PdClient;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

const ASK_TIMEOUT: Duration = Duration::from_secs(1);
const REFRESH_EVERY: Duration = Duration::from_secs(60);
/// Rounds over the endpoints at the start.
const DISCOVER_ROUNDS: u32 = 5;
const DISCOVER_PAUSE: Duration = Duration::from_millis(300);

struct State {
    urls: Vec<String>,
    leader: Option<String>,
}

struct Shared {
    dialer: Arc<Dialer>,
    cluster_id: u64,
    state: Mutex<State>,
    /// One refresh at a time; the others profit from it.
    refreshing: tokio::sync::Mutex<()>,
}

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct Members(Arc<Shared>);

/// A leader as of now.
pub(super) struct Leader {
    pub(super) url: String,
    pub(super) channel: Channel,
}

impl Members {
    /// Asks the endpoints in turn until one knows a leader.
    pub(super) async fn discover(dialer: Arc<Dialer>, endpoints: &[String]) -> Result<Self, UpstreamError> {
        let urls: Vec<String> = endpoints.iter().map(|e| host_of(e).to_owned()).filter(|e| !e.is_empty()).collect();
        let mut last = UpstreamError::PdUnreachable { endpoint: String::new(), detail: "none is given".to_owned() };
        for round in 0..DISCOVER_ROUNDS {
            if round > 0 {
                tokio::time::sleep(DISCOVER_PAUSE).await;
            }
            match ask_together(&dialer, &urls).await {
                Ok((cluster_id, state)) => {
                    let state = Mutex::new(state);
                    return Ok(Self(Arc::new(Shared { dialer, cluster_id, state, refreshing: Default::default() })));
                }
                Err(error @ (UpstreamError::ClusterId { .. } | UpstreamError::Address { .. })) => {
                    return Err(error);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    pub(super) fn cluster_id(&self) -> u64 {
        self.0.cluster_id
    }

    pub(super) fn header(&self) -> pdpb::RequestHeader {
        pdpb::RequestHeader {
            cluster_id: self.0.cluster_id,
            sender_id: 0,
            caller_id: CALLER.to_owned(),
            caller_component: CALLER.to_owned(),
        }
    }

    /// The leader; looked for when it is not known.
    pub(super) async fn leader(&self) -> Result<Leader, UpstreamError> {
        if let Some(url) = self.known_leader() {
            return self.connect(url);
        }
        let _one = self.0.refreshing.lock().await;
        if self.known_leader().is_none() {
            self.refresh().await?;
        }
        match self.known_leader() {
            Some(url) => self.connect(url),
            None => Err(UpstreamError::PdNoLeader { endpoint: self.0.state.lock().urls.join(",") }),
        }
    }

    /// The leader did not answer, or said that it leads no more.
    pub(super) fn suspect(&self, url: &str) {
        let mut state = self.0.state.lock();
        if state.leader.as_deref() == Some(url) {
            state.leader = None;
        }
    }

    /// Looks for changes once a minute until stopped.
    pub(super) fn keep_fresh(&self, stop: CancellationToken) {
        let members = self.clone();
        tokio::spawn(stop.run_until_cancelled_owned(async move {
            loop {
                tokio::time::sleep(REFRESH_EVERY).await;
                let _one = members.0.refreshing.lock().await;
                if let Err(error) = members.refresh().await {
                    tracing::warn!(%error, "PD members cannot be refreshed");
                }
            }
        }));
    }

    fn known_leader(&self) -> Option<String> {
        self.0.state.lock().leader.clone()
    }

    fn connect(&self, url: String) -> Result<Leader, UpstreamError> {
        let channel = self.0.dialer.channel(&url)?;
        Ok(Leader { url, channel })
    }

    async fn refresh(&self) -> Result<(), UpstreamError> {
        let urls = self.0.state.lock().urls.clone();
        let (_, state) = ask_all(&self.0.dialer, &urls, Some(self.0.cluster_id)).await?;
        *self.0.state.lock() = state;
        Ok(())
    }
}

/// The first answer that names a leader counts.
async fn ask_all(dialer: &Dialer, urls: &[String], expected: Option<u64>) -> Result<(u64, State), UpstreamError> {
    let mut last = UpstreamError::PdUnreachable { endpoint: String::new(), detail: "no address is known".to_owned() };
    for url in urls {
        match ask(dialer, url, expected).await {
            Ok((cluster_id, mut state)) if state.leader.is_some() => {
                for known in urls {
                    if !state.urls.contains(known) {
                        state.urls.push(known.clone());
                    }
                }
                return Ok((cluster_id, state));
            }
            Ok(_) => last = UpstreamError::PdNoLeader { endpoint: url.clone() },
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// At the start: all that answer must belong to one cluster.
async fn ask_together(dialer: &Dialer, urls: &[String]) -> Result<(u64, State), UpstreamError> {
    let answers = futures::future::join_all(urls.iter().map(|url| ask(dialer, url, None))).await;
    let mut expected = None;
    for (url, answer) in urls.iter().zip(&answers) {
        if let Ok((found, _)) = answer {
            let expected = *expected.get_or_insert(*found);
            if expected != *found {
                return Err(UpstreamError::ClusterId { endpoint: url.clone(), expected, found: *found });
            }
        }
    }
    ask_all(dialer, urls, expected).await
}

async fn ask(dialer: &Dialer, url: &str, expected: Option<u64>) -> Result<(u64, State), UpstreamError> {
    let unreachable = |detail: String| UpstreamError::PdUnreachable { endpoint: url.to_owned(), detail };
    let mut client = PdClient::new(dialer.channel(url)?);
    let answer = tokio::time::timeout(ASK_TIMEOUT, client.get_members(pdpb::GetMembersRequest { header: None })).await;
    let answer = match answer {
        Ok(Ok(answer)) => answer.into_inner(),
        Ok(Err(status)) => return Err(unreachable(status_text(&status))),
        Err(_) => return Err(unreachable("no answer in time".to_owned())),
    };
    let found = answer.header.as_ref().map_or(0, |h| h.cluster_id);
    if found == 0 {
        return Err(unreachable("its cluster is not set up".to_owned()));
    }
    if let Some(expected) = expected.filter(|e| *e != found) {
        return Err(UpstreamError::ClusterId { endpoint: url.to_owned(), expected, found });
    }
    let host = |url: &String| host_of(url).to_owned();
    let mut urls: Vec<String> = answer.members.iter().flat_map(|m| m.client_urls.iter().map(host)).collect();
    urls.sort_unstable();
    urls.dedup();
    let leader = answer.leader.and_then(|l| l.client_urls.first().map(host));
    Ok((found, State { urls, leader }))
}
