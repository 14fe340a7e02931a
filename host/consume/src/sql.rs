//! Changes to statements.

use crate::error::ConsumeError;
use tg_format_common::{Datum, Field, RowChange};
use tgr1::Op;

/// A name in backquotes.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A value as SQL. Text as hexadecimal digits with its character set: it means the same in every SQL mode.
pub(crate) fn literal(value: &Datum) -> String {
    match value {
        Datum::Null => "NULL".to_owned(),
        Datum::Int(n) => n.to_string(),
        Datum::UInt(n) => n.to_string(),
        Datum::Float(f) => format!("{f:e}"),
        Datum::Text(text) if text.is_empty() => "''".to_owned(),
        Datum::Text(text) => format!("_utf8mb4 X'{}'", hex::encode(text)),
        Datum::Bytes(bytes) => format!("X'{}'", hex::encode(bytes)),
    }
}

/// The statements of a row, in order.
pub(crate) fn statements(row: &RowChange) -> Result<Vec<String>, ConsumeError> {
    let unusable = |reason| ConsumeError::Unusable {
        table: format!("{}.{}", row.database, row.table),
        commit_ts: row.commit_ts,
        reason,
    };
    let before = row.before.as_deref();
    // The key is enough to delete by.
    let found_by_key = row.op == Op::Delete && before.is_some_and(|fields| fields.iter().any(|f| f.key));
    if (row.key_only || row.claim.is_some()) && !found_by_key {
        return Err(unusable("the message holds its key only"));
    }
    let table = format!("{}.{}", quoted(&row.database), quoted(&row.table));
    let after = row.after.as_deref();
    let keyed = after.or(before).is_some_and(|fields| fields.iter().any(|f| f.key));
    match (row.op, after, before) {
        (Op::Insert, Some(after), _) => Ok(vec![insert(&table, after, keyed)]),
        (Op::Delete, _, Some(before)) => Ok(vec![delete(&table, before, keyed)]),
        (Op::Update, Some(after), Some(before)) if !keyed => {
            Ok(vec![delete(&table, before, false), insert(&table, after, false)])
        }
        (Op::Update, Some(after), Some(before)) if key_moved(after, before) => {
            Ok(vec![delete(&table, before, true), insert(&table, after, true)])
        }
        (Op::Update, Some(after), _) if keyed => Ok(vec![insert(&table, after, true)]),
        (Op::Update, _, None) => Err(unusable("it has neither a key nor the old values")),
        _ => Err(unusable("it has no values")),
    }
}

fn key_moved(after: &[Field], before: &[Field]) -> bool {
    let old = |name: &str| before.iter().find(|f| f.name == name).map(|f| &f.value);
    after.iter().filter(|f| f.key).any(|f| old(&f.name).is_some_and(|value| *value != f.value))
}

/// With a key a row that is there already is replaced.
fn insert(table: &str, fields: &[Field], keyed: bool) -> String {
    let verb = if keyed { "REPLACE" } else { "INSERT" };
    let names: Vec<String> = fields.iter().map(|f| quoted(&f.name)).collect();
    let values: Vec<String> = fields.iter().map(|f| literal(&f.value)).collect();
    format!("{verb} INTO {table} ({}) VALUES ({})", names.join(","), values.join(","))
}

/// Without a key one of the rows that are the same goes.
fn delete(table: &str, fields: &[Field], keyed: bool) -> String {
    let terms: Vec<String> = fields
        .iter()
        .filter(|f| f.key || !keyed)
        .map(|f| format!("{} <=> {}", quoted(&f.name), literal(&f.value)))
        .collect();
    format!("DELETE FROM {table} WHERE {} LIMIT 1", terms.join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::{literal, statements};
    use tg_format_common::{Datum, Field, RowChange};
    use tgr1::Op;

    fn fields(id: i64, v: &str, key: bool) -> Vec<Field> {
        let field = |name: &str, key, value| Field { name: name.to_owned(), ty: None, key, value };
        vec![field("id", key, Datum::Int(id)), field("v`", false, Datum::Text(v.to_owned()))]
    }

    fn row(op: Op, after: Option<Vec<Field>>, before: Option<Vec<Field>>) -> RowChange {
        RowChange {
            database: "d".to_owned(),
            table: "t".to_owned(),
            op,
            commit_ts: Some(7),
            commit_ms: None,
            after,
            before,
            key_only: false,
            claim: None,
        }
    }

    #[test]
    fn rows_with_a_key_are_replaced_and_found_by_it() {
        let of = |r: &RowChange| statements(r).unwrap();
        let insert = "REPLACE INTO `d`.`t` (`id`,`v```) VALUES (1,_utf8mb4 X'61')";
        assert_eq!(of(&row(Op::Insert, Some(fields(1, "a", true)), None)), [insert]);
        assert_eq!(of(&row(Op::Update, Some(fields(1, "a", true)), None)), [insert]);
        let moved = of(&row(Op::Update, Some(fields(1, "a", true)), Some(fields(2, "a", true))));
        assert_eq!(moved, ["DELETE FROM `d`.`t` WHERE `id` <=> 2 LIMIT 1", insert]);
        let deleted = of(&row(Op::Delete, None, Some(fields(1, "", true))));
        assert_eq!(deleted, ["DELETE FROM `d`.`t` WHERE `id` <=> 1 LIMIT 1"]);
    }

    #[test]
    fn rows_without_a_key_need_their_old_values() {
        let update = row(Op::Update, Some(fields(1, "a", false)), Some(fields(1, "", false)));
        assert_eq!(
            statements(&update).unwrap(),
            [
                "DELETE FROM `d`.`t` WHERE `id` <=> 1 AND `v``` <=> '' LIMIT 1",
                "INSERT INTO `d`.`t` (`id`,`v```) VALUES (1,_utf8mb4 X'61')"
            ]
        );
        let blind = statements(&row(Op::Update, Some(fields(1, "a", false)), None)).unwrap_err();
        assert_eq!(blind.to_string(), "a change of d.t at 7: it has neither a key nor the old values");
        let mut key_only = row(Op::Insert, Some(fields(1, "a", true)), None);
        key_only.key_only = true;
        assert!(statements(&key_only).is_err());
        let mut key_only = row(Op::Delete, None, Some(fields(1, "", true)[..1].to_vec()));
        key_only.key_only = true;
        assert_eq!(statements(&key_only).unwrap(), ["DELETE FROM `d`.`t` WHERE `id` <=> 1 LIMIT 1"]);
    }

    #[test]
    fn values_mean_the_same_in_every_mode() {
        assert_eq!(literal(&Datum::Float(1.5)), "1.5e0");
        assert_eq!(literal(&Datum::Bytes(vec![0, 255])), "X'00ff'");
        assert_eq!(literal(&Datum::Text("'\\".to_owned())), "_utf8mb4 X'275c'");
    }
}
