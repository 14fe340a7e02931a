//! Limits of the scheduler.

use crate::{
    Control, body,
    router::{Handled, Shared},
};
use axum::{Router, body::Bytes, extract::State, routing::get};
use serde_json::json;
use std::collections::BTreeMap;

/// A limit of the scheduler.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Limit {
    /// Its name.
    pub name: String,
    /// What it is now.
    pub value: u64,
    /// What it is when nobody has set it.
    pub default: u64,
    /// What it can be, at least.
    pub least: u64,
    /// What it can be, at most.
    pub most: u64,
    /// What it limits, for people.
    pub means: String,
}

pub(crate) fn routes<C: Control>() -> Router<Shared<C>> {
    Router::new().route("/schedule/limits", get(all::<C>).put(set::<C>))
}

async fn all<C: Control>(State(api): State<Shared<C>>) -> Handled {
    Ok(body::answer(&json!({ "limits": api.control.limits().await? })))
}

/// The body has values by name; `null` stands for the default.
async fn set<C: Control>(State(api): State<Shared<C>>, bytes: Bytes) -> Handled {
    let wanted: BTreeMap<String, Option<u64>> = body::read(&bytes)?;
    Ok(body::answer(&json!({ "limits": api.control.set_limits(&wanted).await? })))
}
