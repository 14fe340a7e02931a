//! From the names below a prefix to steps in an order that can be applied.

use crate::stream::Done;
use std::collections::{BTreeMap, BTreeSet};
use tg_format_storage::{DataDir, DataPath, SchemaPath};

/// One thing to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// Run the statement of a schema file.
    Ddl(SchemaPath),
    /// Apply the files of a folder.
    Folder(Folder),
}

/// A folder of one writer's files.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Folder {
    pub(crate) dir: DataDir,
    pub(crate) writer: Option<String>,
}

impl Folder {
    /// Names the stream.
    pub(crate) fn stream(&self) -> String {
        self.writer.as_ref().map_or_else(|| self.dir.path(), |writer| format!("{} of {writer}", self.dir.path()))
    }
}

/// Gathers names.
#[derive(Default, Debug)]
pub(crate) struct Names {
    schemas: BTreeSet<SchemaPath>,
    /// Paths of files by number.
    folders: BTreeMap<Folder, BTreeMap<u64, String>>,
    count: usize,
}

impl Names {
    /// Takes a path; how many are kept now.
    pub(crate) fn add(&mut self, path: &str, extension: &str) -> usize {
        if let Some(schema) = SchemaPath::parse(path) {
            self.count += usize::from(self.schemas.insert(schema));
        } else if let Some(DataPath::Data { dir, file, extension: found }) = DataPath::parse(path)
            && found == extension
        {
            let files = self.folders.entry(Folder { dir, writer: file.writer }).or_default();
            files.insert(file.index, path.to_owned());
            self.count += 1;
        }
        self.count
    }

    /// Steps by version of the table: the statement that made it first. Folders that are done are left out.
    pub(crate) fn steps(&self, checkpoint: u64, done: &BTreeMap<String, Done>) -> Vec<Step> {
        let mut steps: Vec<(u64, u8, Step)> = Vec::new();
        for schema in self.schemas.iter().filter(|s| s.version <= checkpoint && !done.contains_key(&s.text())) {
            // A database before its tables.
            let rank = u8::from(schema.table.is_some());
            steps.push((schema.version, rank, Step::Ddl(schema.clone())));
        }
        for (folder, files) in &self.folders {
            let units = done.get(&folder.stream()).map_or(0, |d| d.units);
            let more = files.last_key_value().is_some_and(|(last, _)| *last > units);
            if folder.dir.version <= checkpoint && more {
                steps.push((folder.dir.version, 2, Step::Folder(folder.clone())));
            }
        }
        steps.sort_by_key(|(version, rank, _)| (*version, *rank));
        steps.into_iter().map(|(_, _, step)| step).collect()
    }

    /// The path of a file.
    pub(crate) fn file(&self, folder: &Folder, index: u64) -> Option<&str> {
        self.folders.get(folder)?.get(&index).map(String::as_str)
    }

    /// The schema file of a folder's table.
    pub(crate) fn schema(&self, dir: &DataDir) -> Option<&SchemaPath> {
        let table = Some(dir.table.as_str());
        self.schemas
            .iter()
            .find(|s| s.version == dir.version && s.database == dir.database && s.table.as_deref() == table)
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, Step};
    use crate::stream::Done;
    use std::collections::BTreeMap;

    fn shown(names: &Names, checkpoint: u64, done: &BTreeMap<String, Done>) -> Vec<String> {
        let show = |s: Step| match s {
            Step::Ddl(path) => path.text(),
            Step::Folder(folder) => folder.stream(),
        };
        names.steps(checkpoint, done).into_iter().map(show).collect()
    }

    #[test]
    fn statements_come_before_rows_of_their_version_and_dates_in_order() {
        let mut names = Names::default();
        for path in [
            "d/t/20/2026-01-02/CDC000001.csv",
            "d/t/20/2026-01-01/CDC000001.csv",
            "d/t/20/2026-01-01/CDC000002.csv",
            "d/t/20/2026-01-01/meta/CDC.index",
            "d/t/10/CDC000001.csv",
            "d/t/10/CDC000001.json",
            "d/t/meta/schema_10_0000000001.json",
            "d/t/meta/schema_20_0000000002.json",
            "d/meta/schema_10_0000000003.json",
            "d/u/10/CDC_0-1_000001.csv",
            "metadata",
        ] {
            names.add(path, "csv");
        }
        let mut done = BTreeMap::new();
        let first =
            ["d/meta/schema_10_0000000003.json", "d/t/meta/schema_10_0000000001.json", "d/t/10", "d/u/10 of 0-1"];
        assert_eq!(shown(&names, 19, &done), first);
        let then = ["d/t/meta/schema_20_0000000002.json", "d/t/20/2026-01-01", "d/t/20/2026-01-02"];
        assert_eq!(shown(&names, 20, &done), [&first[..], &then[..]].concat());
        done.insert("d/t/10".to_owned(), Done { units: 1, rows: 0 });
        done.insert("d/t/20/2026-01-01".to_owned(), Done { units: 1, rows: 5 });
        for statement in [first[0], first[1], then[0]] {
            done.insert(statement.to_owned(), Done { units: 1, rows: 0 });
        }
        assert_eq!(shown(&names, 20, &done), ["d/u/10 of 0-1", "d/t/20/2026-01-01", "d/t/20/2026-01-02"]);
    }
}
