//! The columns in front of the table's own: what changed, where and when. Their names are those of csv's header.

use crate::Options;
use crate::kind::Kind;

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Meta {
    /// `I`, `U` or `D`.
    Operation,
    Table,
    Schema,
    CommitTs,
    /// Whether the row is part of an update.
    IsUpdate,
}

impl Meta {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Operation => "ticdc-meta$operation",
            Self::Table => "ticdc-meta$table",
            Self::Schema => "ticdc-meta$schema",
            Self::CommitTs => "ticdc-meta$commit-ts",
            Self::IsUpdate => "ticdc-meta$is-update",
        }
    }

    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Operation | Self::Table | Self::Schema => Kind::STRING,
            Self::CommitTs => Kind::LONG,
            Self::IsUpdate => Kind::FLAG,
        }
    }
}

/// Those that files have with these options, in order.
pub(crate) fn of(options: &Options) -> Vec<Meta> {
    let mut all = vec![Meta::Operation, Meta::Table, Meta::Schema];
    if options.include_commit_ts {
        all.push(Meta::CommitTs);
    }
    if options.output_old_value {
        all.push(Meta::IsUpdate);
    }
    all
}
