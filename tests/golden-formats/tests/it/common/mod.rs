//! Encoding a recording, and comparing it with a topic.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use tg_format_common::{Encoder, Messages};
use tg_golden_formats::{Item, folder, replay, topic};
use tgr1::Batch;

/// When messages are said to be made; set aside in the comparison.
pub(crate) const NOW: u64 = 1_795_230_600_000;
/// The cases the peer wrote.
pub(crate) const CASES: [&str; 3] = ["types", "ddl", "modes"];
/// Databases the peer's filter let through.
const DATABASES: [&str; 5] = ["types", "modes", "ddl", "ddl2", "regions"];

/// They split an update that changes any unique key; our host splits what changes the row key.
pub(crate) const SPLIT: Known = Known { table: "types.nuk", theirs: 2, ours: 1, why: "UNIQUE(a), a nullable" };

/// A message of ours or theirs.
pub(crate) type Pair = (Option<Vec<u8>>, Option<Vec<u8>>);

/// Encodes everything, message by message.
pub(crate) fn encode_all(encoder: &mut dyn Encoder, items: &[Item]) -> Vec<Pair> {
    let mut out = Messages::new();
    let mut known = BTreeSet::new();
    for item in items {
        match item {
            Item::Ddl(ddl) => encoder.ddl(ddl, NOW, &mut out).unwrap(),
            Item::Rows(change) => {
                let id = change.schema.id;
                if known.insert(id) {
                    encoder.table(change.schema.clone(), None).unwrap();
                }
                for row in &Batch::parse(&change.batch).unwrap() {
                    encoder.row(id, &row, NOW, &mut out).unwrap();
                }
            }
        }
    }
    out.iter().map(|m| (m.key.map(<[u8]>::to_vec), m.value.map(<[u8]>::to_vec))).collect()
}

/// The recorded items of every case whose database the peer wrote.
pub(crate) fn items() -> Option<Vec<Item>> {
    let dir = folder()?;
    let wanted = |item: &Item| {
        let database = match item {
            Item::Rows(change) => &change.schema.database,
            Item::Ddl(ddl) => &ddl.database,
        };
        DATABASES.contains(&database.as_str())
    };
    Some(CASES.iter().flat_map(|case| replay(&dir.join(case))).filter(wanted).collect())
}

/// How a topic is compared with what we make.
pub(crate) struct Compare<'a> {
    pub(crate) topic: &'a str,
    /// A message of theirs as single changes.
    pub(crate) split: &'a dyn Fn(Pair) -> Vec<Pair>,
    /// What of a message is compared.
    pub(crate) shown: &'a dyn Fn(&Pair) -> String,
    /// The table of a message and something that grows with its commit-ts: order counts within a table only. `None`: a message
    /// whose cadence belongs to the run.
    pub(crate) group: &'a dyn Fn(&Pair) -> Option<(String, u64)>,
    /// Differences that are meant: see `docs/formats/differences.md`.
    pub(crate) known: &'a [Known],
}

/// How many messages of a table only one side has.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    pub(crate) table: &'static str,
    pub(crate) theirs: usize,
    pub(crate) ours: usize,
    /// What they are about.
    #[expect(dead_code, reason = "for the reader")]
    pub(crate) why: &'static str,
}

/// Differences of every format.
pub(crate) const KNOWN: [Known; 6] = [
    Known { table: "ddl.b", theirs: 1, ours: 0, why: "a step of RENAME TABLE a1 TO tmp, …: they name the last name" },
    Known { table: "ddl.tmp", theirs: 0, ours: 1, why: "the same, named as it is" },
    Known { table: "ddl.ex", theirs: 1, ours: 0, why: "EXCHANGE PARTITION: they name the other table" },
    Known { table: "ddl.p", theirs: 0, ours: 1, why: "the same, named by the table that is altered" },
    SPLIT,
    Known { table: "ddl.gt", theirs: 2, ours: 0, why: "a temporary table, which has no rows to follow" },
];

impl Compare<'_> {
    /// Fails with the first differences of every table.
    pub(crate) fn run(&self, encode: impl FnOnce(&[Item]) -> Vec<Pair>) {
        let (Some(dir), Some(items)) = (folder(), items()) else { return };
        let theirs = topic(&dir, self.topic).into_iter().map(|r| (r.key, r.value));
        self.both(theirs.collect(), encode(&items));
    }

    /// Compares these.
    pub(crate) fn both(&self, theirs: Vec<Pair>, ours: Vec<Pair>) {
        let theirs = self.grouped(theirs.into_iter().flat_map(self.split));
        let ours = self.grouped(ours.into_iter());
        let mut count = 0;
        let mut faults = Vec::new();
        for name in theirs.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
            let none = Vec::new();
            let (want, got) = (theirs.get(name).unwrap_or(&none), ours.get(name).unwrap_or(&none));
            count += want.len();
            let (missing, extra) = (only(want, got), only(got, want));
            let known = self.known.iter().filter(|k| k.table == name);
            let allowed = known.fold((0, 0), |sum, k| (sum.0 + k.theirs, sum.1 + k.ours));
            if (missing.len(), extra.len()) != allowed {
                faults.push(difference(name, &missing, &extra));
            }
        }
        println!("{}: {count} messages of {} tables", self.topic, theirs.len());
        assert!(faults.is_empty(), "{} of {} tables differ\n{}", faults.len(), theirs.len(), faults.join("\n"));
        assert!(count > 200, "only {count} messages");
    }

    /// By table, in order of commit, without what was sent twice; what was committed at once is sorted.
    fn grouped(&self, pairs: impl Iterator<Item = Pair>) -> BTreeMap<String, Vec<String>> {
        let mut groups: BTreeMap<String, Vec<(u64, String)>> = BTreeMap::new();
        for pair in pairs {
            if let Some((name, at)) = (self.group)(&pair) {
                groups.entry(name).or_default().push((at, (self.shown)(&pair)));
            }
        }
        let sorted = |(name, mut list): (String, Vec<(u64, String)>)| {
            list.sort();
            (name, list.into_iter().map(|(_, text)| text).collect())
        };
        groups.into_iter().map(sorted).collect()
    }
}

/// What `a` has and `b` has not, as often as it has it more.
fn only<'a>(a: &'a [String], b: &[String]) -> Vec<&'a String> {
    let mut left: BTreeMap<&String, usize> = BTreeMap::new();
    b.iter().for_each(|text| *left.entry(text).or_default() += 1);
    let surplus = |text: &&String| match left.get_mut(*text) {
        Some(n) if *n > 0 => {
            *n -= 1;
            false
        }
        _ => true,
    };
    let mut surplus = surplus;
    a.iter().filter(|text| surplus(text)).collect()
}

/// What only one side has, from shortly before the place where the first two part.
fn difference(name: &str, missing: &[&String], extra: &[&String]) -> String {
    const BEFORE: usize = 120;
    const SHOWN: usize = 400;
    let same = missing.iter().zip(extra).map(|(a, b)| a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count());
    let from = same.min().unwrap_or(0).saturating_sub(BEFORE);
    let cut = |text: &&String| text.chars().skip(from).take(SHOWN).collect::<String>();
    let show = |list: &[&String]| list.iter().take(2).map(cut).collect::<Vec<_>>().join("\n    ");
    let (theirs, ours) = (missing.len(), extra.len());
    format!("{name}\n  theirs only ({theirs}):\n    {}\n  ours only ({ours}):\n    {}", show(missing), show(extra))
}

/// A message that is one change.
pub(crate) fn whole(pair: Pair) -> Vec<Pair> {
    vec![pair]
}

/// The text without what lies between two marks; the marks stay.
pub(crate) fn cut(text: &str, from: &str, to: &str) -> String {
    let Some(at) = text.find(from).map(|at| at + from.len()) else { return text.to_owned() };
    let Some(end) = text[at..].find(to) else { return text.to_owned() };
    format!("{}{}", &text[..at], &text[at + end..])
}

/// The number behind a mark.
pub(crate) fn number_after(message: &[u8], mark: &str) -> u64 {
    let text = String::from_utf8_lossy(message);
    let at = text.find(mark).map_or(0, |at| at + mark.len());
    text[at..].chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)
}
