//! What a person asks for: tables and columns, and the SQL text that says the same.

use crate::PlaygroundError;
use crate::encode::FieldType;

/// A column to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSpec {
    /// Name.
    pub name: String,
    /// Type as SQL writes it, without NOT NULL and DEFAULT: `decimal(10,2)`.
    pub sql_type: String,
    /// NOT NULL.
    pub not_null: bool,
    /// DEFAULT as the text of the value.
    pub default: Option<String>,
}

impl ColumnSpec {
    /// A column that may be NULL and has no default.
    #[must_use]
    pub fn new(name: &str, sql_type: &str) -> Self {
        Self { name: name.to_owned(), sql_type: sql_type.to_owned(), not_null: false, default: None }
    }

    /// NOT NULL.
    #[must_use]
    pub fn not_null(mut self) -> Self {
        self.not_null = true;
        self
    }

    /// With a default, as the text of its value.
    #[must_use]
    pub fn default(mut self, text: &str) -> Self {
        self.default = Some(text.to_owned());
        self
    }

    /// The type in the form of the meta data.
    pub(crate) fn field(&self) -> Result<FieldType, PlaygroundError> {
        FieldType::parse(&self.sql_type)
            .ok_or_else(|| PlaygroundError::UnknownType { column: self.name.clone(), sql_type: self.sql_type.clone() })
    }

    /// The column's part of a statement.
    pub(crate) fn sql(&self) -> String {
        let not_null = if self.not_null { " NOT NULL" } else { "" };
        let default = match &self.default {
            Some(text) => format!(" DEFAULT '{}'", text.replace('\'', "''")),
            None => String::new(),
        };
        format!("`{}` {}{not_null}{default}", self.name, self.sql_type)
    }
}

/// An index to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexSpec {
    /// Name.
    pub name: String,
    /// Columns, whole, in order.
    pub columns: Vec<String>,
    /// UNIQUE.
    pub unique: bool,
}

impl IndexSpec {
    pub(crate) fn sql(&self) -> String {
        format!("{}KEY `{}` ({})", if self.unique { "UNIQUE " } else { "" }, self.name, names(&self.columns))
    }
}

/// A table to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSpec {
    /// Schema (database); it must exist.
    pub schema: String,
    /// Name.
    pub name: String,
    /// Columns in order.
    pub columns: Vec<ColumnSpec>,
    /// Columns of the primary key; empty: none.
    pub primary_key: Vec<String>,
    /// Whether the primary key is the handle (CLUSTERED).
    pub clustered: bool,
    /// Indexes besides the primary key.
    pub indexes: Vec<IndexSpec>,
    /// Hash partitions over the first primary key column; zero: not partitioned.
    pub partitions: u32,
}

impl TableSpec {
    /// A table without columns yet.
    #[must_use]
    pub fn new(schema: &str, name: &str) -> Self {
        Self {
            schema: schema.to_owned(),
            name: name.to_owned(),
            columns: Vec::new(),
            primary_key: Vec::new(),
            clustered: true,
            indexes: Vec::new(),
            partitions: 0,
        }
    }

    /// Adds a column that may be NULL.
    #[must_use]
    pub fn column(self, name: &str, sql_type: &str) -> Self {
        self.with(ColumnSpec::new(name, sql_type))
    }

    /// Adds a column.
    #[must_use]
    pub fn with(mut self, column: ColumnSpec) -> Self {
        self.columns.push(column);
        self
    }

    /// Sets the primary key, clustered; its columns become NOT NULL.
    #[must_use]
    pub fn primary_key(mut self, columns: &[&str]) -> Self {
        self.primary_key = columns.iter().map(|c| (*c).to_owned()).collect();
        for column in &mut self.columns {
            column.not_null |= self.primary_key.contains(&column.name);
        }
        self
    }

    /// Makes the primary key an ordinary unique index; rows get a hidden row id.
    #[must_use]
    pub fn nonclustered(mut self) -> Self {
        self.clustered = false;
        self
    }

    /// Adds an index.
    #[must_use]
    pub fn index(mut self, name: &str, columns: &[&str], unique: bool) -> Self {
        let columns = columns.iter().map(|c| (*c).to_owned()).collect();
        self.indexes.push(IndexSpec { name: name.to_owned(), columns, unique });
        self
    }

    /// Sets the number of hash partitions over the first primary key column.
    #[must_use]
    pub fn hash_partitions(mut self, n: u32) -> Self {
        self.partitions = n;
        self
    }

    /// The CREATE TABLE statement.
    #[must_use]
    pub fn create_sql(&self) -> String {
        let mut parts: Vec<_> = self.columns.iter().map(ColumnSpec::sql).collect();
        if !self.primary_key.is_empty() {
            let kind = if self.clustered { "CLUSTERED" } else { "NONCLUSTERED" };
            parts.push(format!("PRIMARY KEY ({}) /*T![clustered_index] {kind} */", names(&self.primary_key)));
        }
        parts.extend(self.indexes.iter().map(IndexSpec::sql));
        let partition = match (self.partitions, self.primary_key.first()) {
            (0, _) | (_, None) => String::new(),
            (n, Some(column)) => format!(" PARTITION BY HASH (`{column}`) PARTITIONS {n}"),
        };
        format!("CREATE TABLE `{}`.`{}` ({}){partition}", self.schema, self.name, parts.join(", "))
    }
}

fn names(columns: &[String]) -> String {
    columns.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(",")
}
