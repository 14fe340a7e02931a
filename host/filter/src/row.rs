//! Event filters as they apply to the rows of one table version.

use crate::FilterError;
use crate::expr::{Bound, Value};
use crate::filter::EventFilter;
use tg_model::{ChangeOp, TableVersion};

/// The values of one row, by the position of the column in [`TableVersion::columns`].
pub trait RowValues {
    /// The value; [`Value::Null`] also for what the row does not have.
    fn value(&self, column: u32) -> Value<'_>;
}

/// What is left out of the rows of one table version.
#[derive(Debug)]
pub struct RowFilter {
    /// By [`ChangeOp`] as a number: every such change.
    all: [bool; 3],
    insert: Vec<Bound>,
    update_new: Vec<Bound>,
    update_old: Vec<Bound>,
    delete: Vec<Bound>,
    /// Sets of columns whose changes alone do not count, as flags by position.
    only_columns: Vec<Vec<bool>>,
}

impl RowFilter {
    /// `None` when the filters leave nothing out.
    pub(crate) fn new<'a>(
        filters: impl Iterator<Item = &'a EventFilter>,
        table: &TableVersion,
    ) -> Result<Option<Self>, FilterError> {
        let mut out = Self {
            all: [false; 3],
            insert: Vec::new(),
            update_new: Vec::new(),
            update_old: Vec::new(),
            delete: Vec::new(),
            only_columns: Vec::new(),
        };
        for f in filters {
            for (flag, op) in out.all.iter_mut().zip([ChangeOp::Delete, ChangeOp::Update, ChangeOp::Insert]) {
                *flag |= f.types.iter().any(|t| t.covers_row(op));
            }
            let lists = [&mut out.insert, &mut out.update_new, &mut out.update_old, &mut out.delete];
            for (list, e) in lists.into_iter().zip(&f.expressions) {
                list.extend(e.as_ref().map(|e| e.bind(table)).transpose()?);
            }
            if !f.only_columns.is_empty() {
                let named = |name: &str| f.only_columns.iter().any(|n| n.eq_ignore_ascii_case(name));
                out.only_columns.push(table.columns.iter().map(|c| named(&c.name)).collect());
            }
        }
        let empty = !out.all.contains(&true) && !out.looks_at_values();
        Ok((!empty).then_some(out))
    }

    /// Whether every change of this kind is left out.
    #[must_use]
    pub fn drops_all(&self, op: ChangeOp) -> bool {
        self.all.get(op as usize).copied().unwrap_or(false)
    }

    /// Whether values decide at all; if not, [`Self::drops_all`] says everything.
    #[must_use]
    pub fn looks_at_values(&self) -> bool {
        let lists = [&self.insert, &self.update_new, &self.update_old, &self.delete];
        lists.iter().any(|l| !l.is_empty()) || !self.only_columns.is_empty()
    }

    /// Whether a change is left out. `old` and `new` are the rows that the change has.
    #[must_use]
    pub fn drops(&self, op: ChangeOp, old: Option<&dyn RowValues>, new: Option<&dyn RowValues>) -> bool {
        let any = |list: &[Bound], row: Option<&dyn RowValues>| row.is_some_and(|r| list.iter().any(|e| e.is_true(r)));
        self.drops_all(op)
            || match op {
                ChangeOp::Insert => any(&self.insert, new),
                ChangeOp::Delete => any(&self.delete, old),
                ChangeOp::Update => {
                    any(&self.update_new, new) || any(&self.update_old, old) || self.changes_only_ignored(old, new)
                }
            }
    }

    fn changes_only_ignored(&self, old: Option<&dyn RowValues>, new: Option<&dyn RowValues>) -> bool {
        let (Some(old), Some(new)) = (old, new) else {
            return false;
        };
        let ignored = |set: &Vec<bool>| {
            let mut changed = (0_u32..).zip(set).filter(|(c, _)| old.value(*c) != new.value(*c)).peekable();
            changed.peek().is_some() && changed.all(|(_, named)| *named)
        };
        self.only_columns.iter().any(ignored)
    }
}
