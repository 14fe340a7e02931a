//! `secret`: values the operator granted by name.

use crate::bindings::api::secret::Host;
use crate::grant::Grants;
use crate::state::State;

/// The value, or why it is not told.
pub(crate) fn get(grants: &Grants, name: &str) -> Result<String, String> {
    let found = grants.secrets.get(name).map(|s| s.expose().to_owned());
    found.ok_or_else(|| format!("the secret {name:?} is not granted to this plugin; grant it in the changefeed"))
}

impl Host for State {
    fn get(&mut self, name: String) -> wasmtime::Result<Result<String, String>> {
        Ok(get(&self.grants, &name))
    }
}
