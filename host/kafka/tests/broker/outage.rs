//! The broker dies and comes back.

use crate::support::{exact, lane, messages, open, target, values};
use std::time::Duration;
use tg_kafka::KafkaTarget;
use tg_model::{Position, Ts};
use tg_plugin::grant::{EndpointErrorKind, Messages, Producer};
use tg_test_servers::Kafka;

/// Flushes until it works; each failure is one that may pass.
async fn flushed(p: &mut Box<dyn Producer>, at: Option<Position>) {
    for _ in 0..100 {
        match p.flush(at).await {
            Ok(()) => return,
            Err(e) => assert_eq!(e.kind, EndpointErrorKind::Retryable, "{e}"),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the broker is back, and nothing is flushed");
}

fn patient(target: KafkaTarget) -> KafkaTarget {
    let wait = Duration::from_secs(2);
    KafkaTarget { read_timeout: wait, write_timeout: wait, ..target }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_when_the_broker_is_killed() {
    let mut kafka = Kafka::start().unwrap();
    let address = kafka.address();
    let mut exactly = open(patient(exact(&address)), lane("killed", 0, 1)).await;
    let mut plain = open(patient(target(&address)), lane("killed", 1, 1)).await;
    let mut n = 0;
    for round in 0..4_u64 {
        let many: Vec<(String, String)> = (0..50).map(|i| (format!("k{i}"), format!("{}", n + i))).collect();
        n += 50;
        let many: Vec<(&str, &str)> = many.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        exactly.send(messages("exactly", &many)).await.unwrap();
        plain.send(messages("plain", &many)).await.unwrap();
        if round % 2 == 1 {
            kafka.kill();
            let error = exactly.flush(Some(Position::rows(Ts::new(round + 1)))).await.unwrap_err();
            assert_eq!(error.kind, EndpointErrorKind::Retryable, "{error}");
            assert!(error.code == "TG-3201" || error.code == "TG-3202", "{error}");
            assert!(error.message.contains(&address), "{error}");
            kafka.restart().unwrap();
        }
        flushed(&mut exactly, Some(Position::rows(Ts::new(round + 1)))).await;
        flushed(&mut plain, None).await;
    }
    let wanted: Vec<String> = (0..n).map(|i| i.to_string()).collect();
    assert_eq!(values(&address, "exactly"), wanted);
    let mut found = values(&address, "plain");
    found.dedup();
    let mut seen: Vec<u64> = found.iter().map(|v| v.parse().unwrap()).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, (0..n).collect::<Vec<_>>(), "at least once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_bounded_while_the_broker_is_away() {
    let mut kafka = Kafka::start().unwrap();
    let mut p = open(patient(target(&kafka.address())), lane("bounded", 0, 1)).await;
    p.send(messages("bounded", &[("k", "v")])).await.unwrap();
    p.flush(None).await.unwrap();
    kafka.kill();
    let megabyte = "x".repeat(1_000_000);
    let mut taken = 0;
    let refused = loop {
        let m: Messages = messages("bounded", &[("k", &megabyte)]);
        match p.send(m).await {
            Ok(()) => taken += 1,
            Err(e) => break e,
        }
        assert!(taken < 100, "100 MB are taken while nobody is there");
    };
    assert_eq!((refused.kind, refused.code.as_str()), (EndpointErrorKind::Retryable, "TG-3201"), "{refused}");
    kafka.restart().unwrap();
    flushed(&mut p, None).await;
    assert!(values(&kafka.address(), "bounded").len() > taken);
}
