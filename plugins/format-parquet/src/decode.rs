//! Files to events.

use crate::FileError;
use crate::decimal;
use crate::describe::{Described, Description};
use crate::meta::Meta;
use bytes::Bytes;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::record::{Field as Cell, Row};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tg_format_common::{ChangeEvent, Datum, Field, MysqlType, RowChange, calendar};
use tgr1::Op;
use tgr1::text::time_text;

/// A row taken apart.
struct Line {
    op: String,
    database: String,
    table: String,
    commit_ts: Option<u64>,
    is_update: bool,
    values: Vec<Field>,
}

/// The rows of a file that [`Parquet`](crate::Parquet) wrote. A deleted and an inserted row that belong together are one update.
///
/// # Errors
/// When the file is damaged, or not one of ours.
pub fn decode(content: &[u8]) -> Result<Vec<ChangeEvent>, FileError> {
    // The library checks most of what it reads, and panics for the rest.
    let read = catch_unwind(AssertUnwindSafe(|| events(Bytes::copy_from_slice(content))));
    read.unwrap_or_else(|_| Err(FileError::Damaged("its pages hold what no writer writes".to_owned())))
}

fn events(content: Bytes) -> Result<Vec<ChangeEvent>, FileError> {
    let damaged = |e: parquet::errors::ParquetError| FileError::Damaged(e.to_string());
    let reader = SerializedFileReader::new(content).map_err(damaged)?;
    let description = Description::find(reader.metadata().file_metadata().key_value_metadata())?;
    let mut events = Vec::new();
    let mut old: Option<Line> = None;
    for row in reader.get_row_iter(None).map_err(damaged)? {
        let line = line(row.map_err(damaged)?, &description)?;
        match (line.op.as_str(), old.take()) {
            ("D", None) if line.is_update => old = Some(line),
            ("I", Some(before)) if line.is_update => events.push(event(Op::Update, line, Some(before.values))),
            (_, Some(_)) => return Err(FileError::Row("half an update")),
            ("I", None) => events.push(event(Op::Insert, line, None)),
            ("U", None) => events.push(event(Op::Update, line, None)),
            ("D", None) => {
                let values = line.values.clone();
                events.push(event(Op::Delete, line, Some(values)));
            }
            _ => return Err(FileError::Row("an operation that is none")),
        }
    }
    if old.is_some() {
        return Err(FileError::Row("half an update"));
    }
    Ok(events)
}

fn event(op: Op, line: Line, before: Option<Vec<Field>>) -> ChangeEvent {
    ChangeEvent::Row(RowChange {
        database: line.database,
        table: line.table,
        op,
        commit_ts: line.commit_ts,
        commit_ms: None,
        after: (op != Op::Delete).then_some(line.values),
        before,
        key_only: false,
        claim: None,
    })
}

fn line(row: Row, description: &Description) -> Result<Line, FileError> {
    let mut cells = row.into_columns().into_iter().peekable();
    let mut meta = |meta: Meta| cells.next_if(|(name, _)| name == meta.name()).map(|(_, cell)| cell);
    let text = |cell: Option<Cell>| match cell {
        Some(Cell::Str(text)) => Ok(text),
        _ => Err(FileError::Row("no operation, table or schema")),
    };
    let (op, table, database) = (text(meta(Meta::Operation))?, text(meta(Meta::Table))?, text(meta(Meta::Schema))?);
    let commit_ts = match meta(Meta::CommitTs) {
        Some(Cell::Long(ts)) => Some(ts.cast_unsigned()),
        _ => None,
    };
    let is_update = matches!(meta(Meta::IsUpdate), Some(Cell::Bool(true)));
    let mut values = Vec::with_capacity(description.columns.len());
    for column in &description.columns {
        let (_, cell) = cells.next_if(|(name, _)| *name == column.name).ok_or(FileError::Row("another column"))?;
        values.push(field(column, cell)?);
    }
    if cells.next().is_some() {
        return Err(FileError::Row("another column"));
    }
    Ok(Line { op, database, table, commit_ts, is_update, values })
}

fn field(column: &Described, cell: Cell) -> Result<Field, FileError> {
    let fault = || FileError::Value { column: column.name.clone(), declared: column.declared.clone() };
    let ty = column.ty().ok_or_else(fault)?;
    let value = datum(column, ty, cell).ok_or_else(fault)?;
    Ok(Field { name: column.name.clone(), ty: Some(ty), key: column.key, value })
}

fn datum(column: &Described, ty: MysqlType, cell: Cell) -> Option<Datum> {
    let text = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).ok().map(Datum::Text)
    };
    Some(match cell {
        Cell::Null => Datum::Null,
        Cell::Byte(n) => Datum::Int(n.into()),
        Cell::Short(n) => Datum::Int(n.into()),
        Cell::Int(n) => Datum::Int(n.into()),
        Cell::Long(micros) if ty == MysqlType::Time => {
            return text(&|out| time_text(out, micros, column.decimals));
        }
        Cell::Long(n) => Datum::Int(n),
        Cell::UByte(n) => Datum::UInt(n.into()),
        Cell::UShort(n) => Datum::UInt(n.into()),
        Cell::UInt(n) => Datum::UInt(n.into()),
        Cell::ULong(n) => Datum::UInt(n),
        Cell::Float(n) => Datum::Float(n.into()),
        Cell::Double(n) => Datum::Float(n),
        Cell::Decimal(d) => {
            let scale = usize::try_from(d.scale()).ok().filter(|scale| *scale <= decimal::DIGITS_MAX as usize)?;
            Datum::Text(decimal::text(decimal::number(d.data())?, scale))
        }
        Cell::Str(text) => Datum::Text(text),
        Cell::Bytes(bytes) => Datum::Bytes(bytes.data().to_vec()),
        Cell::Date(days) => {
            let date = calendar::date(days.into())?;
            return text(&|out| date.date_text(out));
        }
        Cell::TimestampMicros(micros) => {
            let time = calendar::datetime(micros)?;
            return text(&|out| time.datetime_text(out, column.decimals));
        }
        _ => return None,
    })
}
