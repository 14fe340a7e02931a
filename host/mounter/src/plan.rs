//! What is worked out once for a table version.

use crate::decode::Fault;
use crate::defaults::{Absent, absent_value};
use crate::value::Kind;
use crate::zone::TimestampZone;
use tg_model::{TableKey, TableVersion};
use tgr1::{ColumnSpec, SlotKind};

/// How each column of an image is found and decoded.
#[derive(Debug)]
pub(crate) struct Plan {
    /// By column id.
    pub(crate) columns: Vec<PlanColumn>,
    /// By place in the image.
    pub(crate) specs: Vec<ColumnSpec>,
    /// Position in [`TableVersion::columns`] by place in the image.
    pub(crate) positions: Vec<u32>,
    /// Places in the image of the columns that identify a row and may change while the key stays.
    pub(crate) row_key: Vec<(usize, SlotKind)>,
}

/// One column.
#[derive(Debug)]
pub(crate) struct PlanColumn {
    pub(crate) id: u32,
    /// Place in the image.
    pub(crate) col: usize,
    pub(crate) kind: Kind,
    /// Where the key holds it, for rows that do not.
    pub(crate) key_part: Option<KeyPart>,
    /// Its value when neither row nor key hold it.
    pub(crate) absent: Absent,
}

/// Where a key holds a column.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeyPart {
    /// It is the handle.
    Int,
    /// It is the handle's n-th datum.
    Common(usize),
}

impl Plan {
    /// # Errors
    /// The position of a column and why it cannot be planned for.
    pub(crate) fn new(table: &TableVersion, zone: &TimestampZone) -> Result<Self, (u32, Fault)> {
        let mut plan = Self { columns: Vec::new(), specs: Vec::new(), positions: Vec::new(), row_key: Vec::new() };
        for (position, column) in (0_u32..).zip(&table.columns).filter(|(_, c)| !c.flags.generated_virtual) {
            let fault = |fault| (position, fault);
            let col = plan.specs.len();
            let place = u16::try_from(col).map_err(|_| fault(Fault("the table has too many columns")))?;
            let id = u32::try_from(column.id).map_err(|_| fault(Fault("the column's id is out of range")))?;
            plan.specs.push(ColumnSpec::new(place, crate::logical(&column.ty)));
            plan.positions.push(position);
            plan.columns.push(PlanColumn {
                id,
                col,
                kind: Kind::of(&column.ty),
                key_part: key_part(&table.handle, position),
                absent: absent_value(column, zone).map_err(fault)?,
            });
        }
        plan.columns.sort_unstable_by_key(|column| column.id);
        plan.row_key = row_key(table, &plan);
        Ok(plan)
    }
}

fn key_part(handle: &TableKey, position: u32) -> Option<KeyPart> {
    match handle {
        TableKey::IntColumn(at) => (*at == position).then_some(KeyPart::Int),
        TableKey::Common(columns) => columns.iter().position(|at| *at == position).map(KeyPart::Common),
        TableKey::RowId => None,
    }
}

fn row_key(table: &TableVersion, plan: &Plan) -> Vec<(usize, SlotKind)> {
    let key = table.row_key_columns();
    if let (TableKey::IntColumn(at), [only]) = (&table.handle, key)
        && at == only
    {
        return Vec::new();
    }
    let place = |position: &u32| plan.positions.iter().position(|at| at == position);
    key.iter().filter_map(place).filter_map(|col| Some((col, plan.specs.get(col)?.slot))).collect()
}
