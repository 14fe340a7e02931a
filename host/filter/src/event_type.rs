//! Names of event types, as `ignore-event` has them.

use crate::FilterError;
use tg_model::ChangeOp;

/// What an event filter may leave out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventType {
    /// Every row change.
    AllDml,
    /// Every DDL.
    AllDdl,
    /// Row changes of one kind.
    Dml(ChangeOp),
    /// Every ALTER TABLE, CREATE INDEX and DROP INDEX included.
    AlterTable,
    /// DDL with one of these upstream action numbers.
    Ddl(&'static [u8]),
}

/// Names and the upstream actions they stand for.
const DDL: [(&str, &[u8]); 41] = [
    ("create schema", &[1]),
    ("create database", &[1]),
    ("drop schema", &[2]),
    ("drop database", &[2]),
    ("modify schema charset and collate", &[26]),
    ("create table", &[3, 60]),
    ("drop table", &[4]),
    ("truncate table", &[11]),
    ("rename table", &[14, 47]),
    ("recover table", &[25]),
    ("modify table comment", &[17]),
    ("modify table charset and collate", &[22]),
    ("create view", &[21]),
    ("drop view", &[24]),
    ("add table partition", &[19]),
    ("drop table partition", &[20]),
    ("truncate table partition", &[23]),
    ("exchange table partition", &[42]),
    ("reorganize table partition", &[64]),
    ("alter table partitioning", &[71]),
    ("remove table partitioning", &[72]),
    ("add column", &[5, 37]),
    ("drop column", &[6, 38]),
    ("modify column", &[12]),
    ("set default value", &[15]),
    ("rebase auto id", &[13]),
    ("add primary key", &[32]),
    ("drop primary key", &[33]),
    ("create index", &[7]),
    ("drop index", &[8, 48]),
    ("rename index", &[18]),
    ("alter index visibility", &[41]),
    ("alter ttl info", &[65]),
    ("alter ttl remove", &[67]),
    ("multi schema change", &[61]),
    ("add foreign key", &[9]),
    ("drop foreign key", &[10]),
    ("add fulltext index", &[230]),
    ("create hybrid index", &[231]),
    ("add index", &[7]),
    ("alter schema", &[26]),
];

/// Actions that are no ALTER TABLE.
const NOT_ALTER: [u8; 12] = [1, 2, 3, 4, 11, 14, 21, 24, 25, 26, 47, 60];

impl EventType {
    /// Reads a name; case means nothing.
    ///
    /// # Errors
    /// When there is no such type.
    pub fn parse(name: &str) -> Result<Self, FilterError> {
        let key = name.trim().to_ascii_lowercase();
        let general = [
            ("all dml", Self::AllDml),
            ("all ddl", Self::AllDdl),
            ("insert", Self::Dml(ChangeOp::Insert)),
            ("update", Self::Dml(ChangeOp::Update)),
            ("delete", Self::Dml(ChangeOp::Delete)),
            ("alter table", Self::AlterTable),
        ];
        let mut known = general.into_iter().chain(DDL.into_iter().map(|(n, actions)| (n, Self::Ddl(actions))));
        let found = known.clone().find(|(n, _)| *n == key).map(|(_, t)| t);
        found.ok_or_else(|| FilterError::EventType {
            name: name.to_owned(),
            near: known.find(|(n, _)| resembles(n, &key)).map(|(n, _)| n.to_owned()),
        })
    }

    /// Whether a DDL with this upstream action is of the type.
    #[must_use]
    pub fn covers_ddl(self, action: u8) -> bool {
        match self {
            Self::AllDdl => true,
            Self::AlterTable => !NOT_ALTER.contains(&action),
            Self::Ddl(actions) => actions.contains(&action),
            Self::AllDml | Self::Dml(_) => false,
        }
    }

    /// Whether a row change of this kind is of the type.
    #[must_use]
    pub fn covers_row(self, op: ChangeOp) -> bool {
        self == Self::AllDml || self == Self::Dml(op)
    }
}

/// Whether the letters are the same but for signs between and one at most at the end.
fn resembles(known: &str, given: &str) -> bool {
    let letters = |s: &str| s.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let (a, b) = (letters(known), letters(given));
    !b.is_empty() && (a == b || a.len().abs_diff(b.len()) == 1 && (a.starts_with(&b) || b.starts_with(&a)))
}

#[cfg(test)]
mod tests {
    use super::{ChangeOp, EventType};

    #[test]
    fn names_are_known_and_cover_their_events() {
        let of = |n: &str| EventType::parse(n).unwrap();
        assert!(of("All DML").covers_row(ChangeOp::Delete) && !of("all dml").covers_ddl(3));
        assert!(of("insert").covers_row(ChangeOp::Insert) && !of("insert").covers_row(ChangeOp::Update));
        assert!(of("all ddl").covers_ddl(61));
        assert!(of("create database") == of("create schema") && of("create table").covers_ddl(60));
        for alter in [5, 7, 17, 19, 42, 61, 65] {
            assert!(of("alter table").covers_ddl(alter), "{alter}");
        }
        for other in [1, 4, 11, 14, 21, 47] {
            assert!(!of("alter table").covers_ddl(other), "{other}");
        }
    }

    #[test]
    fn unknown_names_are_refused_with_a_hint() {
        let text = |n: &str| EventType::parse(n).unwrap_err().to_string();
        assert_eq!(text("drop_tables"), "\"drop_tables\" is not an event type, did you mean \"drop table\"?");
        assert_eq!(text("grant"), "\"grant\" is not an event type");
    }
}
