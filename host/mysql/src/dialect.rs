//! What the server is.

/// Product.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "product names")]
pub enum Flavor {
    Mysql,
    Mariadb,
    Tidb,
}

/// Facts about a server, learned when connecting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerFacts {
    /// Product.
    pub flavor: Flavor,
    /// `VERSION()`.
    pub version: String,
    /// Largest packet it takes, in bytes.
    pub max_packet_bytes: u32,
}

impl Flavor {
    /// As people write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mysql => "MySQL",
            Self::Mariadb => "MariaDB",
            Self::Tidb => "TiDB",
        }
    }

    /// Product by `VERSION()`; TiDB lets its version be configured, hence `has_tidb_function`: it knows `tidb_version()`.
    #[must_use]
    pub fn of(version: &str, has_tidb_function: bool) -> Self {
        let lower = version.to_ascii_lowercase();
        if has_tidb_function || lower.contains("tidb") {
            Self::Tidb
        } else if lower.contains("mariadb") {
            Self::Mariadb
        } else {
            Self::Mysql
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Flavor;

    #[test]
    fn products_by_version() {
        let cases = [
            ("8.0.15", false, Flavor::Mysql),
            ("10.11.6-MariaDB-0+deb12u1", false, Flavor::Mariadb),
            ("8.0.11-TiDB-v8.5.0", true, Flavor::Tidb),
            ("5.7.25-custom", true, Flavor::Tidb),
        ];
        for (version, function, flavor) in cases {
            assert_eq!(Flavor::of(version, function), flavor);
        }
    }
}
