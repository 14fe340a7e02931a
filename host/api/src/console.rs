//! The console page: one file without any outside reference, filled by its script from the API.

use axum::response::Html;

/// Sends the page.
pub(crate) async fn page() -> Html<&'static str> {
    Html(include_str!("console.html"))
}
