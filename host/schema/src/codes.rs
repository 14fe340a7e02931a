//! Help pages of the error codes.

use tg_model::{Code, CodePage};

/// The pages of this crate's codes.
pub const CODES: &[CodePage] = &[
    CodePage {
        code: Code(1301),
        title: "an entry of the upstream's meta data cannot be read",
        cause: "The meta data was written by a TiDB version whose form is not known, or it is damaged.",
        action: "Compare the TiDB version with the supported ones; keep the entry's text and report it.",
    },
    CodePage {
        code: Code(1302),
        title: "a row of the DDL job table cannot be decoded",
        cause: "The row is in an unknown row format or is cut short.",
        action: "Compare the TiDB version with the supported ones. The feed can go on from a ts behind the job, after the DDL was run by hand downstream.",
    },
    CodePage {
        code: Code(1303),
        title: "the description of a DDL job cannot be read",
        cause: "The job was written by a TiDB version whose form is not known.",
        action: "Compare the TiDB version with the supported ones. The feed can go on from a ts behind the job, after the DDL was run by hand downstream.",
    },
    CodePage {
        code: Code(1304),
        title: "a finished DDL job lacks what is needed to replay it",
        cause: "The job was written by a TiDB version whose form is not known.",
        action: "Run the statement by hand downstream and let the feed go on from a ts behind the job.",
    },
    CodePage {
        code: Code(1305),
        title: "a column has an unknown type",
        cause: "The upstream has a column type that this version does not know.",
        action: "Take the table out of the feed by a filter rule, or upgrade.",
    },
    CodePage {
        code: Code(1306),
        title: "the upstream cluster was flashed back",
        cause: "FLASHBACK CLUSTER changed schemas and rows without the statements that a feed could replay.",
        action: "Create the changefeed anew from a fresh copy of the data.",
    },
];

#[cfg(test)]
mod tests {
    use super::CODES;
    use crate::SchemaError;
    use tg_model::{Code, Coded, Ts};

    #[test]
    fn every_error_has_a_page() {
        let json = || serde_json::from_str::<u8>("x").unwrap_err();
        let ts = Ts::ZERO;
        let errors = [
            SchemaError::MetaJson { entry: String::new(), ts, source: json() },
            SchemaError::JobRow { job_id: 1, commit_ts: ts, reason: "" },
            SchemaError::JobJson { job_id: 1, commit_ts: ts, source: json() },
            SchemaError::JobIncomplete { job_id: 1, action: 1, object: String::new(), commit_ts: ts, missing: "" },
            SchemaError::UnknownType { schema: String::new(), table: String::new(), column: String::new(), number: 0 },
            SchemaError::FlashbackCluster { job_id: 1, commit_ts: ts },
        ];
        let codes: Vec<Code> = errors.iter().map(Coded::code).collect();
        assert_eq!(codes, CODES.iter().map(|p| p.code).collect::<Vec<_>>());
    }
}
