//! Stored messages are removed when they are old, a few at a time, and nothing else is.

use crate::world::{World, config, give};
use serde_json::{Value, json};
use std::sync::Arc;
use tg_format_fixtures::{plain_table, wide_rows};
use tg_plugin_kafka::Kafka;
use tidegate_sdk::{Position, Sink};

const DAY_MS: u64 = 86_400_000;
/// When rows of [`wide_rows`] were committed.
const COMMIT_MS: u64 = 1_700_000_000_000;

fn told(retention: Option<u64>) -> Value {
    let mut told = config(
        "simple",
        &json!({"max-message-bytes": 420, "large-message-handle-option": "claim-check",
        "claim-check-endpoint": "claims", "claim-check-storage-uri": "s3://b/claims"}),
    );
    if let Some(ms) = retention {
        told["claim-check-retention-ms"] = json!(ms);
    }
    told
}

/// Some time later everything up to there is durable.
fn checkpoint(sink: &mut Kafka, world: &World, at_ms: u64) {
    world.set_time(at_ms);
    sink.on_checkpoint(Position { ts: at_ms << 18, stage: 1, seq: 0 }).unwrap();
}

/// Stores the messages of so many rows, whose names answer.
fn stored(world: &World, retention: Option<u64>, rows: usize) -> Vec<String> {
    let schema = Arc::new(plain_table());
    let data = wide_rows(&schema, rows);
    world.set_time(COMMIT_MS + 1000);
    world.life(&told(retention), |sink| give(sink, &schema, &data, 100).unwrap()).unwrap();
    let names = world.objects();
    assert_eq!(names.len(), rows);
    names
}

#[test]
fn names_are_as_they_were_unless_files_are_to_be_found_again() {
    let (plain, marked) = (stored(&World::default(), None, 1), stored(&World::default(), Some(7 * DAY_MS), 1));
    assert_eq!(plain[0].len(), "00000463267587686400-0123456789abcdef.json".len());
    assert_eq!(marked[0][..37], plain[0][..37]);
    assert_eq!(marked[0].len(), plain[0].len() + 17);
    assert_eq!(stored(&World::default(), Some(7 * DAY_MS), 1), marked, "a row that is stored again replaces its file");
}

#[test]
fn old_files_go_a_few_at_a_time_and_nothing_else_does() {
    let world = World::default();
    let names = stored(&world, Some(7 * DAY_MS), 100);
    let foreign = ["0.json", "00000463267587686400-0123456789abcdef.json", "below/file.json", "zzz"];
    for name in foreign {
        world.put(name, 1);
    }
    // An old row of a changefeed that is behind, stored a moment ago.
    let late = names[0].replace(&names[0][21..37], "0000000000000000");
    world.put(&late, COMMIT_MS + 8 * DAY_MS);
    let left = |world: &World| names.iter().filter(|name| world.objects().contains(name)).count();
    let life = |sink: &mut Kafka| {
        checkpoint(sink, &world, COMMIT_MS + 6 * DAY_MS);
        assert_eq!(left(&world), 100, "young");
        let then = COMMIT_MS + 8 * DAY_MS;
        for expected in [68, 36, 4, 0, 0] {
            checkpoint(sink, &world, then + (100 - expected));
            assert_eq!(left(&world), expected as usize);
        }
        let mut expected: Vec<String> = foreign.iter().map(|name| (*name).to_owned()).chain([late.clone()]).collect();
        expected.sort();
        assert_eq!(world.objects(), expected);
        // Nothing is left to be done: no more requests for a while.
        checkpoint(sink, &world, then + 1000);
        let lists = world.lists();
        (1..20).for_each(|n| checkpoint(sink, &world, then + 1000 + n * 1000));
        assert_eq!(world.lists(), lists);
        checkpoint(sink, &world, COMMIT_MS + 16 * DAY_MS);
        assert!(!world.objects().contains(&late), "its time has come too");
    };
    world.life(&told(Some(7 * DAY_MS)), life).unwrap();
}

#[test]
fn without_the_option_and_in_other_names_files_stay() {
    let world = World::default();
    let mut all = stored(&world, None, 10);
    let other = World::default();
    all.extend(
        stored(&other, Some(7 * DAY_MS), 10).iter().map(|name| name.replace(&name[37..54], "-0000000000000001")),
    );
    all.iter().for_each(|name| world.put(name, COMMIT_MS));
    all.sort();
    for retention in [None, Some(7 * DAY_MS)] {
        let later = |sink: &mut Kafka| (0..3).for_each(|n| checkpoint(sink, &world, COMMIT_MS + (90 + n) * DAY_MS));
        world.life(&told(retention), later).unwrap();
        assert_eq!(world.objects(), all);
    }
}

#[test]
fn a_store_that_is_away_stops_nothing() {
    let world = World::default();
    stored(&world, Some(7 * DAY_MS), 3);
    let life = |sink: &mut Kafka| {
        world.set_away(true);
        checkpoint(sink, &world, COMMIT_MS + 9 * DAY_MS);
        assert_eq!(world.objects().len(), 3);
        world.set_away(false);
        checkpoint(sink, &world, COMMIT_MS + 10 * DAY_MS);
        assert_eq!(world.objects(), Vec::<String>::new());
    };
    world.life(&told(Some(7 * DAY_MS)), life).unwrap();
}
