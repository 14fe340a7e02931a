//! The help pages of every crate, for `tidegate explain`.

use tg_model::CodePage;

/// All of them; no code twice.
pub(crate) const ALL: &[&[CodePage]] = &[
    tg_upstream::CODES,
    tg_sorter::CODES,
    tg_schema::CODES,
    tg_mounter::CODES,
    tg_filter::CODES,
    tg_plugin::CODES,
    tg_sql::codes::CODES,
    tg_object_store::CODES,
    tg_kafka::codes::CODES,
    tg_pipeline::CODES,
    tg_metastore::CODES,
    tg_config::CODES,
    tg_api::CODES,
    tg_playground::CODES,
    tg_server::CODES,
    tg_server::CLUSTER_CODES,
    tg_peer::CODES,
    tg_registry::CODES,
    tg_signature::CODES,
    tg_cli::CODES,
    tg_kit::CODES,
    tg_author::CODES,
    tg_scratch_mariadb::CODES,
    tg_consume::CODES,
    crate::consume::CODES,
    crate::demo::CODES,
    crate::dev::CODES,
    crate::server::CODES,
];

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::ALL;

    #[test]
    fn no_code_has_two_meanings() {
        let mut codes: Vec<_> = ALL.iter().copied().flatten().map(|p| p.code).collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }

    /// Set to write the page instead of comparing it.
    const UPDATE_ENV: &str = "TIDEGATE_UPDATE_DOCS";

    fn errors_page() -> String {
        let mut pages: Vec<_> = ALL.iter().copied().flatten().collect();
        pages.sort_by_key(|p| p.code);
        let mut text = "# Error codes\n\nMade from the code pages of every crate by a test of `tidegate`. `tidegate explain CODE` prints the \
                        same.\n"
            .to_owned();
        for p in pages {
            text += &format!("\n## {}: {}\n\n**Why.** {}\n\n**What to do.** {}\n", p.code, p.title, p.cause, p.action);
        }
        text
    }

    #[test]
    fn the_page_in_docs_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors.md");
        let wanted = errors_page();
        if std::env::var_os(UPDATE_ENV).is_some() {
            std::fs::write(path, &wanted).expect("docs/errors.md can be written");
        }
        let found = std::fs::read_to_string(path).expect("docs/errors.md can be read");
        assert!(found == wanted, "docs/errors.md is old: run `{UPDATE_ENV}=1 cargo test -p tidegate`");
    }
}
