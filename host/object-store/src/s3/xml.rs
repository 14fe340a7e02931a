//! The little of XML that S3's answers need: texts between tags.

/// The text of the first element of this name, its entities resolved.
pub(super) fn text(xml: &str, name: &str) -> Option<String> {
    elements(xml, name).next().map(unescaped)
}

/// What lies between the tags of every element of this name. Elements of one name do not nest in S3's answers.
pub(super) fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(open.as_str())?;
        let (found, behind) = after.split_once(close.as_str())?;
        rest = behind;
        Some(found)
    })
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let Some((entity, behind)) = after.split_once(';') else {
            out.push('&');
            rest = after;
            continue;
        };
        let number = entity.strip_prefix("#x").map_or_else(
            || entity.strip_prefix('#').and_then(|n| n.parse().ok()),
            |hex| u32::from_str_radix(hex, 16).ok(),
        );
        match (entity, number.and_then(char::from_u32)) {
            ("amp", _) => out.push('&'),
            ("lt", _) => out.push('<'),
            ("gt", _) => out.push('>'),
            ("quot", _) => out.push('"'),
            ("apos", _) => out.push('\''),
            (_, Some(c)) => out.push(c),
            (_, None) => {
                out.push('&');
                rest = after;
                continue;
            }
        }
        rest = behind;
    }
    out + rest
}

/// A text within an element.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::{elements, escaped, text};

    #[test]
    fn elements_are_found() {
        let xml = "<R><C><Key>a&amp;b</Key></C><C><Key>&#x65e5;&lt;</Key></C><Odd>&nope;&</Odd></R>";
        let keys: Vec<_> = elements(xml, "C").filter_map(|c| text(c, "Key")).collect();
        assert_eq!(keys, ["a&b", "日<"]);
        assert_eq!(text(xml, "Odd").unwrap(), "&nope;&");
        assert_eq!(text(xml, "None"), None);
        assert_eq!(text(&format!("<E>{}</E>", escaped("\"<&>")), "E").unwrap(), "\"<&>");
    }
}
