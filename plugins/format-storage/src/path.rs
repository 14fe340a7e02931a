//! Paths of data and index files: `schema/table/version/[partition/][date/]CDC00000000000000000001.csv`.

use crate::names::{from_segment, to_segment};

/// Extensions of data files: csv, canal-json and parquet.
pub const EXTENSIONS: [&str; 3] = ["csv", "json", "parquet"];
/// What data files begin with.
const BEGIN: &str = "CDC";
/// The folder of an index file beside the data files, and its extension.
const META: &str = "meta";
const INDEX: &str = "index";

/// `date-separator`: which part of the date makes a folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DateFolder {
    /// No folders by date.
    None,
    /// `2026`.
    Year,
    /// `2026-01`.
    Month,
    /// `2026-01-02`.
    #[default]
    Day,
}

impl DateFolder {
    /// The setting of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "none" => Self::None,
            "year" => Self::Year,
            "month" => Self::Month,
            "day" => Self::Day,
            _ => return None,
        })
    }

    /// The folder for a moment, milliseconds since 1970; `None`: there is none.
    #[must_use]
    pub fn folder(self, ms: u64) -> Option<String> {
        let (year, month, day) = civil(ms / 86_400_000);
        match self {
            Self::None => None,
            Self::Year => Some(format!("{year:04}")),
            Self::Month => Some(format!("{year:04}-{month:02}")),
            Self::Day => Some(format!("{year:04}-{month:02}-{day:02}")),
        }
    }
}

/// Year, month and day of a day counted from 1970.
const fn civil(days: u64) -> (u64, u64, u64) {
    // Counted from 1 March of year 0, in eras of 400 years, so that the leap day comes last.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + (month <= 2) as u64, month, day)
}

/// The folder of data files of one table version.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DataDir {
    /// Schema (database).
    pub database: String,
    /// Table.
    pub table: String,
    /// Version of the table.
    pub version: u64,
    /// Physical id of the partition.
    pub partition: Option<i64>,
    /// Date, as [`DateFolder`] writes it.
    pub date: Option<String>,
}

impl DataDir {
    /// Its path, without a slash at the end.
    #[must_use]
    pub fn path(&self) -> String {
        let mut out = format!("{}/{}/{}", to_segment(&self.database), to_segment(&self.table), self.version);
        if let Some(partition) = self.partition {
            out.push_str(&format!("/{partition}"));
        }
        if let Some(date) = &self.date {
            out.push('/');
            out.push_str(date);
        }
        out
    }

    /// Takes the parts of a path apart. A single folder that may be a year or a partition is taken for a year.
    fn parse(parts: &[&str]) -> Option<Self> {
        let [database, table, version, rest @ ..] = parts else { return None };
        let (partition, date) = match rest {
            [] => (None, None),
            [date] if is_date(date) => (None, Some(*date)),
            [partition] => (Some(*partition), None),
            [partition, date] if is_date(date) => (Some(*partition), Some(*date)),
            _ => return None,
        };
        Some(Self {
            database: from_segment(database),
            table: from_segment(table),
            version: version.parse().ok()?,
            partition: partition.map(str::parse).transpose().ok()?,
            date: date.map(str::to_owned),
        })
    }
}

/// `2026`, `2026-01` or `2026-01-02`.
fn is_date(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    matches!(lengths[..], [4] | [4, 2] | [4, 2, 2]) && text.bytes().all(|b| b.is_ascii_digit() || b == b'-')
}

/// The name of a data file without its folder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct FileName {
    /// The writer, where several write into one folder.
    pub writer: Option<String>,
    /// Counts the files of a folder, from 1 on.
    pub index: u64,
}

impl FileName {
    /// What the files of a writer begin with.
    #[must_use]
    pub fn begin(writer: Option<&str>) -> String {
        writer.map_or_else(|| BEGIN.to_owned(), |writer| format!("{BEGIN}_{writer}_"))
    }

    /// The name, the number with so many digits.
    #[must_use]
    pub fn text(&self, digits: usize, extension: &str) -> String {
        format!("{}{:0digits$}.{extension}", Self::begin(self.writer.as_deref()), self.index)
    }

    /// Takes a name apart; `None`: it is none of a data file.
    #[must_use]
    pub fn parse(name: &str) -> Option<(Self, &str)> {
        let (stem, extension) = name.rsplit_once('.')?;
        let rest = stem.strip_prefix(BEGIN)?;
        let (writer, digits) = match rest.strip_prefix('_') {
            Some(rest) => rest.rsplit_once('_').map(|(w, d)| (Some(w.to_owned()), d))?,
            None => (None, rest),
        };
        let number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        number.then(|| digits.parse().ok()).flatten().map(|index| (Self { writer, index }, extension))
    }
}

/// What a path below the prefix is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DataPath {
    /// Rows.
    Data {
        /// Folder.
        dir: DataDir,
        /// File.
        file: FileName,
        /// One of [`EXTENSIONS`].
        extension: String,
    },
    /// The name of a folder's newest file.
    Index {
        /// Folder of the data files.
        dir: DataDir,
        /// Whose files.
        writer: Option<String>,
    },
}

impl DataPath {
    /// Path of the index file of a folder.
    #[must_use]
    pub fn index_path(dir: &str, writer: Option<&str>) -> String {
        let stem = writer.map_or_else(|| BEGIN.to_owned(), |writer| format!("{BEGIN}_{writer}"));
        format!("{dir}/{META}/{stem}.{INDEX}")
    }

    /// Takes a path apart; `None`: it is something else.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').collect();
        let (name, folders) = parts.split_last()?;
        if let [folders @ .., META] = folders {
            let stem = name.strip_suffix(INDEX)?.strip_suffix('.')?;
            let writer = match stem.strip_prefix(BEGIN)? {
                "" => None,
                rest => Some(rest.strip_prefix('_')?.to_owned()),
            };
            return Some(Self::Index { dir: DataDir::parse(folders)?, writer });
        }
        let (file, extension) = FileName::parse(name)?;
        let known = EXTENSIONS.contains(&extension);
        let dir = DataDir::parse(folders).filter(|_| known)?;
        Some(Self::Data { dir, file, extension: extension.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::{DataDir, DataPath, DateFolder, FileName};

    #[test]
    fn folders_by_date() {
        let day = 86_400_000;
        assert_eq!(DateFolder::Day.folder(0).unwrap(), "1970-01-01");
        assert_eq!(DateFolder::Day.folder(11_016 * day + 5).unwrap(), "2000-02-29");
        assert_eq!(DateFolder::Day.folder(11_017 * day).unwrap(), "2000-03-01");
        assert_eq!(DateFolder::Month.folder(20_786 * day).unwrap(), "2026-11");
        assert_eq!(DateFolder::Year.folder(20_819 * day).unwrap(), "2027");
        assert_eq!(DateFolder::None.folder(0), None);
    }

    #[test]
    fn paths_are_taken_apart_into_what_they_were_made_of() {
        for (partition, date, writer) in [
            (None, None, None),
            (Some(345), None, None),
            (None, Some("2026-11-21"), None),
            (Some(345), Some("2026-11"), Some("1-2")),
            (None, Some("2026"), Some("x_y")),
        ] {
            let dir = DataDir {
                database: "a/b".to_owned(),
                table: "t".to_owned(),
                version: 470_608_909_826_523_150,
                partition,
                date: date.map(str::to_owned),
            };
            let file = FileName { writer: writer.map(str::to_owned), index: 12 };
            let path = format!("{}/{}", dir.path(), file.text(20, "csv"));
            let parsed = DataPath::parse(&path).unwrap();
            assert_eq!(parsed, DataPath::Data { dir: dir.clone(), file, extension: "csv".to_owned() }, "{path}");
            let index = DataPath::index_path(&dir.path(), writer);
            let parsed = DataPath::parse(&index).unwrap();
            assert_eq!(parsed, DataPath::Index { dir, writer: writer.map(str::to_owned) }, "{index}");
        }
    }

    #[test]
    fn other_files_are_left_alone() {
        for path in [
            "metadata",
            "d/meta/schema_1_2.json",
            "d/t/meta/schema_1_2.json",
            "d/t/1/CDC.csv",
            "d/t/1/CDC1.orc",
            "d/t/x/CDC1.csv",
            "d/t/1/2026-1/CDC1.csv",
            "d/t/1/meta/CDC.idx",
            "_tidegate/default/f/a/0-0/1.manifest",
        ] {
            assert_eq!(DataPath::parse(path), None, "{path}");
        }
    }
}
