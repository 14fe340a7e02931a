//! Under which version the files of a table go, and the schema file that describes it.

use crate::folders::settled;
use std::collections::BTreeMap;
use tg_format_storage::{Definition, SchemaPath};
use tidegate_sdk::object_store::{Bucket, PutError, PutMode};
use tidegate_sdk::{DdlEvent, Failure, TableRef, TableSchema};

/// Versions remembered; above it all are looked up again.
const VERSIONS_MAX: usize = 8_192;
/// Schema files listed at a time.
const PAGE: u32 = 1000;

/// See the module.
pub(crate) struct Versions {
    known: BTreeMap<TableRef, u64>,
    column_ids: bool,
}

impl Versions {
    pub(crate) const fn new(column_ids: bool) -> Self {
        Self { known: BTreeMap::new(), column_ids }
    }

    /// The version for a table. One that a start found as it was has the time of that start: when the table is described already as
    /// it is, that version goes on.
    pub(crate) fn of(&mut self, bucket: &Bucket, schema: &TableSchema) -> Result<u64, Failure> {
        if let Some(version) = self.known.get(&schema.id) {
            return Ok(*version);
        }
        let mut definition = Definition::of_table(schema, self.column_ids);
        let path = definition.path();
        let latest = latest(bucket, &path)?;
        match latest {
            Some(there) if there.checksum == path.checksum => definition.table_version = there.version,
            _ => self.put(bucket, &definition)?,
        }
        if self.known.len() >= VERSIONS_MAX {
            self.known.clear();
        }
        self.known.insert(schema.id, definition.table_version);
        Ok(definition.table_version)
    }

    /// Describes what a DDL leaves.
    pub(crate) fn describe(&self, bucket: &Bucket, ddl: &DdlEvent) -> Result<(), Failure> {
        self.put(bucket, &Definition::of_ddl(ddl, self.column_ids))
    }

    /// A file that is there describes the same columns at the same time.
    fn put(&self, bucket: &Bucket, definition: &Definition) -> Result<(), Failure> {
        match bucket.put(&definition.path().text(), definition.text().as_bytes(), &PutMode::Create) {
            Ok(_) | Err(PutError::Conflict) => Ok(()),
            Err(e) => Err(settled(e)),
        }
    }
}

/// The newest schema file of the table that is not newer than this one.
fn latest(bucket: &Bucket, than: &SchemaPath) -> Result<Option<SchemaPath>, Failure> {
    let folder = SchemaPath::folder(&than.database, than.table.as_deref());
    let (mut latest, mut after) = (None::<SchemaPath>, String::new());
    loop {
        let page = bucket.list(&folder, &after, PAGE)?;
        for path in page.iter().filter_map(|m| SchemaPath::parse(&m.path)) {
            // At one version the one with our checksum comes first.
            let rank = |p: &SchemaPath| (p.version, p.checksum == than.checksum);
            if path.version <= than.version && latest.as_ref().is_none_or(|l| rank(l) < rank(&path)) {
                latest = Some(path);
            }
        }
        match page.last() {
            Some(object) if page.len() >= PAGE as usize => after.clone_from(&object.path),
            _ => return Ok(latest),
        }
    }
}
