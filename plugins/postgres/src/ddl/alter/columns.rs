//! Columns that go, change and come.

use super::super::Actual;
use super::super::defaults::{self, Default};
use crate::config::{Config, ZeroDates};
use crate::ident::{ident, table_ident};
use crate::pgtype::{conversion, pg_type};
use tidegate_sdk::{Column, DdlEvent, LogicalType, TableSchema};

/// The statements; the error says why there are none.
pub(super) fn change(
    config: &Config,
    event: &DdlEvent,
    before: &TableSchema,
    after: &TableSchema,
    pairs: &[Option<usize>],
    actual: &Actual,
) -> Result<Vec<String>, String> {
    let on = format!("ALTER TABLE {}", table_ident(&after.database, &after.name));
    let mut change = Change { config, event, on, actual, out: Vec::new() };
    for (i, column) in before.columns.iter().enumerate() {
        if !pairs.contains(&Some(i)) {
            change.run(&format!("DROP COLUMN IF EXISTS {}", ident(&column.name)));
        }
    }
    let known = || after.columns.iter().zip(pairs).filter_map(|(c, p)| Some((before.columns.get((*p)?)?, c)));
    for (old, new) in known() {
        change.rename(&old.name, &new.name, before, pairs)?;
    }
    for (old, new) in known() {
        change.modify(old, new)?;
    }
    for (column, _) in after.columns.iter().zip(pairs).filter(|(_, p)| p.is_none()) {
        change.add(column)?;
    }
    Ok(change.out)
}

struct Change<'a> {
    config: &'a Config,
    event: &'a DdlEvent,
    /// `ALTER TABLE "d"."t"`
    on: String,
    actual: &'a Actual,
    out: Vec<String>,
}

impl Change<'_> {
    fn run(&mut self, action: &str) {
        self.out.push(format!("{} {action}", self.on));
    }

    fn rename(&mut self, old: &str, new: &str, before: &TableSchema, pairs: &[Option<usize>]) -> Result<(), String> {
        if old == new || (!self.actual.has_column(old) && self.actual.has_column(new)) {
            return Ok(());
        }
        let stays = |(i, c): (usize, &Column)| c.name == new && pairs.contains(&Some(i));
        if before.columns.iter().enumerate().any(stays) {
            return Err(format!("the column {old} takes a name that another column had before; rename them by hand"));
        }
        self.run(&format!("RENAME COLUMN {} TO {}", ident(old), ident(new)));
        Ok(())
    }

    fn modify(&mut self, old: &Column, new: &Column) -> Result<(), String> {
        let name = ident(&new.name);
        let (from, to) = (pg_type(old, self.config.bit_type), pg_type(new, self.config.bit_type));
        let is =
            self.actual.columns.iter().find(|(n, ..)| *n == new.name || *n == old.name).map(|(_, ty, _)| ty.as_str());
        let (was, is_default) = (defaults::of(old, self.config), defaults::of(new, self.config));
        let retyped = from != to && is != Some(to.as_str());
        if let Some(why) = unconvertible(old, new) {
            return Err(format!("the column {}: {why}; change the table by hand and resume after it", new.name));
        }
        if retyped {
            self.run(&format!("ALTER COLUMN {name} DROP DEFAULT"));
            let using = conversion(&name, is.unwrap_or(&from), &to);
            self.run(&format!("ALTER COLUMN {name} TYPE {to} USING {using}"));
        }
        if retyped || was != is_default {
            let default = defaults::clause(new, self.config);
            let action = if default.is_empty() { " DROP DEFAULT".to_owned() } else { format!(" SET{default}") };
            self.run(&format!("ALTER COLUMN {name}{action}"));
        }
        let null = [old, new].map(|c| defaults::takes_null(c, self.config));
        if null[0] != null[1] {
            self.run(&format!("ALTER COLUMN {name} {} NOT NULL", if null[1] { "DROP" } else { "SET" }));
        }
        Ok(())
    }

    /// A new column, with what the rows that are there have in it: those are not sent again.
    fn add(&mut self, column: &Column) -> Result<(), String> {
        let (name, ty) = (ident(&column.name), pg_type(column, self.config.bit_type));
        let null = if defaults::takes_null(column, self.config) { "" } else { " NOT NULL" };
        let head = format!("ADD COLUMN IF NOT EXISTS {name} {ty}");
        if column.props.generated {
            return Err(format!("the values that rows have in the new generated column {} are not sent", column.name));
        }
        let own = defaults::of(column, self.config);
        let filled = if own == Default::None { defaults::implicit(column, self.config) } else { own.clone() };
        match filled {
            Default::None => self.run(&format!("{head}{null}")),
            Default::Literal(value) => {
                self.run(&format!("{head}{null} DEFAULT {value}"));
                if own == Default::None {
                    self.run(&format!("ALTER COLUMN {name} DROP DEFAULT"));
                }
            }
            Default::Now => {
                self.run(&format!("{head}{null} DEFAULT {}", defaults::time_of(self.event.at.ts)));
                self.run(&format!("ALTER COLUMN {name} SET DEFAULT CURRENT_TIMESTAMP"));
            }
            Default::NoSuchDate if self.config.zero_dates == ZeroDates::Null => self.run(&head),
            Default::NoSuchDate => {
                return Err(format!(
                    "rows that are there have a date in the new column {} that does not exist; `zero-dates = 'null'` writes NULL",
                    column.name
                ));
            }
            Default::Computed(text) => {
                return Err(format!(
                    "rows that are there have in the new column {} what {text} was for each of them, which is not sent",
                    column.name
                ));
            }
        }
        Ok(())
    }
}

/// Why values that are there cannot become what the source made of them.
fn unconvertible(old: &Column, new: &Column) -> Option<&'static str> {
    use LogicalType as L;
    let (from, to) = (old.logical, new.logical);
    let listed = |l| matches!(l, L::Enumeration | L::Set);
    let worded = |l| listed(l) || l == L::Text;
    match (from, to) {
        _ if from == to => None,
        (L::Datetime, L::Timestamp) | (L::Timestamp, L::Datetime) => {
            Some("what its times became depends on the time zone of the session that changed them")
        }
        _ if (listed(from) && !worded(to)) || (listed(to) && !worded(from)) => {
            Some("members became numbers, or the reverse")
        }
        (L::Bit, L::Int | L::Uint | L::Decimal) | (L::Int | L::Uint, L::Bit) => None,
        (L::Bit, _) | (_, L::Bit) => Some("bits became bytes, or the reverse"),
        _ => None,
    }
}
