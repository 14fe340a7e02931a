//! S3's protocol.

mod client;
mod sign;
mod upload;
mod xml;

pub(crate) use client::{Ask, S3};
pub(crate) use upload::S3Upload;
