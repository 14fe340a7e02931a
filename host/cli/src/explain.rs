//! Help on error codes.

use crate::{CliError, Terminal};
use serde_json::json;
use tg_model::{Code, CodePage};

/// Prints one page, or a list of all.
pub(crate) fn explain(
    terminal: &mut Terminal<'_>,
    as_json: bool,
    code: Option<&str>,
    pages: &[&[CodePage]],
) -> Result<(), CliError> {
    let mut all: Vec<&CodePage> = pages.iter().copied().flatten().collect();
    all.sort_by_key(|p| p.code);
    let object =
        |p: &CodePage| json!({ "code": p.code.to_string(), "title": p.title, "cause": p.cause, "action": p.action });
    let Some(code) = code else {
        if as_json {
            return terminal.json(&all.iter().map(|p| object(p)).collect());
        }
        let rows = all.iter().map(|p| vec![p.code.to_string(), p.title.to_owned()]).collect();
        return terminal.table(&["CODE", "WHAT"], rows);
    };
    let page = parse(code).and_then(|code| all.iter().find(|p| p.code == code));
    let Some(page) = page else {
        let names: Vec<String> = all.iter().map(|p| p.code.to_string()).collect();
        let near = tg_config::did_you_mean(code, names.iter().map(String::as_str));
        let hint = near.map(|c| format!("; did you mean {c}?")).unwrap_or_default();
        return Err(CliError::UnknownCode { code: code.to_owned(), hint });
    };
    if as_json {
        return terminal.json(&object(page));
    }
    terminal.say(&format!("{}: {}\n", page.code, page.title))?;
    terminal.say(&format!("Why\n{}\n", wrap(page.cause)))?;
    terminal.say(&format!("What to do\n{}", wrap(page.action)))
}

/// `TG-1203`, `tg1203` or `1203`.
fn parse(text: &str) -> Option<Code> {
    let lower = text.to_ascii_lowercase();
    let digits = lower.strip_prefix("tg").unwrap_or(&lower).trim_start_matches('-');
    digits.parse().ok().map(Code)
}

/// Breaks a text into indented lines.
fn wrap(text: &str) -> String {
    const WIDTH: usize = 88;
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        if let Some(line) = lines.last_mut()
            && (line.is_empty() || line.len() + word.len() < WIDTH)
        {
            let gap = if line.is_empty() { "" } else { " " };
            *line += gap;
            *line += word;
            continue;
        }
        lines.push(word.to_owned());
    }
    lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
