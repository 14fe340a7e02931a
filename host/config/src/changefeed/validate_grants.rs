//! What holds for grants and for the plugins that get them.

use super::grants::KINDS;
use super::validate::Checker;
use super::{GrantsConfig, PluginConfig, SecretGrant, TidegateConfig};
use crate::uri::Family;
use crate::{ConfigError, SinkUri, did_you_mean};

/// Longest name of a grant.
const NAME_LEN_MAX: usize = 64;
/// Grants of one changefeed.
const GRANTS_MAX: usize = 64;
/// The endpoint that the sink URI describes.
const RESERVED: &str = "downstream";
/// What SQL can be sent to.
const SQL: [Family; 2] = [Family::Mysql, Family::Postgres];
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/// What names of environment variables begin with that a changefeed may read.
pub(crate) const ENV_PREFIX: &str = "TIDEGATE_SECRET_";

type Checked = Result<(), ConfigError>;

pub(super) fn check(c: &Checker<'_>, own: &TidegateConfig) -> Checked {
    let grants = &own.grants;
    let names = grants.names();
    if names.len() > GRANTS_MAX {
        return Err(c.bad("tidegate.grants", format!("{} grants are too many; at most {GRANTS_MAX}", names.len())));
    }
    for (i, full) in names.iter().enumerate() {
        check_name(c, full, names.get(..i).unwrap_or_default())?;
    }
    check_http(c, grants)?;
    for (name, grant) in &grants.sql {
        uri(c, &format!("tidegate.grants.sql.{name}.url"), grant.url.expose(), &SQL, "mysql://… or postgres://…")?;
    }
    for (name, grant) in &grants.producer {
        uri(c, &format!("tidegate.grants.producer.{name}.url"), grant.url.expose(), &[Family::Kafka], "kafka://…")?;
    }
    for (name, grant) in &grants.object_store {
        let key = format!("tidegate.grants.object-store.{name}.url");
        uri(c, &key, grant.url.expose(), &[Family::Storage], "s3://… or file:///…")?;
    }
    for (name, grant) in &grants.secret {
        check_secret(c, &format!("tidegate.grants.secret.{name}"), grant)?;
    }
    plugins(own).into_iter().try_for_each(|(key, plugin)| check_given(c, &key, plugin, &names))
}

/// Every plugin of a changefeed with its key.
fn plugins(own: &TidegateConfig) -> Vec<(String, &PluginConfig)> {
    let one = |key: &str, plugin| (format!("tidegate.{key}"), plugin);
    let mut all: Vec<_> = own.sink.iter().map(|p| one("sink", p)).collect();
    all.extend(own.dispatcher.iter().map(|p| one("dispatcher", p)));
    all.extend(own.transforms.iter().enumerate().map(|(i, p)| one(&format!("transforms[{i}]"), p)));
    all
}

fn check_name(c: &Checker<'_>, full: &str, before: &[String]) -> Checked {
    let key = format!("tidegate.grants.{full}");
    let name = full.split_once('.').map_or(full, |(_, n)| n);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    if name.is_empty() || name.len() > NAME_LEN_MAX || !name.bytes().all(plain) {
        return Err(c.bad(&key, format!("names of grants are letters, digits, `-` and `_`, at most {NAME_LEN_MAX}")));
    }
    if name == RESERVED {
        return Err(c.conflict(&key, "has the name of the endpoint that the sink URI describes"));
    }
    if let Some(other) = before.iter().find(|b| b.split_once('.').is_some_and(|(_, n)| n == name)) {
        return Err(
            c.conflict(&key, format!("has the same name as `tidegate.grants.{other}`: plugins open by name alone"))
        );
    }
    Ok(())
}

fn check_http(c: &Checker<'_>, grants: &GrantsConfig) -> Checked {
    for (name, grant) in &grants.http {
        let key = |of: &str| format!("tidegate.grants.http.{name}.{of}");
        let url = grant.url.expose();
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let Some(rest) = rest.filter(|r| !r.is_empty() && !r.starts_with('/')) else {
            return Err(c.bad(&key("url"), "is an origin: `https://host[:port][/path]`"));
        };
        if rest.contains(['?', '#']) || rest.contains(|ch: char| ch.is_whitespace() || ch.is_control()) {
            return Err(c.bad(&key("url"), "holds a query, a fragment or white space; give host, port and path"));
        }
        if rest.split('/').next().is_some_and(|authority| authority.contains('@')) {
            return Err(c.bad(&key("url"), "holds a user; give an `Authorization` in `headers`"));
        }
        for method in &grant.methods {
            c.word(&key("methods"), method, METHODS)?;
        }
        for (header, value) in &grant.headers {
            let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
            if header.is_empty() || !header.bytes().all(token) {
                return Err(c.bad(&key("headers"), format!("`{header}` is no name of a header")));
            }
            let used = references(value.expose());
            if let Some(missing) = used.into_iter().find(|r| !grants.secret.contains_key(*r)) {
                let near = did_you_mean(missing, grants.secret.keys().map(String::as_str));
                let hint = near.map_or_else(String::new, |n| format!("; did you mean `{n}`?"));
                return Err(c.bad(
                    &key("headers"),
                    format!("`{header}` uses the secret `{missing}`, which is not granted{hint}"),
                ));
            }
        }
    }
    Ok(())
}

/// The names in `${NAME}`.
fn references(text: &str) -> Vec<&str> {
    text.split("${").skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect()
}

fn uri(c: &Checker<'_>, key: &str, text: &str, families: &[Family], form: &str) -> Checked {
    // The reason alone: it says no more of the URI than its masked form.
    let parsed = SinkUri::parse(text).map_err(|e| c.bad(key, e))?;
    if families.contains(&parsed.scheme.family()) { Ok(()) } else { Err(c.bad(key, format!("is a URI like {form}"))) }
}

fn check_secret(c: &Checker<'_>, key: &str, grant: &SecretGrant) -> Checked {
    let given = [grant.value.is_some(), grant.file.is_some(), grant.env.is_some()];
    if given.into_iter().filter(|g| *g).count() != 1 {
        return Err(c.conflict(key, "needs exactly one of `value`, `file` and `env`"));
    }
    if let Some(file) = &grant.file
        && (file.is_empty() || file.starts_with('.') || file.contains(['/', '\\', '\0']))
    {
        return Err(
            c.bad(&format!("{key}.file"), "is the name of a file in the server's folder of secrets, without a path")
        );
    }
    match &grant.env {
        Some(env) if !env.starts_with(ENV_PREFIX) => Err(
            c.bad(&format!("{key}.env"), format!("begins with `{ENV_PREFIX}`: nothing else of the server can be read"))
        ),
        _ => Ok(()),
    }
}

fn check_given(c: &Checker<'_>, key: &str, plugin: &PluginConfig, names: &[String]) -> Checked {
    for given in plugin.grants.iter().flatten() {
        if names.contains(given) {
            continue;
        }
        let key = format!("{key}.grants");
        if let Some(near) = did_you_mean(given, names.iter().map(String::as_str)) {
            return Err(c.bad(&key, format!("there is no grant `{given}`; did you mean `{near}`?")));
        }
        let kind = given.split('.').next().unwrap_or_default();
        let form = if KINDS.contains(&kind) { given.as_str() } else { "http.NAME" };
        return Err(c.bad(&key, format!("there is no grant `{given}`; define it as `[tidegate.grants.{form}]`")));
    }
    Ok(())
}
