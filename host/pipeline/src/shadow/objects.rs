//! An object store in memory.

use super::Notes;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_plugin::grant::{
    Bucket, EndpointError, LaneContext, ObjectMeta, ObjectStoreEndpoint, PutError, PutMode, Upload,
};

/// Objects remembered; the oldest by name go.
const OBJECTS_MAX: usize = 256;
/// Bytes remembered of each object.
const OBJECT_BYTES_MAX: usize = 1 << 20;

pub(super) struct Shadow(pub(super) Arc<Notes>);

#[derive(Clone)]
struct Store {
    notes: Arc<Notes>,
    objects: Arc<Mutex<BTreeMap<String, Object>>>,
}

#[derive(Clone)]
struct Object {
    data: Bytes,
    size: u64,
}

struct Parts {
    store: Store,
    path: String,
    data: Vec<u8>,
    size: u64,
}

impl ObjectStoreEndpoint for Shadow {
    fn open(&self, _: LaneContext) -> BoxFuture<'_, Result<Box<dyn Bucket>, EndpointError>> {
        let store = Store { notes: Arc::clone(&self.0), objects: Arc::default() };
        async { Ok(Box::new(store) as Box<dyn Bucket>) }.boxed()
    }
}

fn meta(path: &str, object: &Object) -> ObjectMeta {
    ObjectMeta { path: path.to_owned(), size: object.size, etag: Some(object.size.to_string()), modified_ms: 0 }
}

impl Store {
    fn keep(&self, what: &str, path: &str, data: &Bytes, size: u64) -> ObjectMeta {
        self.notes.call(&format!("{what} {path} of {size} bytes"), data);
        let object = Object { data: data.slice(..data.len().min(OBJECT_BYTES_MAX)), size };
        let known = meta(path, &object);
        let mut objects = self.objects.lock();
        objects.insert(path.to_owned(), object);
        while objects.len() > OBJECTS_MAX {
            objects.pop_first();
        }
        known
    }

    fn put_if(&self, path: &str, data: &Bytes, mode: &PutMode) -> Result<ObjectMeta, PutError> {
        let there = self.objects.lock().get(path).map(|o| meta(path, o));
        let fits = match mode {
            PutMode::Overwrite => true,
            PutMode::Create => there.is_none(),
            PutMode::IfMatch(etag) => there.is_some_and(|m| m.etag.as_ref() == Some(etag)),
        };
        let size = data.len() as u64;
        if fits { Ok(self.keep("put", path, data, size)) } else { Err(PutError::Conflict) }
    }
}

impl Bucket for Store {
    fn put<'a>(&'a mut self, path: &'a str, data: Bytes, mode: PutMode) -> BoxFuture<'a, Result<ObjectMeta, PutError>> {
        let put = self.put_if(path, &data, &mode);
        async { put }.boxed()
    }

    fn get<'a>(
        &'a mut self,
        path: &'a str,
        offset: u64,
        length: u64,
        limit: u64,
    ) -> BoxFuture<'a, Result<Option<Bytes>, EndpointError>> {
        let object = self.objects.lock().get(path).cloned();
        let part = object.map(|o| {
            let from = (offset as usize).min(o.data.len());
            let wanted = if length == 0 { u64::MAX } else { length };
            let len = (wanted.min(limit) as usize).min(o.data.len() - from);
            o.data.slice(from..from + len)
        });
        async { Ok(part) }.boxed()
    }

    fn head<'a>(&'a mut self, path: &'a str) -> BoxFuture<'a, Result<Option<ObjectMeta>, EndpointError>> {
        let found = self.objects.lock().get(path).map(|o| meta(path, o));
        async { Ok(found) }.boxed()
    }

    fn list<'a>(
        &'a mut self,
        prefix: &'a str,
        after: &'a str,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<ObjectMeta>, EndpointError>> {
        let objects = self.objects.lock();
        let those = objects.iter().filter(|(p, _)| p.starts_with(prefix) && p.as_str() > after);
        let found = those.take(limit as usize).map(|(p, o)| meta(p, o)).collect();
        async { Ok(found) }.boxed()
    }

    fn delete<'a>(&'a mut self, path: &'a str) -> BoxFuture<'a, Result<(), EndpointError>> {
        self.notes.call("delete", path.as_bytes());
        self.objects.lock().remove(path);
        async { Ok(()) }.boxed()
    }

    fn upload<'a>(&'a mut self, path: &'a str) -> BoxFuture<'a, Result<Box<dyn Upload>, EndpointError>> {
        let parts = Parts { store: self.clone(), path: path.to_owned(), data: Vec::new(), size: 0 };
        async { Ok(Box::new(parts) as Box<dyn Upload>) }.boxed()
    }
}

impl Upload for Parts {
    fn write(&mut self, data: Bytes) -> BoxFuture<'_, Result<(), EndpointError>> {
        self.size += data.len() as u64;
        let room = OBJECT_BYTES_MAX.saturating_sub(self.data.len()).min(data.len());
        self.data.extend_from_slice(&data[..room]);
        async { Ok(()) }.boxed()
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<ObjectMeta, EndpointError>> {
        let data = Bytes::from(std::mem::take(&mut self.data));
        let known = self.store.keep("upload", &self.path, &data, self.size);
        async { Ok(known) }.boxed()
    }

    fn abort(&mut self) -> BoxFuture<'_, ()> {
        async {}.boxed()
    }
}
