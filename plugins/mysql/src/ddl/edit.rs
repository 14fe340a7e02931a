//! A statement being changed piece by piece.

use super::token::{Kind, cut};

/// A piece that matters: its place among all pieces and how deep in parentheses it stands.
#[derive(Clone, Copy, Debug)]
struct Significant {
    at: usize,
    depth: u32,
}

/// A statement whose pieces can be replaced and removed. Positions count the pieces that are neither space nor comment and
/// stay valid while editing.
pub(super) struct Edit<'a> {
    pieces: Vec<(Kind, &'a str)>,
    changed: Vec<Option<String>>,
    significant: Vec<Significant>,
}

impl<'a> Edit<'a> {
    pub(super) fn new(statement: &'a str) -> Self {
        let pieces = cut(statement.trim().trim_end_matches(';').trim_end());
        let mut significant = Vec::new();
        let mut depth = 0_u32;
        for (at, (kind, text)) in pieces.iter().enumerate() {
            if matches!(kind, Kind::Space | Kind::Comment) {
                continue;
            }
            // A closing parenthesis stands as deep as its opening one.
            if *text == ")" {
                depth = depth.saturating_sub(1);
            }
            significant.push(Significant { at, depth });
            if *text == "(" {
                depth += 1;
            }
        }
        let changed = vec![None; pieces.len()];
        Self { pieces, changed, significant }
    }

    /// Number of positions.
    pub(super) const fn len(&self) -> usize {
        self.significant.len()
    }

    fn piece(&self, i: usize) -> Option<(Kind, &'a str)> {
        self.significant.get(i).and_then(|s| self.pieces.get(s.at)).copied()
    }

    /// The original text at a position; empty behind the end.
    pub(super) fn text(&self, i: usize) -> &'a str {
        self.piece(i).map_or("", |(_, t)| t)
    }

    pub(super) fn depth(&self, i: usize) -> u32 {
        self.significant.get(i).map_or(0, |s| s.depth)
    }

    /// Whether this word stands there, in any case.
    pub(super) fn is(&self, i: usize, word: &str) -> bool {
        self.piece(i).is_some_and(|(kind, t)| matches!(kind, Kind::Word | Kind::Sign) && t.eq_ignore_ascii_case(word))
    }

    /// Whether one of these words stands there.
    pub(super) fn is_any(&self, i: usize, words: &[&str]) -> bool {
        words.iter().any(|w| self.is(i, w))
    }

    /// Whether these words stand there, one behind the other.
    pub(super) fn are(&self, i: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(n, w)| self.is(i + n, w))
    }

    /// Whether a bare or quoted name (or keyword) stands there.
    pub(super) fn is_name(&self, i: usize) -> bool {
        self.piece(i).is_some_and(|(kind, _)| matches!(kind, Kind::Word | Kind::Quoted))
    }

    /// Whether the piece there was removed.
    pub(super) fn is_removed(&self, i: usize) -> bool {
        let at = self.significant.get(i).map(|s| s.at);
        at.and_then(|at| self.changed.get(at)).is_some_and(|c| c.as_ref().is_some_and(String::is_empty))
    }

    /// The position behind the group that opens at `i`, or behind `i` when no parenthesis opens there.
    pub(super) fn behind_group(&self, i: usize) -> usize {
        if !self.is(i, "(") {
            return i + 1;
        }
        let depth = self.depth(i);
        (i + 1..self.len()).find(|n| self.is(*n, ")") && self.depth(*n) == depth).map_or(self.len(), |n| n + 1)
    }

    /// The position of the comma or parenthesis that ends the list element at `i`, or the end.
    pub(super) fn element_end(&self, i: usize) -> usize {
        let depth = self.depth(i);
        (i..self.len())
            .find(|n| self.depth(*n) < depth || (self.depth(*n) == depth && self.is(*n, ",")))
            .unwrap_or(self.len())
    }

    pub(super) fn replace(&mut self, i: usize, text: impl Into<String>) {
        if let Some(changed) = self.significant.get(i).and_then(|s| self.changed.get_mut(s.at)) {
            *changed = Some(text.into());
        }
    }

    /// Puts text behind the piece at `i`.
    pub(super) fn append(&mut self, i: usize, text: &str) {
        let old = self.significant.get(i).and_then(|s| self.changed.get(s.at).cloned().flatten());
        let old = old.unwrap_or_else(|| self.text(i).to_owned());
        self.replace(i, format!("{old}{text}"));
    }

    /// Removes the pieces in `from..to`.
    pub(super) fn remove(&mut self, from: usize, to: usize) {
        for i in from..to {
            self.replace(i, "");
        }
    }

    /// Removes the list element in `from..to` with a comma beside it.
    pub(super) fn remove_element(&mut self, from: usize, to: usize) {
        self.remove(from, to);
        let before = (0..from).rev().find(|i| !self.is_removed(*i));
        match before {
            Some(comma) if self.is(comma, ",") => self.remove(comma, comma + 1),
            _ if self.is(to, ",") => self.remove(to, to + 1),
            _ => {}
        }
    }

    /// Whether everything from `i` on was removed.
    pub(super) fn nothing_from(&self, i: usize) -> bool {
        (i..self.len()).all(|n| self.is_removed(n))
    }

    pub(super) fn finish(self) -> String {
        let mut out = String::new();
        for ((_, text), changed) in self.pieces.iter().zip(&self.changed) {
            out.push_str(changed.as_deref().unwrap_or(text));
        }
        out.truncate(out.trim_end().len());
        out
    }
}
