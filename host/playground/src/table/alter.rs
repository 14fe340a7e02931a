//! Changes of a table that leave its rows as they are.

use super::def::{ColumnDef, Handle, TableDef};
use super::meta::column_json;
use super::spec::ColumnSpec;
use crate::PlaygroundError;
use serde_json::Value as Json;

impl TableDef {
    fn unsupported(&self, what: &'static str) -> PlaygroundError {
        PlaygroundError::Unsupported { table: self.full_name(), what }
    }

    /// Adds a column at the end; gives its meta data.
    pub(crate) fn add_column(&mut self, spec: &ColumnSpec) -> Result<Json, PlaygroundError> {
        if self.position(&spec.name).is_ok() {
            return Err(PlaygroundError::Exists { name: format!("{}.{}", self.full_name(), spec.name) });
        }
        if spec.not_null && spec.default.is_none() {
            return Err(self.unsupported("a new NOT NULL column without default"));
        }
        self.max_column_id += 1;
        let column = ColumnDef::new(self.max_column_id, spec, true)?;
        let json = column_json(&column, self.columns.len());
        self.columns.push(column);
        Ok(json)
    }

    /// Position of a column that is in no key and no index.
    pub(crate) fn free_column(&self, column: &str) -> Result<usize, PlaygroundError> {
        let at = self.position(column)?;
        let in_handle = match &self.handle {
            Handle::Int(i) => *i == at,
            Handle::Common(all) => all.contains(&at),
            Handle::RowId => false,
        };
        if in_handle || self.indexes.iter().any(|i| i.columns.iter().any(|c| c == column)) {
            return Err(self.unsupported("dropping a column of a key or index"));
        }
        if self.handle_positions().any(|i| i > at) {
            return Err(self.unsupported("dropping a column before those of the key"));
        }
        Ok(at)
    }

    fn handle_positions(&self) -> impl Iterator<Item = usize> {
        match &self.handle {
            Handle::Int(i) => vec![*i],
            Handle::Common(all) => all.clone(),
            Handle::RowId => Vec::new(),
        }
        .into_iter()
    }

    /// Gives a column a wider type of the same kind.
    pub(crate) fn modify_column(&mut self, spec: &ColumnSpec) -> Result<(), PlaygroundError> {
        let at = self.position(&spec.name)?;
        let old = &self.columns[at];
        let mut new = ColumnDef::new(old.id, spec, false)?;
        let integers = old.ty.code.is_integer() && new.ty.code.is_integer();
        let strings = old.ty.code.is_string() && old.ty.code == new.ty.code;
        let same = old.ty.unsigned() == new.ty.unsigned() && old.ty.charset == new.ty.charset;
        if !(same && (integers || strings) && new.ty.flen >= old.ty.flen) {
            return Err(self.unsupported("a new column type that rewrites rows"));
        }
        new.origin_default.clone_from(&old.origin_default);
        let keys = crate::encode::field::FLAG_PRIMARY
            | crate::encode::field::FLAG_UNIQUE
            | crate::encode::field::FLAG_MULTIPLE;
        new.ty.flag |= old.ty.flag & keys;
        self.columns[at] = new;
        Ok(())
    }

    /// Renames a column, in indexes too.
    pub(crate) fn rename_column(&mut self, from: &str, to: &str) -> Result<(), PlaygroundError> {
        let at = self.position(from)?;
        if self.position(to).is_ok() {
            return Err(PlaygroundError::Exists { name: format!("{}.{to}", self.full_name()) });
        }
        self.columns[at].name = to.to_owned();
        for column in self.indexes.iter_mut().flat_map(|i| &mut i.columns).filter(|c| *c == from) {
            *column = to.to_owned();
        }
        Ok(())
    }

    /// Drops an index that is not the primary key.
    pub(crate) fn drop_index(&mut self, index: &str) -> Result<(), PlaygroundError> {
        let found = self.indexes.iter().position(|i| i.name == index && !i.primary);
        let unknown = || PlaygroundError::UnknownColumn { table: self.full_name(), column: index.to_owned() };
        let at = found.ok_or_else(unknown)?;
        self.indexes.remove(at);
        Ok(())
    }
}
