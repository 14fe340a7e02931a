//! A store in memory that loses requests and answers, delivers some late, and dies.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use tidegate_sdk::Failure;
use tidegate_sdk::native::{Bucket, Host, Upload, not_granted};
use tidegate_sdk::object_store::{ObjectMeta, PutError, PutMode};

/// Numbers from a seed.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    pub(crate) fn permille(&mut self, chance: u64) -> bool {
        self.next() % 1000 < chance
    }
}

struct Put {
    path: String,
    data: Vec<u8>,
    mode: PutMode,
}

struct State {
    objects: BTreeMap<String, (Vec<u8>, u64)>,
    versions: u64,
    rng: Rng,
    faults: bool,
    /// Requests until the process dies; `None`: it does not.
    left: Option<u64>,
    /// Puts that nobody waits for any more.
    late: Vec<Put>,
    now_ns: u64,
}

/// See the module.
#[derive(Clone)]
pub(crate) struct World(Rc<RefCell<State>>);

impl State {
    fn apply(&mut self, put: Put) -> Result<ObjectMeta, PutError> {
        let Put { path, data, mode } = put;
        let there = self.objects.get(&path).map(|(_, version)| version.to_string());
        let holds = match &mode {
            PutMode::Overwrite => true,
            PutMode::Create => there.is_none(),
            PutMode::IfMatch(etag) => there.as_ref() == Some(etag),
        };
        if !holds {
            return Err(PutError::Conflict);
        }
        self.versions += 1;
        let (size, version) = (data.len() as u64, self.versions);
        self.objects.insert(path.clone(), (data, version));
        Ok(ObjectMeta { path, size, etag: Some(version.to_string()), modified_ms: 0 })
    }

    /// Whether the process is dead by now.
    fn dies(&mut self) -> bool {
        match &mut self.left {
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }
}

fn unknown() -> Failure {
    Failure::unknown("no answer")
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Rc::new(RefCell::new(State {
            objects: BTreeMap::new(),
            versions: 0,
            rng: Rng::new(seed),
            faults: true,
            left: None,
            late: Vec::new(),
            now_ns: 1,
        })))
    }

    pub(crate) fn set_faults(&self, faults: bool) {
        self.0.borrow_mut().faults = faults;
    }

    pub(crate) fn die_after(&self, requests: Option<u64>) {
        self.0.borrow_mut().left = requests;
    }

    pub(crate) fn sleep_secs(&self, secs: u64) {
        self.0.borrow_mut().now_ns += secs * 1_000_000_000;
    }

    /// Some time passes; some late requests arrive.
    pub(crate) fn pass(&self, rng: &mut Rng) {
        self.sleep_secs(rng.between(0, 1));
        while rng.permille(400) && self.arrive(rng) {}
    }

    fn arrive(&self, rng: &mut Rng) -> bool {
        let mut state = self.0.borrow_mut();
        if state.late.is_empty() {
            return false;
        }
        let at = usize::try_from(rng.between(0, state.late.len() as u64 - 1)).unwrap();
        let put = state.late.swap_remove(at);
        let _ = state.apply(put);
        true
    }

    pub(crate) fn arrive_all(&self, rng: &mut Rng) {
        while self.arrive(rng) {}
    }

    pub(crate) fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.0.borrow().objects.iter().map(|(path, (data, _))| (path.clone(), data.clone())).collect()
    }

    /// A question, which may go unanswered.
    fn ask<T>(&self, look: impl FnOnce(&mut State) -> T) -> Result<T, Failure> {
        let mut state = self.0.borrow_mut();
        if state.dies() || (state.faults && state.rng.permille(40)) {
            return Err(Failure::retryable("busy"));
        }
        Ok(look(&mut state))
    }
}

fn meta(path: &str, (data, version): &(Vec<u8>, u64)) -> ObjectMeta {
    ObjectMeta { path: path.to_owned(), size: data.len() as u64, etag: Some(version.to_string()), modified_ms: 0 }
}

impl Bucket for World {
    fn put(&self, path: &str, data: &[u8], mode: &PutMode) -> Result<ObjectMeta, PutError> {
        let put = Put { path: path.to_owned(), data: data.to_vec(), mode: mode.clone() };
        let mut state = self.0.borrow_mut();
        // The last request of a process that dies may still arrive.
        let last = state.left == Some(0);
        let chance = state.rng.between(0, 999);
        if state.dies() {
            if last && chance < 500 {
                state.late.push(put);
                state.left = Some(0);
            }
            return Err(PutError::Other(unknown()));
        }
        if !state.faults {
            return state.apply(put);
        }
        match chance {
            0..40 => Err(PutError::Other(Failure::retryable("busy"))),
            40..70 => Err(PutError::Other(unknown())),
            70..100 => {
                state.late.push(put);
                Err(PutError::Other(unknown()))
            }
            100..140 => {
                let _ = state.apply(put);
                Err(PutError::Other(unknown()))
            }
            _ => state.apply(put),
        }
    }

    fn get(&self, path: &str, offset: u64, length: u64) -> Result<Option<Vec<u8>>, Failure> {
        self.ask(|s| {
            let (data, _) = s.objects.get(path)?;
            let from = usize::try_from(offset).unwrap().min(data.len());
            let end = if length == 0 { data.len() } else { (from + usize::try_from(length).unwrap()).min(data.len()) };
            Some(data[from..end].to_vec())
        })
    }

    fn head(&self, path: &str) -> Result<Option<ObjectMeta>, Failure> {
        self.ask(|s| s.objects.get(path).map(|o| meta(path, o)))
    }

    fn list(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<ObjectMeta>, Failure> {
        self.ask(|s| {
            let below = s.objects.iter().filter(|(p, _)| p.starts_with(prefix) && p.as_str() > after);
            below.take(limit as usize).map(|(p, o)| meta(p, o)).collect()
        })
    }

    fn delete(&self, path: &str) -> Result<(), Failure> {
        self.ask(|s| drop(s.objects.remove(path)))
    }

    fn upload(&self, _: &str) -> Result<Box<dyn Upload>, Failure> {
        Err(Failure::unsupported("upload", "not here"))
    }
}

impl Host for World {
    fn object_store_open(&self, endpoint: &str) -> Result<Box<dyn Bucket>, Failure> {
        match endpoint {
            "downstream" => Ok(Box::new(self.clone())),
            other => Err(not_granted("object-store", other)),
        }
    }

    fn wall_ms(&self) -> u64 {
        1_795_000_000_000 + self.0.borrow().now_ns / 1_000_000
    }

    fn monotonic_ns(&self) -> u64 {
        // Time never stands still.
        self.0.borrow_mut().now_ns += 1;
        self.0.borrow().now_ns
    }
}
