//! Rules that random runs rarely need, or that other rules mask: each is shown to matter by hand-made histories, with the rule
//! and without it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod capture;
mod hand;
mod maintenance;
mod owner;
mod times;
mod whole;
