//! The configuration of a broker that is its own controller.

use std::path::Path;

/// Any 16 bytes, in URL-safe base64 without padding: names the cluster in the data directory.
pub(crate) const CLUSTER_ID: &str = "dGlkZWdhdGUtdGVzdC0wMQ";

/// The text of `server.properties`.
pub(crate) fn server_properties(data: &Path, broker: u16, controller: u16, more: &[(String, String)]) -> String {
    let fixed: [(&str, String); 20] = [
        ("process.roles", "broker,controller".into()),
        ("node.id", "1".into()),
        ("controller.quorum.voters", format!("1@127.0.0.1:{controller}")),
        ("listeners", format!("PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}")),
        ("advertised.listeners", format!("PLAINTEXT://127.0.0.1:{broker}")),
        ("controller.listener.names", "CONTROLLER".into()),
        ("inter.broker.listener.name", "PLAINTEXT".into()),
        ("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT".into()),
        ("log.dirs", data.display().to_string()),
        ("num.partitions", "3".into()),
        ("offsets.topic.replication.factor", "1".into()),
        ("offsets.topic.num.partitions", "1".into()),
        ("transaction.state.log.replication.factor", "1".into()),
        ("transaction.state.log.min.isr", "1".into()),
        ("transaction.state.log.num.partitions", "1".into()),
        ("share.coordinator.state.topic.replication.factor", "1".into()),
        ("share.coordinator.state.topic.min.isr", "1".into()),
        ("group.initial.rebalance.delay.ms", "0".into()),
        ("num.network.threads", "1".into()),
        ("num.io.threads", "2".into()),
    ];
    let overridden = |key: &str| more.iter().any(|(k, _)| k == key);
    let kept = fixed.iter().filter(|(k, _)| !overridden(k)).map(|(k, v)| format!("{k}={v}\n"));
    kept.chain(more.iter().map(|(k, v)| format!("{k}={v}\n"))).collect()
}

#[cfg(test)]
mod tests {
    use super::server_properties;
    use std::path::Path;

    #[test]
    fn what_the_test_says_replaces_what_stands_here() {
        let text = server_properties(Path::new("/data"), 1, 2, &[("num.partitions".into(), "7".into())]);
        assert!(text.contains("listeners=PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2\n"));
        let partitions: Vec<_> = text.lines().filter(|l| l.starts_with("num.partitions=")).collect();
        assert_eq!(partitions, ["num.partitions=7"]);
    }
}
