//! How changes lie in a bucket or folder: paths, schema files, index files and the checkpoint as TiCDC's storage sink has them,
//! and the manifests that make them exact.
//!
//! Does: name files and take names apart, write and read schema files with their checksums, the `metadata` file, and manifests.
//! Does not: read or write anything itself, encode rows (that is csv, canal-json or parquet).
//!
//! Invariants:
//! - A path that was made is taken apart into what it was made of.
//! - A checksum depends on the table's names, columns and types only, not on the order of columns or the statement.
//! - Manifests of every past version are read.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod definition;
mod manifest;
mod metadata;
mod names;
mod path;
mod read;

pub use definition::{Column, Definition, SchemaPath};
pub use manifest::{DataFile, FOLDER, Kind, Manifest, ManifestError, lane_folder};
pub use metadata::{METADATA, checkpoint_of, checkpoint_text};
pub use names::{from_segment, to_segment};
pub use path::{DataDir, DataPath, DateFolder, EXTENSIONS, FileName};
pub use read::{LayoutError, table_schema};
