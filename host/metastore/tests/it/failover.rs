//! One of three members of etcd is dead: every request is answered all the same.

use std::time::Duration;
use tg_metastore::{Compare, EtcdStore, MetaStore, Op};
use tg_test_servers::Etcd;

/// Enough that each member is met many times.
const ROUNDS: u32 = 60;

#[tokio::test]
async fn a_dead_member_is_gone_round() {
    let mut etcd = Etcd::start(3).unwrap();
    let store = EtcdStore::connect(&etcd.endpoints(), None).await.unwrap();
    let lease = store.lease_grant(Duration::from_secs(60)).await.unwrap();
    for dead in 0..2 {
        etcd.kill(dead);
        for n in 0..ROUNDS {
            let key = format!("failover/{dead}/{n:03}");
            let put = Op::Put { key: key.clone(), value: "v".into(), lease };
            // The first ones may fail: their connection broke under them, and nobody knows what became of them.
            let mut tries = 0;
            while let Err(e) = store.txn(vec![Compare::Absent(key.clone())], vec![put.clone()], Vec::new()).await {
                tries += 1;
                assert!(tries < 8 && n < 8, "round {n} after member {dead} died: {e}");
            }
            assert_eq!(store.range(&key).await.unwrap().kvs.len(), 1);
            store.lease_keep_alive(lease).await.unwrap();
        }
        etcd.restart(dead).unwrap();
    }
}
