//! An object store in memory.

use super::faults::Fault;
use super::state::{Object, State, World};
use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use std::sync::Arc;
use tg_plugin::grant::{
    Bucket, EndpointError, EndpointErrorKind, LaneContext, ObjectMeta, ObjectStoreEndpoint, PutError, PutMode, Upload,
};

pub(super) struct Endpoint(pub(super) Arc<World>);
struct Store(Arc<World>);

struct Parts {
    world: Arc<World>,
    path: String,
    data: BytesMut,
}

fn busy() -> EndpointError {
    EndpointError::retryable("busy", "the store is busy (a fault of the kit)")
}

fn unknown() -> EndpointError {
    EndpointError::new(EndpointErrorKind::Unknown, "no-answer", "the store did not answer (a fault of the kit)")
}

fn meta(path: &str, object: &Object) -> ObjectMeta {
    let etag = Some(format!("v{}", object.version));
    ObjectMeta { path: path.to_owned(), size: object.data.len() as u64, etag, modified_ms: object.version }
}

/// Whether a path stays below the prefix.
fn checked(path: &str) -> Result<(), EndpointError> {
    let leaves = path.is_empty() || path.starts_with('/') || path.split('/').any(|part| part == ".." || part == ".");
    if leaves { Err(EndpointError::fatal("bad-path", format!("{path:?} is no path below the prefix"))) } else { Ok(()) }
}

fn put(world: &World, path: &str, data: Bytes, mode: &PutMode) -> Result<ObjectMeta, PutError> {
    checked(path)?;
    let mut state = world.state.lock();
    let fault = state.fault();
    match fault {
        Some(Fault::Busy) => return Err(busy().into()),
        Some(Fault::LostRequest) => return Err(unknown().into()),
        Some(Fault::LostAnswer) | None => {}
    }
    let there = state.objects.get(path).map(|o| format!("v{}", o.version));
    let holds = match mode {
        PutMode::Overwrite => true,
        PutMode::Create => there.is_none(),
        PutMode::IfMatch(etag) => there.as_ref() == Some(etag),
    };
    if !holds {
        return Err(PutError::Conflict);
    }
    if world.forgets {
        return Ok(meta(path, &Object { data, version: 0 }));
    }
    if !state.keep(data.len()) {
        return Err(EndpointError::fatal("too-much", "more objects than the kit keeps").into());
    }
    state.versions += 1;
    let object = Object { data, version: state.versions };
    let answer = meta(path, &object);
    state.objects.insert(path.to_owned(), object);
    if fault.is_some() { Err(unknown().into()) } else { Ok(answer) }
}

impl ObjectStoreEndpoint for Endpoint {
    fn open(&self, _: LaneContext) -> BoxFuture<'_, Result<Box<dyn Bucket>, EndpointError>> {
        Box::pin(async { Ok(Box::new(Store(Arc::clone(&self.0))) as Box<dyn Bucket>) })
    }
}

impl Store {
    /// Looks; a fault of any kind may be asked again.
    fn look<T>(&self, path: &str, look: impl FnOnce(&State) -> T) -> Result<T, EndpointError> {
        checked(path)?;
        let mut state = self.0.state.lock();
        if state.fault().is_some() { Err(busy()) } else { Ok(look(&state)) }
    }
}

impl Bucket for Store {
    fn put<'a>(&'a mut self, path: &'a str, data: Bytes, mode: PutMode) -> BoxFuture<'a, Result<ObjectMeta, PutError>> {
        Box::pin(async move { put(&self.0, path, data, &mode) })
    }

    fn get<'a>(
        &'a mut self,
        path: &'a str,
        offset: u64,
        length: u64,
        limit: u64,
    ) -> BoxFuture<'a, Result<Option<Bytes>, EndpointError>> {
        let cut = move |data: &Bytes| {
            let from = usize::try_from(offset).unwrap_or(usize::MAX).min(data.len());
            let most = if length == 0 { limit } else { length.min(limit) };
            let end = from.saturating_add(usize::try_from(most).unwrap_or(usize::MAX)).min(data.len());
            data.slice(from..end)
        };
        Box::pin(async move { self.look(path, |s| s.objects.get(path).map(|o| cut(&o.data))) })
    }

    fn head<'a>(&'a mut self, path: &'a str) -> BoxFuture<'a, Result<Option<ObjectMeta>, EndpointError>> {
        Box::pin(async move { self.look(path, |s| s.objects.get(path).map(|o| meta(path, o))) })
    }

    fn list<'a>(
        &'a mut self,
        prefix: &'a str,
        after: &'a str,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<ObjectMeta>, EndpointError>> {
        Box::pin(async move {
            let mut state = self.0.state.lock();
            if state.fault().is_some() {
                return Err(busy());
            }
            let below = state.objects.iter().filter(|(path, _)| path.starts_with(prefix) && path.as_str() > after);
            Ok(below.take(limit as usize).map(|(path, o)| meta(path, o)).collect())
        })
    }

    fn delete<'a>(&'a mut self, path: &'a str) -> BoxFuture<'a, Result<(), EndpointError>> {
        Box::pin(async move {
            checked(path)?;
            let mut state = self.0.state.lock();
            if state.fault().is_some() {
                return Err(busy());
            }
            state.objects.remove(path);
            Ok(())
        })
    }

    fn upload<'a>(&'a mut self, path: &'a str) -> BoxFuture<'a, Result<Box<dyn Upload>, EndpointError>> {
        Box::pin(async move {
            checked(path)?;
            let parts = Parts { world: Arc::clone(&self.0), path: path.to_owned(), data: BytesMut::new() };
            Ok(Box::new(parts) as Box<dyn Upload>)
        })
    }
}

impl Upload for Parts {
    fn write(&mut self, data: Bytes) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async move {
            let mut state = self.world.state.lock();
            if state.fault().is_some() {
                return Err(busy());
            }
            if !state.keep(data.len()) {
                return Err(EndpointError::fatal("too-much", "more objects than the kit keeps"));
            }
            drop(state);
            self.data.extend_from_slice(&data);
            Ok(())
        })
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<ObjectMeta, EndpointError>> {
        Box::pin(async {
            let data = std::mem::take(&mut self.data).freeze();
            put(&self.world, &self.path, data.clone(), &PutMode::Overwrite).map_err(|e| {
                self.data = BytesMut::from(&data[..]);
                match e {
                    PutError::Other(e) => e,
                    PutError::Conflict => unknown(),
                }
            })
        })
    }

    fn abort(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async { self.data.clear() })
    }
}
