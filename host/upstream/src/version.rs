//! Which versions of PD and TiKV are spoken to.

use crate::UpstreamError;
use crate::pd::Pd;
use tg_proto::metapb;

/// The oldest release that the feed's protocol is known from.
const OLDEST: [u16; 3] = [7, 5, 0];

/// Checks all stores that serve data. What names no release (a build from source, a test) passes.
pub(crate) async fn check(pd: &Pd) -> Result<(), UpstreamError> {
    for store in pd.stores().await? {
        check_store(&store)?;
    }
    Ok(())
}

fn check_store(store: &metapb::Store) -> Result<(), UpstreamError> {
    let skipped = store.state() == metapb::StoreState::Tombstone || is_tiflash(store);
    match parse(&store.version) {
        Some(version) if !skipped && version < OLDEST => {
            let [major, minor, patch] = OLDEST;
            let (id, version) = (store.id, store.version.clone());
            Err(UpstreamError::Version { store: id, version, required: format!("{major}.{minor}.{patch}") })
        }
        _ => Ok(()),
    }
}

/// A store of columns: it serves no feeds.
pub(crate) fn is_tiflash(store: &metapb::Store) -> bool {
    store.labels.iter().any(|l| l.key == "engine" && l.value.starts_with("tiflash"))
}

/// The three numbers of a release, whatever follows them.
fn parse(text: &str) -> Option<[u16; 3]> {
    let plain = text.trim_start_matches('v').split(['-', '+']).next()?;
    let mut parts = plain.split('.').map(|p| p.parse().ok());
    let version = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(version)
}

#[cfg(test)]
mod tests {
    use super::{check_store, parse};
    use tg_model::Coded as _;
    use tg_proto::metapb;

    #[test]
    fn releases_are_told_apart() {
        for (text, version) in [
            ("8.5.4", Some([8, 5, 4])),
            ("v7.5.0-alpha-12-gabcdef", Some([7, 5, 0])),
            ("6.1.0-fips", Some([6, 1, 0])),
            ("", None),
            ("nightly", None),
            ("1.2", None),
            ("1.2.3.4", None),
        ] {
            assert_eq!(parse(text), version, "{text:?}");
        }
    }

    #[test]
    fn old_stores_are_refused_and_tiflash_is_not_asked() {
        let store = |version: &str, engine: &str| metapb::Store {
            id: 4,
            version: version.to_owned(),
            labels: vec![metapb::StoreLabel { key: "engine".to_owned(), value: engine.to_owned() }],
            ..Default::default()
        };
        for (version, engine) in [("8.5.4", ""), ("7.5.0-alpha", ""), ("", ""), ("6.0.0", "tiflash")] {
            assert!(check_store(&store(version, engine)).is_ok(), "{version} {engine}");
        }
        let error = check_store(&store("7.4.9", "")).unwrap_err();
        assert_eq!(error.code().to_string(), "TG-1121");
        assert_eq!(error.to_string(), "store 4 is of version 7.4.9; 7.5.0 is the oldest that is supported");
    }
}
