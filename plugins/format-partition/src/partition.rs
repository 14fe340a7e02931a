//! Partitions of rows.

use crate::PositionHash;
use tg_format_common::{Column, EncodeError, Table, value};
use tgr1::{Row, Value};

/// `partition` of a dispatcher rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PartitionRule {
    /// `table` and `default`: a table has one partition.
    Table,
    /// `index-value`: by the values of an index; `None`: of the key that identifies rows.
    IndexValue(Option<String>),
    /// `columns`: by the values of these.
    Columns(Vec<String>),
    /// `ts`: by the commit-ts.
    Ts,
    /// Any other text, a key for Pulsar: partition 0.
    Key(String),
}

impl PartitionRule {
    /// The rule that a configuration names, with `index` and `columns` beside it.
    #[must_use]
    pub fn parse(text: &str, index: Option<&str>, columns: &[String]) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "" | "default" | "table" => Self::Table,
            "ts" => Self::Ts,
            "index-value" | "rowid" => Self::IndexValue(index.map(str::to_owned)),
            "columns" => Self::Columns(columns.to_vec()),
            _ => Self::Key(text.to_owned()),
        }
    }

    /// The rule for Kafka, which has no keys of this kind: a text that is no rule counts as [`Table`](Self::Table).
    #[must_use]
    pub fn for_kafka(self) -> Self {
        if let Self::Key(_) = self { Self::Table } else { self }
    }
}

/// What goes into the hash beside schema and table.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Plan {
    Nothing,
    /// Indexes in the table's columns.
    Values(Vec<usize>),
    Ts,
    Zero,
}

/// Computes the partitions of one table's rows.
#[derive(Debug)]
pub struct Partitioner {
    plan: Plan,
    base: PositionHash,
    scratch: Vec<u8>,
}

impl Partitioner {
    /// For this table.
    ///
    /// # Errors
    /// When the rule names an index or a column that the table does not have.
    pub fn new(rule: &PartitionRule, table: &Table) -> Result<Self, EncodeError> {
        let plan = match rule {
            PartitionRule::Table => Plan::Nothing,
            PartitionRule::Ts => Plan::Ts,
            PartitionRule::Key(_) => Plan::Zero,
            PartitionRule::IndexValue(None) => Plan::Values(table.handle.clone()),
            PartitionRule::IndexValue(Some(name)) => Plan::Values(of_index(table, name)?),
            PartitionRule::Columns(names) => {
                Plan::Values(names.iter().map(|name| by_name(table, name)).collect::<Result<_, _>>()?)
            }
        };
        let mut base = PositionHash::new();
        base.write(&[table.schema.database.as_bytes(), table.schema.name.as_bytes()]);
        Ok(Self { plan, base, scratch: Vec::new() })
    }

    /// Positions in the schema of the columns whose values matter.
    pub fn columns<'a>(&'a self, table: &'a Table) -> impl Iterator<Item = u32> + 'a {
        let list: &[usize] = if let Plan::Values(list) = &self.plan { list } else { &[] };
        list.iter().filter_map(|i| table.columns.get(*i)).filter_map(|c| u32::try_from(c.position).ok())
    }

    /// The partition of a row among so many; 0 when there are none.
    ///
    /// # Errors
    /// When the batch is damaged.
    pub fn partition(&mut self, table: &Table, row: &Row<'_>, count: u32) -> Result<u32, EncodeError> {
        if count == 0 {
            return Ok(0);
        }
        match &self.plan {
            Plan::Zero => Ok(0),
            Plan::Ts => Ok((row.commit_ts() % u64::from(count)) as u32),
            Plan::Nothing => Ok(self.base.sum() % count),
            Plan::Values(_) => Ok(self.hash(table, row)? % count),
        }
    }

    /// The key string for Pulsar.
    ///
    /// # Errors
    /// When the batch is damaged.
    pub fn key(&mut self, rule: &PartitionRule, table: &Table, row: &Row<'_>) -> Result<String, EncodeError> {
        Ok(match rule {
            PartitionRule::Table => table.full_name.clone(),
            PartitionRule::Ts => row.commit_ts().to_string(),
            PartitionRule::Key(text) => text.clone(),
            PartitionRule::IndexValue(_) | PartitionRule::Columns(_) => self.hash(table, row)?.to_string(),
        })
    }

    fn hash(&mut self, table: &Table, row: &Row<'_>) -> Result<u32, EncodeError> {
        let mut hash = self.base;
        let (Plan::Values(list), Some(image)) = (&self.plan, row.current()) else {
            return Ok(hash.sum());
        };
        for column in list.iter().filter_map(|i| table.columns.get(*i)) {
            let value = value::get(table, column, &image, row.commit_ts())?;
            if value != Value::Null {
                self.scratch.clear();
                value::plain(&mut self.scratch, column, value);
                hash.write(&[column.name.as_bytes(), &self.scratch]);
            }
        }
        Ok(hash.sum())
    }
}

fn by_name(table: &Table, name: &str) -> Result<usize, EncodeError> {
    let same = |column: &Column| column.name.eq_ignore_ascii_case(name);
    table.columns.iter().position(same).ok_or_else(|| {
        EncodeError::Config(format!("partition by columns: {} has no column {name} to dispatch by", table.full_name))
    })
}

fn of_index(table: &Table, name: &str) -> Result<Vec<usize>, EncodeError> {
    let same = |index: &&tidegate_sdk::Index| index.unique && index.name.eq_ignore_ascii_case(name);
    let index = table.schema.indexes.iter().find(same).ok_or_else(|| {
        EncodeError::Config(format!("partition by index-value: {} has no unique index {name}", table.full_name))
    })?;
    let place = |position: &u32| table.columns.iter().position(|c| c.position == *position as usize);
    let columns: Option<Vec<usize>> = index.columns.iter().map(place).collect();
    columns.ok_or_else(|| {
        EncodeError::Config(format!(
            "partition by index-value: {name} of {} has columns that are left out",
            table.full_name
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::{PartitionRule, Partitioner};
    use std::sync::Arc;
    use tg_format_common::Table;
    use tg_format_fixtures::{all_types, rows};
    use tgr1::Batch;

    #[test]
    fn columns_and_indexes_by_any_order() {
        let table = Table::new(Arc::new(all_types()), None).unwrap();
        let data = rows(&all_types(), 5, 30);
        let partitions = |rule: PartitionRule| -> Vec<u32> {
            let mut by = Partitioner::new(&rule, &table).unwrap();
            Batch::parse(&data).unwrap().into_iter().map(|row| by.partition(&table, &row, 7).unwrap()).collect()
        };
        let by_key = partitions(PartitionRule::IndexValue(None));
        assert_eq!(by_key, partitions(PartitionRule::IndexValue(Some("primary".to_owned()))));
        assert_eq!(by_key, partitions(PartitionRule::Columns(vec!["K".to_owned(), "id".to_owned()])));
        assert_ne!(by_key, partitions(PartitionRule::Table));
        assert!(partitions(PartitionRule::Key("any".to_owned())).iter().all(|p| *p == 0));
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        let table = Table::new(Arc::new(all_types()), None).unwrap();
        for rule in
            [PartitionRule::Columns(vec!["nope".to_owned()]), PartitionRule::IndexValue(Some("nope".to_owned()))]
        {
            let error = Partitioner::new(&rule, &table).unwrap_err();
            assert!(error.to_string().contains("shop.all has no"), "{error}");
        }
    }

    #[test]
    fn rules_by_name() {
        assert_eq!(PartitionRule::parse("Index-Value", None, &[]), PartitionRule::IndexValue(None));
        assert_eq!(PartitionRule::parse("", None, &[]), PartitionRule::Table);
        assert_eq!(PartitionRule::parse("some key", None, &[]), PartitionRule::Key("some key".to_owned()));
    }
}
