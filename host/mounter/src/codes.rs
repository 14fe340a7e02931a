//! Help for this crate's error codes.

use tg_model::{Code, CodePage};

const fn page(code: u16, title: &'static str, cause: &'static str, action: &'static str) -> CodePage {
    CodePage { code: Code(code), title, cause, action }
}

/// One page for each code.
pub const CODES: &[CodePage] = &[
    page(
        1401,
        "A change has a key that is not a row of its table",
        "The key is not a record key, belongs to another physical table, or is shaped differently from the keys of the table version it was matched with.",
        "If it follows a DDL such as an exchange of partitions, report it with the table's history. Otherwise check the upstream with ADMIN CHECK TABLE.",
    ),
    page(
        1402,
        "A row cannot be decoded",
        "The bytes the upstream sent are neither a row of format 1 nor of format 2, or they are damaged.",
        "Check the upstream with ADMIN CHECK TABLE. If the row reads well there, report it with the upstream's version.",
    ),
    page(
        1403,
        "A column's value cannot be decoded",
        "The bytes of the value do not fit the column's type in the table version valid at the commit-ts.",
        "Check whether a DDL changed the column's type near the commit-ts, and the upstream with ADMIN CHECK TABLE.",
    ),
    page(
        1404,
        "A row fails its checksum",
        "Row checksums are on, and the row does not match its own: it was damaged after it was written, or decoded with another schema than it was written with.",
        "Compare the row upstream and downstream. Turn verification off to let rows pass unchecked.",
    ),
    page(
        1405,
        "A table cannot be mounted",
        "A column's default from the time it was added does not fit its type, or the table has more columns than a batch can hold.",
        "Report it with the column's definition. Leave the table out with a filter rule to go on.",
    ),
    page(
        1406,
        "A row does not fit into the batch",
        "A batch has at most 16 MiB. Full batches are cut and the row goes to the next; only a row larger than that alone stops.",
        "Leave the table or its large columns out, or shrink the row upstream.",
    ),
];

#[cfg(test)]
mod tests {
    use super::CODES;

    #[test]
    fn every_code_has_one_page() {
        let codes: Vec<u16> = CODES.iter().map(|page| page.code.0).collect();
        assert_eq!(codes, [1401, 1402, 1403, 1404, 1405, 1406]);
    }
}
