//! Help pages of this crate's error codes.

use tg_model::{Code, CodePage};

/// One page per code.
pub const CODES: &[CodePage] = &[
    CodePage {
        code: Code(7001),
        title: "The playground cannot listen",
        cause: "A listener on 127.0.0.1 could not be opened: no free port, or too many open files.",
        action: "Close other programs or raise the limit of open files, then start again.",
    },
    CodePage {
        code: Code(7002),
        title: "A column type is not known to the playground",
        cause: "The type's name or its arguments could not be read.",
        action: "Write the type as SQL does, without NOT NULL and DEFAULT, e.g. decimal(10,2) or varchar(20).",
    },
    CodePage {
        code: Code(7003),
        title: "There is no such schema, table or column in the playground",
        cause: "The name was never created, or was dropped or renamed.",
        action: "Create it first; names are compared as written.",
    },
    CodePage {
        code: Code(7004),
        title: "The name exists already",
        cause: "A schema or table of that name was created before.",
        action: "Choose another name or drop the old one.",
    },
    CodePage {
        code: Code(7005),
        title: "The playground does not support this change of a table",
        cause: "It does only what needs no rewriting of rows, and hash partitions only over an integer primary key.",
        action: "Use a change that keeps the stored form, or try it on a real cluster.",
    },
    CodePage {
        code: Code(7006),
        title: "A value does not fit its column",
        cause: "The number of values differs from that of the columns, or a value is of another type.",
        action: "Give one value per column, in order, in the form of the column's type.",
    },
    CodePage {
        code: Code(7007),
        title: "A transaction met another one",
        cause: "A key is locked, was written since the transaction began, or its own lock was removed.",
        action: "Begin the transaction again; a lock that stays can be resolved over the wire.",
    },
    CodePage {
        code: Code(7008),
        title: "The schema changed during a transaction",
        cause: "A DDL finished between the rows' encoding and the commit.",
        action: "Take the table anew and repeat the transaction.",
    },
    CodePage {
        code: Code(7009),
        title: "There is no such region or store",
        cause: "Regions split and merge, so their ids come and go.",
        action: "List the regions again and use a present id.",
    },
];

#[cfg(test)]
mod tests {
    use super::CODES;
    use crate::PlaygroundError;
    use tg_model::Coded;

    #[test]
    fn every_error_has_a_page() {
        let name = String::new;
        let errors = [
            PlaygroundError::Listen(std::io::Error::other("x")),
            PlaygroundError::UnknownType { column: name(), sql_type: name() },
            PlaygroundError::UnknownTable { name: name() },
            PlaygroundError::UnknownColumn { table: name(), column: name() },
            PlaygroundError::Exists { name: name() },
            PlaygroundError::PartitionKey { table: name() },
            PlaygroundError::Unsupported { table: name(), what: "x" },
            PlaygroundError::ValueMisfit { table: name(), column: name() },
            PlaygroundError::WriteConflict { start_ts: 1, commit_ts: 2 },
            PlaygroundError::LockNotFound { start_ts: 1 },
            PlaygroundError::SchemaChanged { table: name() },
            PlaygroundError::UnknownRegion { region: 1 },
            PlaygroundError::UnknownStore { store: 1 },
        ];
        for error in errors {
            assert!(CODES.iter().any(|p| p.code == error.code()), "{error} has no page");
        }
    }
}
