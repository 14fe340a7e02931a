//! Tables between the bindings and the SDK.

use super::base::tidegate::plugin::types as raw;
use crate::{Column, ColumnProps, Index, TableRef, TableSchema};

impl From<raw::TableSchema> for TableSchema {
    fn from(t: raw::TableSchema) -> Self {
        let index = |i: raw::Index| Index { name: i.name, columns: i.columns, unique: i.unique, primary: i.primary };
        Self {
            id: t.ref_.into(),
            database: t.database,
            name: t.name,
            columns: t.columns.into_iter().map(Into::into).collect(),
            indexes: t.indexes.into_iter().map(index).collect(),
            row_key: t.row_key,
            charset: t.charset,
            collation: t.collation,
            attrs: t.attrs,
        }
    }
}

impl From<raw::Column> for Column {
    fn from(c: raw::Column) -> Self {
        let has = |flag| c.props.contains(flag);
        let props = ColumnProps {
            nullable: has(raw::ColumnProps::NULLABLE),
            primary_key: has(raw::ColumnProps::PRIMARY_KEY),
            row_key: has(raw::ColumnProps::ROW_KEY),
            unique: has(raw::ColumnProps::UNIQUE),
            generated: has(raw::ColumnProps::GENERATED),
            auto_increment: has(raw::ColumnProps::AUTO_INCREMENT),
            unsigned: has(raw::ColumnProps::UNSIGNED),
        };
        Self {
            id: c.id,
            name: c.name,
            logical: c.logical.into(),
            source_type: c.source_type,
            props,
            length: c.length,
            decimals: c.decimals,
            charset: c.charset,
            collation: c.collation,
            members: c.members,
            default_value: c.default_value,
            attrs: c.attrs,
        }
    }
}

impl From<TableRef> for raw::TableRef {
    fn from(t: TableRef) -> Self {
        Self { table: t.table, version: t.version }
    }
}

impl From<TableSchema> for raw::TableSchema {
    fn from(t: TableSchema) -> Self {
        let index = |i: Index| raw::Index { name: i.name, columns: i.columns, unique: i.unique, primary: i.primary };
        Self {
            ref_: t.id.into(),
            database: t.database,
            name: t.name,
            columns: t.columns.into_iter().map(Into::into).collect(),
            indexes: t.indexes.into_iter().map(index).collect(),
            row_key: t.row_key,
            charset: t.charset,
            collation: t.collation,
            attrs: t.attrs,
        }
    }
}

impl From<Column> for raw::Column {
    fn from(c: Column) -> Self {
        let p = c.props;
        let mut props = raw::ColumnProps::empty();
        for (on, flag) in [
            (p.nullable, raw::ColumnProps::NULLABLE),
            (p.primary_key, raw::ColumnProps::PRIMARY_KEY),
            (p.row_key, raw::ColumnProps::ROW_KEY),
            (p.unique, raw::ColumnProps::UNIQUE),
            (p.generated, raw::ColumnProps::GENERATED),
            (p.auto_increment, raw::ColumnProps::AUTO_INCREMENT),
            (p.unsigned, raw::ColumnProps::UNSIGNED),
        ] {
            if on {
                props |= flag;
            }
        }
        Self {
            id: c.id,
            name: c.name,
            logical: c.logical.into(),
            source_type: c.source_type,
            props,
            length: c.length,
            decimals: c.decimals,
            charset: c.charset,
            collation: c.collation,
            members: c.members,
            default_value: c.default_value,
            attrs: c.attrs,
        }
    }
}
