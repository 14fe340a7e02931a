//! The descriptions against messages marshalled by the servers' own library and captured from a live cluster.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bytes::Bytes;
use prost::Message;
use tg_proto::{cdcpb, kvrpcpb, pdpb};

fn vectors(file: &str) -> Option<Vec<serde_json::Value>> {
    let path = format!("{}/../../shared/reference/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let Ok(text) = std::fs::read(&path) else {
        eprintln!("passed over: {path} is not there");
        return None;
    };
    Some(serde_json::from_slice(&text).unwrap())
}

/// Decodes, and encodes again: the order of fields may differ, nothing may be lost.
fn check<M: Message + Default + PartialEq + std::fmt::Debug>(name: &str, wire: &Bytes) {
    let message = M::decode(wire.clone()).unwrap_or_else(|e| panic!("{name}: {e}"));
    let again = message.encode_to_vec();
    assert_eq!(again.len(), wire.len(), "{name}: a field was lost: {message:?}");
    assert!(M::decode(again.as_slice()).unwrap() == message, "{name}");
}

fn check_by_name(name: &str, message: &str, wire: &Bytes) {
    let check = match message {
        "cdcpb.ChangeDataRequest" => check::<cdcpb::ChangeDataRequest>,
        "cdcpb.ChangeDataEvent" => check::<cdcpb::ChangeDataEvent>,
        "pdpb.Region" => check::<pdpb::Region>,
        "pdpb.TsoRequest" => check::<pdpb::TsoRequest>,
        "pdpb.TsoResponse" => check::<pdpb::TsoResponse>,
        "pdpb.GetMembersRequest" => check::<pdpb::GetMembersRequest>,
        "pdpb.GetMembersResponse" => check::<pdpb::GetMembersResponse>,
        "pdpb.ScanRegionsRequest" => check::<pdpb::ScanRegionsRequest>,
        "pdpb.ScanRegionsResponse" => check::<pdpb::ScanRegionsResponse>,
        "pdpb.BatchScanRegionsRequest" => check::<pdpb::BatchScanRegionsRequest>,
        "pdpb.GetRegionResponse" => check::<pdpb::GetRegionResponse>,
        "pdpb.GetStoreResponse" => check::<pdpb::GetStoreResponse>,
        "pdpb.UpdateServiceGCSafePointRequest" => check::<pdpb::UpdateServiceGcSafePointRequest>,
        "pdpb.SetGCBarrierRequest" => check::<pdpb::SetGcBarrierRequest>,
        "kvrpcpb.ScanRequest" => check::<kvrpcpb::ScanRequest>,
        "kvrpcpb.GetRequest" => check::<kvrpcpb::GetRequest>,
        "kvrpcpb.ScanResponse" => check::<kvrpcpb::ScanResponse>,
        "kvrpcpb.ScanLockRequest" => check::<kvrpcpb::ScanLockRequest>,
        "kvrpcpb.CheckTxnStatusRequest" => check::<kvrpcpb::CheckTxnStatusRequest>,
        "kvrpcpb.CheckSecondaryLocksRequest" => check::<kvrpcpb::CheckSecondaryLocksRequest>,
        "kvrpcpb.ResolveLockRequest" => check::<kvrpcpb::ResolveLockRequest>,
        other => panic!("{name}: no such message here: {other}"),
    };
    check(name, wire);
}

fn check_file(file: &str, at_least: usize) {
    let Some(all) = vectors(file) else { return };
    assert!(all.len() >= at_least, "{file} has {} vectors", all.len());
    for vector in all {
        let text = |key: &str| vector[key].as_str().unwrap().to_owned();
        check_by_name(&text("name"), &text("message"), &hex::decode(text("hex")).unwrap().into());
    }
}

#[test]
fn marshalled_messages() {
    check_file("wire_messages.json", 41);
}

#[test]
fn captured_messages() {
    check_file("captured_events.json", 22);
}

#[test]
fn rows_share_the_buffer_of_their_message() {
    let row = cdcpb::Row { key: Bytes::from_static(b"key"), value: vec![7; 1000].into(), ..Default::default() };
    let wire = Bytes::from(row.encode_to_vec());
    let back = cdcpb::Row::decode(wire.clone()).unwrap();
    let inside = wire.as_ptr_range();
    assert!(inside.contains(&back.key.as_ptr()) && inside.contains(&back.value.as_ptr()));
}
