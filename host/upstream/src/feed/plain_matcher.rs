//! The matcher as its rules read, over decoded messages and a plain map: the model that the real one is
//! tested and measured against.

use bytes::Bytes;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use tg_model::{ChangeOp, RawChange, Ts};
use tg_proto::cdcpb::{LogType, OpType, Row};

use super::matcher::MatchError;

#[derive(PartialEq, Eq, Hash)]
struct TxnKey {
    start_ts: u64,
    key: Bytes,
}

struct Prewrite {
    value: Bytes,
    old_value: Bytes,
    generation: u64,
}

struct Commit {
    id: TxnKey,
    commit_ts: u64,
    op: OpType,
}

/// State of one (request, region); dropped with the subscription.
pub(super) struct PlainMatcher {
    checkpoint: u64,
    resolved: u64,
    initialized: bool,
    prefix_len: usize,
    prewrites: HashMap<TxnKey, Prewrite, RandomState>,
    early_commits: Vec<Commit>,
    early_rollbacks: Vec<TxnKey>,
}

impl PlainMatcher {
    /// `checkpoint`: what the subscription asked for. `prefix_len`: bytes of keyspace prefix to cut off keys.
    pub(super) fn new(checkpoint: Ts, prefix_len: usize) -> Self {
        Self {
            checkpoint: checkpoint.get(),
            resolved: checkpoint.get(),
            initialized: false,
            prefix_len,
            prewrites: HashMap::default(),
            early_commits: Vec::new(),
            early_rollbacks: Vec::new(),
        }
    }

    /// Prewrites that wait for their end.
    pub(super) fn pending(&self) -> usize {
        self.prewrites.len()
    }

    /// Takes a row. Changes are appended to `out`.
    pub(super) fn row(&mut self, row: Row, out: &mut Vec<RawChange>) -> Result<(), MatchError> {
        match row.r#type() {
            // The placeholder of a committed record that changes nothing: not even its key is there.
            LogType::Unknown => {}
            LogType::Prewrite => self.prewrite(row),
            LogType::Commit => return self.commit(row, out),
            LogType::Rollback => return self.rollback(row),
            LogType::Committed => {
                let (start_ts, commit_ts, op) = (row.start_ts, row.commit_ts, row.op_type());
                return self.emit(TxnKey { start_ts, key: row.key }, commit_ts, op, row.value, row.old_value, out);
            }
            LogType::Initialized => return self.initialize(out),
        }
        Ok(())
    }

    fn prewrite(&mut self, row: Row) {
        let new = Prewrite { value: row.value, old_value: row.old_value, generation: row.generation };
        match self.prewrites.entry(TxnKey { start_ts: row.start_ts, key: row.key }) {
            hashbrown::hash_map::Entry::Vacant(slot) => {
                slot.insert(new);
            }
            hashbrown::hash_map::Entry::Occupied(mut slot) => {
                // A lock that is merely rewritten comes again without its value.
                if !new.value.is_empty() && new.generation >= slot.get().generation {
                    slot.insert(new);
                }
            }
        }
    }

    fn commit(&mut self, row: Row, out: &mut Vec<RawChange>) -> Result<(), MatchError> {
        let op = row.op_type();
        let (start_ts, commit_ts) = (row.start_ts, row.commit_ts);
        let id = TxnKey { start_ts, key: row.key };
        if !self.initialized {
            // A prewrite without value, or of a generation, may be followed by a better one from the scan.
            let sure = self.prewrites.get(&id).is_some_and(|p| !p.value.is_empty() && p.generation == 0);
            if !sure {
                self.early_commits.push(Commit { id, commit_ts, op });
                return Ok(());
            }
        }
        match self.prewrites.remove_entry(&id) {
            Some((id, p)) => self.emit(id, commit_ts, op, p.value, p.old_value, out),
            None => Err(MatchError::NoPrewrite { start_ts, commit_ts }),
        }
    }

    fn rollback(&mut self, row: Row) -> Result<(), MatchError> {
        let id = TxnKey { start_ts: row.start_ts, key: row.key };
        if self.initialized {
            self.prewrites.remove(&id);
            return Ok(());
        }
        self.early_rollbacks.push(id);
        Ok(())
    }

    fn initialize(&mut self, out: &mut Vec<RawChange>) -> Result<(), MatchError> {
        self.initialized = true;
        for c in std::mem::take(&mut self.early_commits) {
            // Without a prewrite by now, the scan has delivered the version whole.
            if let Some((id, p)) = self.prewrites.remove_entry(&c.id) {
                self.emit(id, c.commit_ts, c.op, p.value, p.old_value, out)?;
            }
        }
        for id in std::mem::take(&mut self.early_rollbacks) {
            self.prewrites.remove(&id);
        }
        Ok(())
    }

    fn emit(
        &self,
        id: TxnKey,
        commit_ts: u64,
        op: OpType,
        value: Bytes,
        old_value: Bytes,
        out: &mut Vec<RawChange>,
    ) -> Result<(), MatchError> {
        let TxnKey { start_ts, key } = id;
        if commit_ts <= self.checkpoint {
            return Ok(());
        }
        if commit_ts <= self.resolved {
            return Err(MatchError::BelowResolved { commit_ts, resolved_ts: self.resolved });
        }
        if commit_ts <= start_ts {
            return Err(MatchError::Order { start_ts, commit_ts });
        }
        let (op, value) = match (op, old_value.is_empty()) {
            (OpType::Put, true) => (ChangeOp::Insert, value),
            (OpType::Put, false) => (ChangeOp::Update, value),
            (OpType::Delete, false) => (ChangeOp::Delete, Bytes::new()),
            // Nothing was there to delete.
            (OpType::Delete, true) | (OpType::Unknown, _) => return Ok(()),
        };
        if key.len() <= self.prefix_len {
            return Ok(());
        }
        let key = if self.prefix_len == 0 { key } else { key.slice(self.prefix_len..) };
        let (commit_ts, start_ts) = (Ts::new(commit_ts), Ts::new(start_ts));
        out.push(RawChange { commit_ts, start_ts, op, key, value, old_value });
        Ok(())
    }
}
