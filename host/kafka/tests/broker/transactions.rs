//! Exactly once: positions, fencing, transactions that others left open.

use crate::support::{exact, lane, messages, open, read, shared, values};
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use std::time::Duration;
use tg_kafka::KafkaEndpoint;
use tg_model::{Position, Ts};
use tg_plugin::grant::{EndpointErrorKind, ProducerEndpoint};

fn at(ts: u64) -> Position {
    Position::rows(Ts::new(ts))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_and_position_appear_together() {
    let kafka = shared();
    let address = kafka.address();
    let mut p = open(exact(&address), lane("together", 0, 1)).await;
    assert_eq!(p.durable_at_open(), None);
    p.send(messages("together", &[("a", "1")])).await.unwrap();
    p.flush(Some(at(10))).await.unwrap();
    assert_eq!(p.durable().await.unwrap(), Some(at(10)));
    p.flush(Some(at(10))).await.unwrap();
    p.send(messages("together", &[("a", "lost")])).await.unwrap();
    drop(p);
    let mut q = open(exact(&address), lane("together", 0, 1)).await;
    assert_eq!(q.durable_at_open(), Some(at(10)));
    q.send(messages("together", &[("a", "2")])).await.unwrap();
    q.flush(Some(Position::within(Ts::new(12), 3))).await.unwrap();
    q.send(messages("together", &[("a", "ddl")])).await.unwrap();
    q.flush(None).await.unwrap();
    assert_eq!(values(&address, "together"), ["1", "2", "ddl"]);
    let other = open(exact(&address), lane("together", 1, 1)).await;
    assert_eq!(other.durable_at_open(), None, "lanes have positions of their own");
    let r = open(exact(&address), lane("together", 0, 2)).await;
    assert_eq!(r.durable_at_open(), Some(Position::within(Ts::new(12), 3)), "what has no position leaves it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_replaced_never_commits_again() {
    let kafka = shared();
    let address = kafka.address();
    let mut old = open(exact(&address), lane("fence", 0, 1)).await;
    old.send(messages("fence", &[("a", "1")])).await.unwrap();
    old.flush(Some(at(10))).await.unwrap();
    old.send(messages("fence", &[("a", "of the old one")])).await.unwrap();
    let mut new = open(exact(&address), lane("fence", 0, 2)).await;
    assert_eq!(new.durable_at_open(), Some(at(10)));
    let mut last = None;
    for _ in 0..5 {
        let error = old.flush(Some(at(20))).await.unwrap_err();
        last = Some(error.kind);
        if last == Some(EndpointErrorKind::Fenced) {
            break;
        }
    }
    assert_eq!(last, Some(EndpointErrorKind::Fenced));
    let again = KafkaEndpoint::new(exact(&address)).unwrap().open(lane("fence", 0, 1)).await;
    assert_eq!(again.err().map(|e| e.kind), Some(EndpointErrorKind::Fenced));
    // The old one saw the claim before it took the transactional id: the new one goes on at the first try.
    new.send(messages("fence", &[("a", "2")])).await.unwrap();
    new.flush(Some(at(20))).await.unwrap();
    assert_eq!(values(&address, "fence"), ["1", "2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_late_disturbs_no_transaction() {
    let kafka = shared();
    let address = kafka.address();
    let mut new = open(exact(&address), lane("late", 0, 7)).await;
    new.send(messages("late", &[("a", "1")])).await.unwrap();
    new.flush(Some(at(10))).await.unwrap();
    // In the middle of a transaction of the newer one.
    new.send(messages("late", &[("a", "2")])).await.unwrap();
    for epoch in [3, 6] {
        let late = KafkaEndpoint::new(exact(&address)).unwrap().open(lane("late", 0, epoch)).await;
        assert_eq!(late.err().map(|e| e.kind), Some(EndpointErrorKind::Fenced), "{epoch}");
    }
    new.send(messages("late", &[("a", "3")])).await.unwrap();
    new.flush(Some(at(20))).await.unwrap();
    assert_eq!(values(&address, "late"), ["1", "2", "3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_somebody_left_open_hides_no_position() {
    let kafka = shared();
    let address = kafka.address();
    let mut p = open(exact(&address), lane("hidden", 0, 1)).await;
    let partition = read(&address, "_tidegate_progress")
        .into_iter()
        .find_map(|(p, key, _)| key.filter(|k| k.contains("hidden")).map(|_| p))
        .unwrap();
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &address).set("transactional.id", "somebody");
    let somebody: BaseProducer = config.create().unwrap();
    let wait = Duration::from_secs(30);
    tokio::task::block_in_place(|| {
        somebody.init_transactions(wait).unwrap();
        somebody.begin_transaction().unwrap();
        let record = BaseRecord::to("_tidegate_progress").partition(partition).key("somebody").payload("x");
        somebody.send(record).map_err(|(e, _)| e).unwrap();
        somebody.flush(wait).unwrap();
    });
    p.send(messages("hidden", &[("a", "1")])).await.unwrap();
    p.flush(Some(at(10))).await.unwrap();
    drop(p);
    let reopening = tokio::spawn(open(exact(&address), lane("hidden", 0, 2)));
    tokio::time::sleep(Duration::from_secs(1)).await;
    tokio::task::block_in_place(|| somebody.abort_transaction(wait).unwrap());
    assert_eq!(reopening.await.unwrap().durable_at_open(), Some(at(10)));
}
