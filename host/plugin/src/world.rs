//! Which components are plugins, by what they import and export.

use crate::engine::PluginEngine;
use crate::error::PluginError;
use crate::plugin::Kind;
use wasmtime::component::Component;

/// Version of the WIT package this host speaks: any plugin built against this major version and this minor one, or one before,
/// is taken.
pub const CONTRACT: (u64, u64) = (1, 1);
/// The package of the contract.
const PACKAGE: &str = "tidegate:plugin";
/// The contract's interfaces that a guest may import.
const IMPORTS: &[&str] = &[
    "types",
    "rows",
    "session",
    "log",
    "metrics",
    "sql",
    "producer",
    "object-store",
    "http",
    "state",
    "secret",
    "clock",
];
/// WASI 0.2, for the language runtimes; with nothing behind it.
const WASI: &[&str] = &["wasi:cli", "wasi:io", "wasi:clocks", "wasi:random", "wasi:filesystem", "wasi:sockets"];
const WASI_VERSION: &str = "0.2.";

/// `package/interface@version` in its parts.
fn parts(name: &str) -> Option<(&str, &str, &str)> {
    let (id, version) = name.split_once('@')?;
    let (package, interface) = id.split_once('/')?;
    Some((package, interface, version))
}

fn check_version(name: &str, version: &str) -> Result<(), PluginError> {
    let mut numbers = version.split('.').map(|n| n.parse::<u64>().ok());
    let (major, minor) = (numbers.next().flatten(), numbers.next().flatten());
    let remedy = match (major, minor) {
        (Some(major), Some(minor)) if major == CONTRACT.0 && minor <= CONTRACT.1 => return Ok(()),
        (Some(major), Some(minor)) if (major, minor) > CONTRACT => {
            "upgrade Tidegate, or build the plugin against the older WIT package"
        }
        _ => "build the plugin against the WIT package that comes with this version of Tidegate",
    };
    let host = format!("{}.{}", CONTRACT.0, CONTRACT.1);
    Err(PluginError::Version { interface: name.to_owned(), host, remedy })
}

fn check_import(name: &str) -> Result<(), PluginError> {
    let unknown = || PluginError::Import { import: name.to_owned() };
    let (package, interface, version) = parts(name).ok_or_else(unknown)?;
    if package == PACKAGE {
        check_version(name, version)?;
        return if IMPORTS.contains(&interface) { Ok(()) } else { Err(unknown()) };
    }
    if WASI.contains(&package) && version.starts_with(WASI_VERSION) { Ok(()) } else { Err(unknown()) }
}

fn kind(exports: &[&str]) -> Result<Kind, PluginError> {
    let mut found = Vec::new();
    for (package, interface, version) in exports.iter().filter_map(|e| parts(e)) {
        if package == PACKAGE {
            check_version(&format!("{package}/{interface}@{version}"), version)?;
            found.push(interface);
        }
    }
    let has = |interface| found.contains(&interface);
    let wanted = match (has("describe"), has("sink"), has("dispatcher"), has("transform")) {
        (true, true, ..) => return Ok(Kind::Sink),
        (true, _, true, _) => return Ok(Kind::Dispatcher),
        (true, _, _, true) => return Ok(Kind::Transform),
        (false, ..) => "`describe`",
        (true, ..) => "`sink`, `dispatcher` or `transform`",
    };
    Err(PluginError::World { wanted, exports: exports.join(", ") })
}

/// What the component is; an error names the import or export that does not fit.
pub(crate) fn check(engine: &PluginEngine, component: &Component) -> Result<Kind, PluginError> {
    let ty = component.component_type();
    for (import, _) in ty.imports(&engine.engine) {
        check_import(import)?;
    }
    let exports: Vec<&str> = ty.exports(&engine.engine).map(|(name, _)| name).collect();
    kind(&exports)
}

/// What the component imports, as it names it.
pub(crate) fn imports(engine: &PluginEngine, component: &Component) -> Vec<String> {
    component.component_type().imports(&engine.engine).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::{CONTRACT, Kind, check_import, kind};
    use tg_model::Coded;

    fn code(import: &str) -> u16 {
        check_import(import).err().map_or(0, |e| e.code().0)
    }

    #[test]
    fn imports_are_known_by_name_and_version() {
        let newer = format!("tidegate:plugin/log@{}.{}.0", CONTRACT.0, CONTRACT.1 + 1);
        for (import, expected) in [
            ("tidegate:plugin/log@1.0.0", 0),
            ("tidegate:plugin/sql@1.0.7", 0),
            ("wasi:io/streams@0.2.6", 0),
            (newer.as_str(), 2015),
            ("tidegate:plugin/log@2.0.0", 2015),
            ("tidegate:plugin/log@0.1.0", 2015),
            ("tidegate:plugin/log@one", 2015),
            ("tidegate:plugin/shell@1.0.0", 2003),
            ("wasi:http/outgoing-handler@0.2.0", 2003),
            ("wasi:io/streams@0.3.0", 2003),
            ("wasi:iota/streams@0.2.0", 2003),
            ("evil", 2003),
        ] {
            assert_eq!(code(import), expected, "{import}");
        }
    }

    #[test]
    fn exports_say_the_kind() {
        let describe = "tidegate:plugin/describe@1.0.0";
        assert_eq!(kind(&[describe, "tidegate:plugin/sink@1.0.0"]), Ok(Kind::Sink));
        assert_eq!(kind(&["tidegate:plugin/dispatcher@1.0.0", describe]), Ok(Kind::Dispatcher));
        assert_eq!(kind(&[describe, "tidegate:plugin/transform@1.0.0", "wasi:cli/run@0.2.0"]), Ok(Kind::Transform));
        let code = |exports: &[&str]| kind(exports).err().map(|e| e.code().0);
        assert_eq!(code(&["tidegate:plugin/sink@1.0.0"]), Some(2002));
        assert_eq!(code(&[describe, "wasi:cli/run@0.2.0"]), Some(2002));
        assert_eq!(code(&["tidegate:plugin/sink@0.1.0", describe]), Some(2015));
    }
}
