//! Topic expressions.

/// Longest name of a topic.
const TOPIC_MAX: usize = 249;
const SCHEMA: &str = "{schema}";
const TABLE: &str = "{table}";

/// What a topic expression must look like.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TopicError {
    /// Not of the one form there is.
    #[error(
        "topic expression {0:?} is not understood: use letters, digits, `.`, `_` and `-` around {{schema}}, and {{table}} behind it if wanted"
    )]
    Form(String),
    /// The protocol needs a topic for each table.
    #[error(
        "topic expression {0:?} must hold {{schema}} and {{table}}: with this protocol a topic has one table's schema"
    )]
    NotPerTable(String),
}

/// A topic name with places for schema and table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicExpression {
    before: String,
    /// What stands between schema and the rest, whether the table follows, and the end. `None`: there is no place, the name is as it is.
    places: Option<(String, bool, String)>,
}

impl TopicExpression {
    /// Reads an expression. `per_table`: the protocol (avro) needs both places.
    ///
    /// # Errors
    /// When it has another form.
    pub fn parse(text: &str, per_table: bool) -> Result<Self, TopicError> {
        let form = || TopicError::Form(text.to_owned());
        let plain = |part: &str| part.bytes().all(is_allowed);
        let Some((before, rest)) = text.split_once(SCHEMA) else {
            if text.is_empty() || !plain(text) {
                return Err(form());
            }
            return match per_table {
                true => Err(TopicError::NotPerTable(text.to_owned())),
                false => Ok(Self { before: text.to_owned(), places: None }),
            };
        };
        let (middle, has_table, after) = match rest.split_once(TABLE) {
            Some((middle, after)) => (middle, true, after),
            None => ("", false, rest),
        };
        if !plain(before) || !plain(middle) || !plain(after) {
            return Err(form());
        }
        if per_table && !has_table {
            return Err(TopicError::NotPerTable(text.to_owned()));
        }
        Ok(Self { before: before.to_owned(), places: Some((middle.to_owned(), has_table, after.to_owned())) })
    }

    /// Whether the name is the same for every table.
    #[must_use]
    pub const fn is_fixed(&self) -> bool {
        self.places.is_none()
    }

    /// The topic of a table; of a schema's DDL when the table is empty.
    #[must_use]
    pub fn topic(&self, schema: &str, table: &str) -> String {
        let mut name = self.before.clone();
        if let Some((middle, has_table, after)) = &self.places {
            escape(&mut name, schema);
            name.push_str(middle);
            if *has_table {
                escape(&mut name, table);
            }
            name.push_str(after);
        }
        name.truncate(TOPIC_MAX);
        match name.as_str() {
            "." => "_".to_owned(),
            ".." => "__".to_owned(),
            _ => name,
        }
    }
}

const fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// Appends a name with `_` for every character that topics must not hold.
fn escape(out: &mut String, name: &str) {
    out.extend(name.chars().map(|c| match u8::try_from(c) {
        Ok(byte) if is_allowed(byte) => c,
        _ => '_',
    }));
}

#[cfg(test)]
mod tests {
    use super::{TopicError, TopicExpression};

    fn topic(text: &str, schema: &str, table: &str) -> String {
        TopicExpression::parse(text, false).unwrap().topic(schema, table)
    }

    #[test]
    fn places_are_filled_and_names_escaped() {
        assert_eq!(topic("a_{schema}.{table}-z", "shop", "orders"), "a_shop.orders-z");
        assert_eq!(topic("{schema}", "shop", "orders"), "shop");
        assert_eq!(topic("{schema}_{table}", "sh op", "订单"), "sh_op___");
        assert_eq!(topic("fixed", "shop", "orders"), "fixed");
        assert_eq!(topic("{schema}{table}", ".", ""), "_");
        assert_eq!(topic("{schema}{table}", ".", "."), "__");
        assert_eq!(topic("{schema}", &"x".repeat(300), "t").len(), 249);
    }

    #[test]
    fn other_forms_are_refused() {
        for text in ["", "{table}", "a b", "{table}{schema}", "{schema}/{table}", "{schema}{schema}"] {
            assert_eq!(TopicExpression::parse(text, false), Err(TopicError::Form(text.to_owned())), "{text}");
        }
        for text in ["fixed", "{schema}"] {
            assert!(matches!(TopicExpression::parse(text, true), Err(TopicError::NotPerTable(_))), "{text}");
        }
        assert!(TopicExpression::parse("{schema}_{table}", true).is_ok());
    }
}
