//! The configuration page names every key.

use serde::de::DeserializeOwned;
use tg_config::{ChangefeedConfig, server::ServerFile};

/// A name nobody will give a key.
const NOT_A_KEY: &str = "not-a-key";

/// The keys of a table, as serde lists them when one is unknown; none when the path is no table.
fn keys<T: DeserializeOwned>(path: &[String]) -> Vec<String> {
    let inner = format!("{}.{NOT_A_KEY} = 1", path.join("."));
    let forms = [inner.trim_start_matches('.').to_owned(), format!("[[{}]]\n{NOT_A_KEY} = 1", path.join("."))];
    let errors = forms.iter().filter_map(|text| toml::from_str::<T>(text).err().map(|e| e.message().to_owned()));
    let lists = errors.filter(|m| m.starts_with(&format!("unknown field `{NOT_A_KEY}`")));
    lists.flat_map(|m| m.split('`').skip(3).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn check<T: DeserializeOwned>(path: &mut Vec<String>, page: &str, seen: &mut usize) {
    for key in keys::<T>(path) {
        *seen += 1;
        let kebab = key.replace('_', "-");
        assert!(page.contains(&format!("\n| `{kebab}` |")), "{path:?}: `{kebab}` is not in docs/configuration.md");
        path.push(key);
        if path.len() < 5 {
            check::<T>(path, page, seen);
        }
        path.pop();
    }
}

#[test]
fn the_page_has_every_key() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md")).unwrap();
    let (mut feed, mut server) = (0, 0);
    check::<ChangefeedConfig>(&mut Vec::new(), &page, &mut feed);
    for kind in ["http", "sql", "producer", "object-store", "secret"] {
        let mut path = ["tidegate", "grants", kind, "any-name"].map(str::to_owned).to_vec();
        let before = feed;
        check::<ChangefeedConfig>(&mut path, &page, &mut feed);
        assert!(feed > before, "grants of kind {kind} have no keys");
    }
    check::<ServerFile>(&mut Vec::new(), &page, &mut server);
    assert!(feed > 100 && server > 20, "the keys were not found: {feed}, {server}");
}
