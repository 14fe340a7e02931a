//! One image: a row's bytes and key to the columns of a batch row.

use crate::decode::{Datum, Fault, Handle, RowV1, RowV2, read_datum};
use crate::defaults::Absent;
use crate::plan::{KeyPart, Plan, PlanColumn};
use crate::zone::TimestampZone;
use tgr1::BatchWriter;

/// Why an image could not be decoded, and for which place in it if that is known.
pub(crate) type ImageFault = (Option<usize>, Fault);

/// What an image is made from.
pub(crate) struct Source<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) zone: &'a TimestampZone,
    pub(crate) handle: Handle<'a>,
}

impl Source<'_> {
    /// Puts all columns of a row in format 2 and counts ids that the table version does not know. Both sides ascend by id, so
    /// one walk over both finds everything.
    pub(crate) fn put_v2(&self, row: &RowV2<'_>, out: &mut BatchWriter) -> Result<u32, ImageFault> {
        let mut walk = Walk { row, at: 0, start: 0, null_at: 0, last_id: None, unknown: 0 };
        for column in &self.plan.columns {
            let fault = |fault| (Some(column.col), fault);
            if let Some(payload) = walk.seek(column.id).map_err(fault)? {
                column.kind.put_payload(out, column.col, payload, self.zone).map_err(fault)?;
            } else if !walk.seek_null(column.id) {
                self.put_absent(column, out).map_err(fault)?;
            }
        }
        walk.finish().map_err(|fault| (None, fault))
    }

    /// As [`put_v2`](Self::put_v2) for format 1, whose columns come in any order; `seen` is scratch space.
    pub(crate) fn put_v1(
        &self,
        row: RowV1<'_>,
        seen: &mut Vec<bool>,
        out: &mut BatchWriter,
    ) -> Result<u32, ImageFault> {
        seen.clear();
        seen.resize(self.plan.columns.len(), false);
        let mut unknown = 0;
        for pair in row {
            let (id, datum) = pair.map_err(|fault| (None, fault))?;
            let Ok(i) = self.plan.columns.binary_search_by_key(&id, |column| column.id.into()) else {
                unknown += 1;
                continue;
            };
            if let (Some(column), Some(seen)) = (self.plan.columns.get(i), seen.get_mut(i)) {
                *seen = true;
                let put = column.kind.put_datum(out, column.col, datum, self.zone);
                put.map_err(|fault| (Some(column.col), fault))?;
            }
        }
        for (column, _) in self.plan.columns.iter().zip(seen.iter()).filter(|(_, seen)| !**seen) {
            self.put_absent(column, out).map_err(|fault| (Some(column.col), fault))?;
        }
        Ok(unknown)
    }

    /// A column that the row does not hold: from the key, else its default.
    fn put_absent(&self, column: &PlanColumn, out: &mut BatchWriter) -> Result<(), Fault> {
        match (column.key_part, self.handle) {
            (None, _) => {
                match &column.absent {
                    Absent::Null => {}
                    Absent::Int(v) => out.put_i64(column.col, *v),
                    Absent::UInt(v) => out.put_u64(column.col, *v),
                    Absent::Float(v) => out.put_f64(column.col, *v),
                    Absent::Bytes(v) => out.put_bytes(column.col, v),
                }
                Ok(())
            }
            (Some(KeyPart::Int), Handle::Int(handle)) => {
                column.kind.put_datum(out, column.col, Datum::Int(handle), self.zone)
            }
            (Some(KeyPart::Common(nth)), Handle::Common(bytes)) => {
                column.kind.put_datum(out, column.col, key_datum(bytes, nth)?, self.zone)
            }
            _ => Err(Fault("the key has another form than the table's keys")),
        }
    }
}

/// The n-th datum of a common handle. Zero bytes behind the last one are padding: key columns are never NULL.
fn key_datum(mut handle: &[u8], nth: usize) -> Result<Datum<'_>, Fault> {
    for _ in 0..nth {
        read_datum(&mut handle)?;
    }
    match read_datum(&mut handle)? {
        Datum::Null => Err(Fault("the key has too few columns")),
        datum => Ok(datum),
    }
}

/// A place in a row of format 2 that moves with rising column ids.
struct Walk<'a> {
    row: &'a RowV2<'a>,
    at: usize,
    /// Where the payload at `at` starts.
    start: usize,
    null_at: usize,
    last_id: Option<u32>,
    unknown: u32,
}

impl<'a> Walk<'a> {
    /// The payload of column `id`, if the row has one; ids below it that were not asked for are unknown.
    #[inline]
    fn seek(&mut self, id: u32) -> Result<Option<&'a [u8]>, Fault> {
        while self.at < self.row.len() {
            let found = self.row.id(self.at);
            if found > id {
                break;
            }
            let payload = self.step(found)?;
            if found == id {
                return Ok(Some(payload));
            }
            self.unknown += 1;
        }
        Ok(None)
    }

    #[inline]
    fn step(&mut self, id: u32) -> Result<&'a [u8], Fault> {
        if self.last_id.is_some_and(|last| id <= last) {
            return Err(Fault("the row's column ids do not ascend"));
        }
        self.last_id = Some(id);
        let end = self.row.end(self.at);
        let payload = self.row.payload(self.start, end)?;
        self.at += 1;
        self.start = end;
        Ok(payload)
    }

    #[inline]
    fn seek_null(&mut self, id: u32) -> bool {
        while self.null_at < self.row.null_len() {
            let found = self.row.null_id(self.null_at);
            if found > id {
                break;
            }
            self.null_at += 1;
            if found == id {
                return true;
            }
            self.unknown += 1;
        }
        false
    }

    fn finish(mut self) -> Result<u32, Fault> {
        while self.at < self.row.len() {
            self.step(self.row.id(self.at))?;
            self.unknown += 1;
        }
        Ok(self.unknown + (self.row.null_len() - self.null_at) as u32)
    }
}
