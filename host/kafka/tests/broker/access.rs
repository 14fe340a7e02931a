//! A broker that asks who one is.

use crate::support::{lane, messages, target};
use tg_kafka::{KafkaEndpoint, KafkaTarget, Sasl};
use tg_plugin::grant::{EndpointErrorKind, ProducerEndpoint, Secret};
use tg_test_servers::Kafka;

fn broker() -> Kafka {
    let login = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"admin\" password=\"top\" \
                 user_admin=\"top\" user_alice=\"s3cret\";";
    let options = [
        ("listeners", "SASL_PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}"),
        ("advertised.listeners", "SASL_PLAINTEXT://127.0.0.1:{port}"),
        ("inter.broker.listener.name", "SASL_PLAINTEXT"),
        ("listener.security.protocol.map", "SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT"),
        ("sasl.enabled.mechanisms", "PLAIN"),
        ("sasl.mechanism.inter.broker.protocol", "PLAIN"),
        ("listener.name.sasl_plaintext.plain.sasl.jaas.config", login),
        ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
        ("super.users", "User:admin;User:ANONYMOUS"),
    ];
    let own = options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Kafka::start_with(&own).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_known_or_not_allowed_is_told_so() {
    let kafka = broker();
    let as_user = |user: &str, password: &str, exactly_once| KafkaTarget {
        sasl: Some(Sasl::Plain(user.to_owned(), Secret::new(password))),
        exactly_once,
        read_timeout: std::time::Duration::from_secs(3),
        ..target(&kafka.address())
    };
    for exactly_once in [false, true] {
        let endpoint = KafkaEndpoint::new(as_user("admin", "top", exactly_once)).unwrap();
        let mut p = endpoint.open(lane("access", 0, 1)).await.unwrap();
        p.send(messages("access", &[("k", "v")])).await.unwrap();
        p.flush(None).await.unwrap();
    }
    for (user, password) in [("alice", "s3cret"), ("alice", "wr0ng"), ("mallory", "s3cret")] {
        let endpoint = KafkaEndpoint::new(as_user(user, password, false)).unwrap();
        let fault = endpoint.partitions("access").await.unwrap_err();
        assert_eq!(tg_model::Coded::code(&fault).to_string(), "TG-3204", "{user}: {fault}");
        assert!(!fault.to_string().contains(password), "{fault}");
        let exactly = KafkaEndpoint::new(as_user(user, password, true)).unwrap().open(lane("access", 1, 1)).await;
        let error = exactly.err().unwrap();
        assert_eq!((error.kind, error.code.as_str()), (EndpointErrorKind::Fatal, "TG-3204"), "{error}");
    }
}
