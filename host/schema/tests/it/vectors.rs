//! Captured and constructed job rows and meta entries.

use crate::common::vectors;
use bytes::Bytes;
use serde_json::Value;
use tg_model::{ChangeOp, DdlKind, RawChange, TableId, TableKey, TableVersion, Ts};
use tg_schema::{Job, SchemaStore};

fn unhex(v: &Value) -> Bytes {
    Bytes::from(hex::decode(v.as_str().unwrap()).unwrap())
}

fn ts(v: &Value) -> Ts {
    Ts::new(v.as_str().unwrap().parse().unwrap())
}

fn pairs(name: &str) -> Vec<(Bytes, Bytes)> {
    let value = |v: &Value| v["value"].as_str().map_or_else(|| unhex(&v["value_hex"]), |s| Bytes::from(s.to_owned()));
    vectors(name).iter().map(|v| (unhex(&v["key_hex"]), value(v))).collect()
}

fn decode(store: &mut SchemaStore, v: &Value) -> Option<Job> {
    let change = RawChange {
        commit_ts: ts(&v["commit_ts"]),
        start_ts: ts(&v["start_ts"]),
        op: ChangeOp::Update,
        key: unhex(&v["row_key_hex"]),
        value: unhex(&v["row_value_hex"]),
        old_value: Bytes::new(),
    };
    store.decode_job(&change).unwrap()
}

fn table(store: &SchemaStore, id: i64) -> &TableVersion {
    store.table(TableId(id)).unwrap_or_else(|| panic!("table {id}"))
}

#[test]
fn constructed_meta_is_read() {
    let store = SchemaStore::from_snapshot(Ts::new(1), pairs("meta.json")).unwrap();
    if store.tables().count() == 0 {
        return;
    }
    let plain = table(&store, 104);
    assert_eq!((plain.schema.as_str(), plain.name.as_str(), &plain.handle), ("Test", "t", &TableKey::IntColumn(0)));
    assert_eq!((plain.row_key_columns(), plain.indexes[0].name.as_str()), (&[0_u32][..], "PRIMARY"));
    assert!(matches!(table(&store, 105).handle, TableKey::Common(_)));
    let parts = table(&store, 110);
    assert!(parts.partitions.len() >= 2);
    assert_eq!(store.table_at(parts.partitions[0].0, Ts::new(2)).unwrap().table, TableId(110));
    assert!(store.table_at(TableId(110), Ts::new(2)).is_none(), "no rows under the logical id");
    assert!(store.table_at(TableId(104), Ts::new(1)).is_none(), "before the snapshot");
}

/// Every captured table, alone in a snapshot with its schema, gives the columns of its public part.
#[test]
fn captured_meta_is_read() {
    let all = pairs("captured_meta.json");
    let Some(db) = all.iter().find(|(k, _)| k.starts_with(b"mDBs")) else {
        return;
    };
    SchemaStore::from_snapshot(Ts::new(1), all.iter().cloned()).unwrap();
    let mut seen = 0;
    for (key, value) in all.iter().filter(|(k, v)| k.starts_with(b"mDB:149") && v.starts_with(b"{")) {
        let info: Value = serde_json::from_slice(value).unwrap();
        let store = SchemaStore::from_snapshot(Ts::new(1), [(key.clone(), value.clone()), db.clone()]).unwrap();
        let id = TableId(info["id"].as_i64().unwrap());
        if info["state"] != 5 || info["temp_table_type"] != 0 {
            assert!(store.table(id).is_none(), "{info}");
            continue;
        }
        let version = table(&store, id.0);
        let public = info["cols"].as_array().into_iter().flatten().filter(|c| c["state"] == 5).count();
        assert_eq!(version.columns.len(), public);
        assert!(version.row_key_columns().iter().all(|c| (*c as usize) < public));
        assert_eq!((version.is_view, version.is_sequence), (!info["view"].is_null(), !info["sequence"].is_null()));
        seen += 1;
    }
    assert!(seen > 15, "{seen}");
}

#[test]
fn captured_jobs_give_their_tables() {
    for v in vectors("captured_ddl_jobs.json") {
        let (name, expect) = (v["name"].as_str().unwrap(), &v["expect"]);
        let mut store = SchemaStore::from_snapshot(Ts::new(1), []).unwrap();
        let job = decode(&mut store, &v);
        assert_eq!(job.is_some(), expect["replay"].as_bool().unwrap(), "{name}");
        let Some(job) = job else { continue };
        assert_eq!(
            (job.id(), i64::from(job.action())),
            (expect["job_id"].as_i64().unwrap(), expect["type"].as_i64().unwrap()),
            "{name}"
        );
        assert_eq!(
            (job.finished_ts, job.query()),
            (ts(&expect["finished_ts"]), expect["query"].as_str().unwrap()),
            "{name}"
        );
        let events = store.apply(&job).unwrap_or_else(|e| panic!("{name}: {e}"));
        let Some(after) = events.last().and_then(|e| e.after.clone()) else {
            continue;
        };
        let info = &expect["table_info"];
        assert_eq!(
            (after.table.0, after.name.as_str()),
            (info["id"].as_i64().unwrap(), info["name"].as_str().unwrap()),
            "{name}"
        );
        let columns: Value = after
            .columns
            .iter()
            .map(|c| serde_json::json!([c.id, c.name, if after.is_view { 0 } else { c.ty.code as u8 }]))
            .collect();
        if !after.is_view {
            assert_eq!(columns, info["public_columns"], "{name}");
        }
        let ids: Value = after.partitions.iter().map(|(id, _)| id.0).collect();
        assert_eq!(ids, info.get("partition_ids").cloned().unwrap_or(serde_json::json!([])), "{name}");
    }
}

/// The constructed jobs, each on the constructed meta data with the tables it takes for granted.
#[test]
fn constructed_jobs_do_what_they_are_expected_to() {
    for v in vectors("ddl_jobs.json") {
        let (name, expect) = (v["name"].as_str().unwrap(), &v["expect"]);
        let mut meta = pairs("meta.json");
        if name == "create_schema" {
            meta.clear();
        }
        if name == "create_table" {
            meta.retain(|(_, value)| !value.starts_with(br#"{"id":104,"#));
        }
        let mut store = SchemaStore::from_snapshot(Ts::new(1), meta).unwrap();
        let job = decode(&mut store, &v);
        assert_eq!(job.is_some(), expect["replay"].as_bool().unwrap(), "{name}");
        let Some(job) = job else { continue };
        let events = store.apply(&job).unwrap_or_else(|e| panic!("{name}: {e}"));
        let is = |key: &str| expect[key].as_i64();
        if let Some(id) = is("new_table").or(is("table")) {
            assert!(store.table(TableId(id)).is_some(), "{name}");
        }
        if let Some(id) = is("drop_table") {
            assert!(store.table(TableId(id)).is_none(), "{name}");
            assert_eq!(events[0].removes, [TableId(id)], "{name}");
        }
        if let Some(columns) = expect["columns"].as_array() {
            let got: Vec<&str> = table(&store, is("table").unwrap()).columns.iter().map(|c| c.name.as_str()).collect();
            assert_eq!(got, columns.iter().map(|c| c.as_str().unwrap()).collect::<Vec<_>>(), "{name}");
        }
        if let Some(partitions) = expect["partitions"].as_array() {
            let got: Vec<i64> = table(&store, is("table").unwrap()).physical_ids().map(|i| i.0).collect();
            assert_eq!(got, partitions.iter().map(|c| c.as_i64().unwrap()).collect::<Vec<_>>(), "{name}");
        }
        for (i, id) in expect["new_tables"].as_array().into_iter().flatten().enumerate() {
            assert_eq!((events[i].seq as usize, &events[i].adds), (i, &vec![TableId(id.as_i64().unwrap())]), "{name}");
        }
        for (i, step) in expect["renames"].as_array().into_iter().flatten().enumerate() {
            let (old, new) = (step["old"].as_str().unwrap(), step["new"].as_str().unwrap());
            let query = &events[i].query;
            assert!(
                query.contains(&format!(".`{old}` TO")) && query.ends_with(&format!(".`{new}`")),
                "{name}: {query}"
            );
            assert_eq!(
                table(&store, step["table"].as_i64().unwrap()).schema_id,
                step["new_schema_id"].as_i64().unwrap()
            );
        }
        assert!(events.iter().all(|e| !e.query.contains(';')), "{name}");
    }
}

#[test]
fn an_exchange_swaps_the_ids() {
    let Some(v) = vectors("ddl_jobs.json").into_iter().find(|v| v["name"] == "exchange_partition") else {
        return;
    };
    let mut meta = pairs("meta.json");
    // The table to exchange with, and the partition that the job takes for granted.
    let (_, value) = meta.iter().find(|(_, v)| v.starts_with(br#"{"id":104,"#)).cloned().unwrap();
    let as_text = |b: &[u8]| String::from_utf8(b.to_vec()).unwrap();
    let other_key = hex::decode("6d44423a3200000000fb00000000000000685461626c653a3136ff3000000000000000f8").unwrap();
    let other = as_text(&value).replacen("\"id\":104", "\"id\":160", 1).replacen(
        "{\"O\":\"t\",\"L\":\"t\"}",
        "{\"O\":\"nt\",\"L\":\"nt\"}",
        1,
    );
    meta.push((Bytes::from(other_key), Bytes::from(other)));
    for (_, value) in &mut meta {
        if value.starts_with(br#"{"id":110,"#) {
            *value = Bytes::from(as_text(value).replace("\"id\":111,", "\"id\":115,"));
        }
    }
    let mut store = SchemaStore::from_snapshot(Ts::new(1), meta).unwrap();
    let job = decode(&mut store, &v).unwrap();
    let event = store.apply(&job).unwrap().remove(0);
    assert_eq!(event.kind, DdlKind::ExchangePartition);
    assert_eq!(
        event.query,
        "ALTER TABLE `Test`.`tp` EXCHANGE PARTITION `p0` WITH TABLE `Test`.`nt` WITHOUT VALIDATION"
    );
    // The meta data lacks partition 113, which the job has.
    assert_eq!((&event.adds, &event.removes), (&vec![TableId(113)], &vec![]), "no id of the two begins or ends");
    assert!(event.blocks.contains(&TableId(160)) && event.blocks.contains(&TableId(115)));
    let at = |id: i64, ts: Ts| store.table_at(TableId(id), ts).unwrap().name.clone();
    assert_eq!((at(160, job.commit_ts), at(115, job.commit_ts)), ("nt".to_owned(), "tp".to_owned()));
    assert_eq!((at(160, job.commit_ts.next()), at(115, job.commit_ts.next())), ("tp".to_owned(), "nt".to_owned()));
}
