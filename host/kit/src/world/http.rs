//! An HTTP origin that takes everything, or answers as it is told.

use super::faults::Fault;
use super::state::{Arrived, HttpCall, World};
use futures::future::BoxFuture;
use std::sync::Arc;
use tg_plugin::grant::{HttpEndpoint, HttpError, HttpRequest, HttpResponse, LaneContext};

/// Status of a request that may be repeated.
const UNAVAILABLE: u16 = 503;

/// What is answered to which requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// Path; `None`: every path.
    pub(crate) path: Option<String>,
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// How often; then the next that fits.
    pub(crate) times: u32,
}

pub(super) struct Endpoint {
    world: Arc<World>,
    name: String,
}

impl Endpoint {
    pub(super) fn new(world: Arc<World>, name: &str) -> Self {
        Self { world, name: name.to_owned() }
    }

    fn answer(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = |status, body: Vec<u8>| HttpResponse { status, headers: Vec::new(), body: body.into() };
        if !request.path.starts_with('/') {
            return Err(HttpError::Refused(format!("the path {:?} does not begin with a slash", request.path)));
        }
        let mut state = self.world.state.lock();
        let fault = state.fault();
        match fault {
            // Either way nothing took effect: by an answer that says so, or because nothing was sent.
            Some(Fault::Busy) if state.faults.done.is_multiple_of(2) => return Ok(response(UNAVAILABLE, Vec::new())),
            Some(Fault::Busy) => return Err(HttpError::NotSent("no connection (a fault of the kit)".to_owned())),
            Some(Fault::LostRequest) => return Err(HttpError::Unknown("no answer (a fault of the kit)".to_owned())),
            Some(Fault::LostAnswer) | None => {}
        }
        if self.world.forgets {
            return Ok(response(200, Vec::new()));
        }
        let reply =
            state.replies.iter_mut().find(|r| r.times > 0 && r.path.as_ref().is_none_or(|p| *p == request.path));
        let (status, body) = reply.map_or((200, Vec::new()), |r| {
            r.times -= 1;
            (r.status, r.body.clone())
        });
        if !state.keep(request.body.len()) {
            return Err(HttpError::Refused("more requests than the kit keeps".to_owned()));
        }
        if (200..300).contains(&status) {
            state.arrived.push(Arrived::Http(HttpCall {
                endpoint: self.name.clone(),
                method: request.method,
                path: request.path,
                headers: request.headers,
                body: request.body.to_vec(),
            }));
        }
        match fault {
            Some(_) => Err(HttpError::Unknown("no answer (a fault of the kit)".to_owned())),
            None => Ok(response(status, body)),
        }
    }
}

impl HttpEndpoint for Endpoint {
    fn send(&self, _: &LaneContext, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(async move { self.answer(request) })
    }
}
