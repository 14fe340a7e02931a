//! Topics and messages.

use crate::support::{lane, messages, open, read, shared, target};
use std::time::Duration;
use tg_kafka::{Acks, KafkaEndpoint, KafkaTarget};
use tg_plugin::grant::{EndpointErrorKind, Messages};

/// Looks for messages that nobody acknowledged.
const LOOKS_MAX: u32 = 200;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topics_are_made_when_they_may_be() {
    let kafka = shared();
    let wanted = KafkaTarget { partition_num: Some(5), ..target(&kafka.address()) };
    let endpoint = KafkaEndpoint::new(wanted.clone()).unwrap();
    assert_eq!(endpoint.partitions("made-5").await.unwrap(), 5);
    let fewer = KafkaTarget { partition_num: Some(2), ..wanted.clone() };
    assert_eq!(KafkaEndpoint::new(fewer).unwrap().partitions("made-5").await.unwrap(), 2, "the first ones are used");
    let as_it_is = KafkaTarget { partition_num: None, auto_create_topic: false, ..wanted.clone() };
    let as_it_is = KafkaEndpoint::new(as_it_is).unwrap();
    assert_eq!(as_it_is.partitions("made-5").await.unwrap(), 5);
    let absent = as_it_is.partitions("made-not").await.unwrap_err();
    let code = |e: &tg_kafka::Fault| tg_model::Coded::code(e).to_string();
    assert_eq!(code(&absent), "TG-3205");
    assert!(absent.to_string().contains("made-not"), "{absent}");
    let again = as_it_is.partitions("made-not").await;
    assert!(again.is_err(), "asking made no topic");
    let more = KafkaTarget { partition_num: Some(9), ..wanted.clone() };
    let more = KafkaEndpoint::new(more).unwrap().partitions("made-5").await.unwrap_err();
    assert_eq!(code(&more), "TG-3208");
    let copies = KafkaTarget { replication_factor: 3, ..wanted };
    let copies = KafkaEndpoint::new(copies).unwrap().partitions("made-3").await.unwrap_err();
    assert_eq!(code(&copies), "TG-3206");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_arrive_in_order_with_keys_and_without() {
    let kafka = shared();
    for (n, compression) in ["none", "gzip", "snappy", "lz4", "zstd"].into_iter().enumerate() {
        let topic = format!("order-{compression}");
        // Without acknowledgements nobody says that a new topic does not take messages yet: there it is not new.
        let rounds: &[Acks] = [&[Acks::All][..], &[Acks::Leader], &[Acks::All, Acks::Nobody]][n % 3];
        for acks in rounds {
            let target = KafkaTarget { compression: compression.to_owned(), acks: *acks, ..target(&kafka.address()) };
            let mut p = open(target, lane("order", n as u16, 1)).await;
            let some = messages(&topic, &[("a", "1"), ("", "2"), ("b", "3")]);
            p.send(some.clone()).await.unwrap();
            p.send(Messages { values: Default::default(), ..some.clone() }).await.unwrap();
            p.send(Messages { keys: None, partitions: vec![2, 2, 1], ..some }).await.unwrap();
            p.flush(None).await.unwrap();
            assert_eq!(p.topics(), std::slice::from_ref(&topic));
        }
        let text = |s: &str| Some(s.to_owned());
        let wanted = [
            (0, text("a"), text("1")),
            (0, text(""), text("2")),
            (0, text("b"), text("3")),
            (0, text("a"), None),
            (0, text(""), None),
            (0, text("b"), None),
            (1, None, text("3")),
            (2, None, text("1")),
            (2, None, text("2")),
        ];
        let mut wanted: Vec<_> = rounds.iter().flat_map(|_| wanted.clone()).collect();
        wanted.sort_by_key(|(partition, ..)| *partition);
        // Nor when they are there.
        let mut found = read(&kafka.address(), &topic);
        for _ in 0..LOOKS_MAX {
            if found.len() >= wanted.len() {
                break;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
            found = read(&kafka.address(), &topic);
        }
        assert_eq!(found, wanted, "{compression}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_topic_does_not_take_is_refused_before_it_is_sent() {
    let kafka = shared();
    let target = KafkaTarget { max_message_bytes: 2_000, ..target(&kafka.address()) };
    let mut p = open(target, lane("large", 0, 1)).await;
    assert_eq!(p.max_message_bytes("large").await.unwrap(), 2_000);
    let big = "x".repeat(2_000);
    let error = p.send(messages("large", &[("k1", "small"), ("k2", &big)])).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (EndpointErrorKind::Fatal, "TG-3207"));
    for part in ["large", "k2", "2000"] {
        assert!(error.message.contains(part), "{error}");
    }
    let far = Messages { partitions: vec![7], ..messages("large", &[("k", "v")]) };
    assert_eq!(p.send(far).await.unwrap_err().code, "TG-3208");
    p.send(messages("large", &[("k3", "fits")])).await.unwrap();
    p.flush(None).await.unwrap();
    assert_eq!(read(&kafka.address(), "large").len(), 1);
}
