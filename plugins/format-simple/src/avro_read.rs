//! Reading the Avro encoding.

use crate::avro::number;
use crate::{Decoder, json_read, value};
use tg_format_common::{
    Bytes, ChangeEvent, Datum, DdlChange, DecodeError, Field, MysqlType, RowChange, SchemaChange, SchemaColumn,
    SchemaIndex,
};
use tgr1::Op;

/// Bits of a number's byte that carry value.
const GROUP: u32 = 7;

struct Reader<'a>(Bytes<'a>);

impl<'a> Reader<'a> {
    fn long(&mut self) -> Result<i64, DecodeError> {
        let mut bits = 0_u64;
        for shift in (0..64).step_by(GROUP as usize) {
            let byte = self.0.byte("number")?;
            bits |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok((bits >> 1).cast_signed() ^ -(bits & 1).cast_signed());
            }
        }
        Err(DecodeError::Member("number"))
    }

    fn unsigned(&mut self) -> Result<u64, DecodeError> {
        self.long().map(i64::cast_unsigned)
    }

    fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let len = usize::try_from(self.long()?).map_err(|_| DecodeError::Short("string"))?;
        self.0.take(len, "string")
    }

    fn text(&mut self) -> Result<String, DecodeError> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| DecodeError::Member("text"))
    }

    fn truth(&mut self) -> Result<bool, DecodeError> {
        match self.0.byte("truth value")? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::Member("truth value")),
        }
    }

    fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        match self.long()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(DecodeError::Member("optional value")),
        }
    }

    /// Blocks of items; every item takes a byte at least, so that their number is bounded.
    fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T, DecodeError>) -> Result<Vec<T>, DecodeError> {
        let mut items = Vec::new();
        loop {
            let mut count = self.long()?;
            if count == 0 {
                return Ok(items);
            }
            if count < 0 {
                // The size of the block follows.
                self.long()?;
                count = count.checked_neg().ok_or(DecodeError::Member("list"))?;
            }
            for _ in 0..count {
                items.push(read(self)?);
            }
        }
    }
}

pub(crate) fn read(message: &[u8], known: &Decoder) -> Result<ChangeEvent, DecodeError> {
    let mut reader = Reader(Bytes(message));
    let (what, kind, payload) = (reader.long()?, reader.long()?, reader.long()?);
    if what != number::MESSAGE || kind != payload {
        return Err(DecodeError::unknown("message", &what.to_string()));
    }
    let version = reader.unsigned()?;
    if version != crate::VERSION {
        return Err(DecodeError::unknown("version", &version.to_string()));
    }
    let event = match kind {
        number::WATERMARK => {
            let ts = reader.unsigned()?;
            reader.long()?;
            ChangeEvent::Watermark(ts)
        }
        number::BOOTSTRAP => {
            reader.long()?;
            ChangeEvent::Schema(table(&mut reader)?)
        }
        number::DDL => ChangeEvent::Ddl(ddl(&mut reader)?),
        number::DML => ChangeEvent::Row(row(&mut reader, known)?),
        other => return Err(DecodeError::unknown("kind", &other.to_string())),
    };
    reader.0.end()?;
    Ok(event)
}

fn row(reader: &mut Reader<'_>, known: &Decoder) -> Result<RowChange, DecodeError> {
    let (database, table) = (reader.text()?, reader.text()?);
    reader.long()?;
    let op = match reader.long()? {
        0 => Op::Insert,
        1 => Op::Update,
        2 => Op::Delete,
        other => return Err(DecodeError::unknown("type", &other.to_string())),
    };
    let commit_ts = reader.unsigned()?;
    reader.long()?;
    let schema = known.schema(reader.unsigned()?, &database, &table)?;
    let claim = reader.optional(Reader::text)?;
    let key_only = reader.optional(Reader::truth)?.unwrap_or(false);
    reader.optional(|reader| {
        reader.long()?;
        reader.truth()?;
        reader.long()?;
        reader.long()
    })?;
    let mut image = || reader.optional(|reader| reader.list(|reader| field(reader, schema)));
    let (after, before) = (image()?, image()?);
    if (after.is_some(), before.is_some()) != (op != Op::Delete, op != Op::Insert) {
        return Err(DecodeError::Member("data or old"));
    }
    Ok(RowChange { database, table, op, commit_ts: Some(commit_ts), commit_ms: None, after, before, key_only, claim })
}

fn field(reader: &mut Reader<'_>, schema: &SchemaChange) -> Result<Field, DecodeError> {
    let name = reader.text()?;
    let column = schema.columns.iter().find(|c| c.name == name).ok_or_else(|| DecodeError::unknown("column", &name))?;
    let datum = match reader.long()? {
        number::NULL => Datum::Null,
        number::LONG | number::UNSIGNED_BIGINT => value::from_int(column, reader.long()?)?,
        number::FLOAT => Datum::Float(f32::from_le_bytes(reader.0.array("float")?).into()),
        number::DOUBLE => Datum::Float(f64::from_le_bytes(reader.0.array("double")?)),
        // Numbers too large for a long.
        number::STRING if column.ty == MysqlType::Bit => value::from_text(column, &reader.text()?)?,
        number::STRING => Datum::Text(reader.text()?),
        number::BYTES => Datum::Bytes(reader.bytes()?.to_vec()),
        number::TIMESTAMP => {
            reader.bytes()?;
            Datum::Text(reader.text()?)
        }
        other => return Err(DecodeError::unknown("kind of value", &other.to_string())),
    };
    Ok(Field { ty: Some(column.ty), key: schema.is_key(&name), name, value: datum })
}

fn ddl(reader: &mut Reader<'_>) -> Result<DdlChange, DecodeError> {
    let word = reader.long()?;
    let kind = usize::try_from(word).ok().and_then(|word| number::WORDS.get(word));
    let kind = kind.ok_or_else(|| DecodeError::unknown("type", &word.to_string()))?;
    let query = reader.text()?;
    let commit_ts = reader.unsigned()?;
    reader.long()?;
    let (after, before) = (reader.optional(table)?, reader.optional(table)?);
    let names = after.as_ref().map(|schema| (schema.database.clone(), schema.table.clone())).unwrap_or_default();
    let kind = (*kind).to_owned();
    Ok(DdlChange { database: names.0, table: names.1, query, commit_ts: Some(commit_ts), kind, after, before })
}

fn table(reader: &mut Reader<'_>) -> Result<SchemaChange, DecodeError> {
    Ok(SchemaChange {
        database: reader.text()?,
        table: reader.text()?,
        table_id: reader.unsigned()?,
        version: reader.unsigned()?,
        columns: reader.list(column)?,
        indexes: reader.list(|reader| {
            let name = reader.text()?;
            let (unique, primary) = (reader.truth()?, reader.truth()?);
            reader.truth()?;
            Ok(SchemaIndex { name, unique, primary, columns: reader.list(Reader::text)? })
        })?,
    })
}

fn column(reader: &mut Reader<'_>) -> Result<SchemaColumn, DecodeError> {
    let name = reader.text()?;
    let ty = json_read::mysql_type(&reader.text()?)?;
    reader.text()?;
    reader.text()?;
    reader.long()?;
    reader.optional(Reader::long)?;
    let members = reader.optional(|reader| reader.list(Reader::text))?.unwrap_or_default();
    let unsigned = reader.optional(Reader::truth)?.unwrap_or(false);
    reader.optional(Reader::truth)?;
    let nullable = reader.truth()?;
    Ok(SchemaColumn { name, ty, unsigned, nullable, members, default: reader.optional(Reader::text)? })
}
