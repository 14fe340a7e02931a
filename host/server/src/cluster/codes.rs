//! Help pages of the cluster's codes.

use tg_model::{Code, CodePage};

const fn page(code: u16, title: &'static str, cause: &'static str, action: &'static str) -> CodePage {
    CodePage { code: Code(code), title, cause, action }
}

/// One page per code.
pub const CODES: &[CodePage] = &[
    page(
        5001,
        "Two nodes with one address",
        "Another node of the cluster is registered with this node's --advertise-addr and goes on living there. Nothing was started.",
        "Give each node an address of its own. If the other node was replaced by this one, wait until its registration has ended (10 s).",
    ),
    page(
        5002,
        "The metadata is of another cluster",
        "This data directory took part in one cluster, and the etcd that --metastore names holds another one: a wrong endpoint or \
         --cluster-id, or an etcd whose data was lost. Nothing was started.",
        "Correct --metastore or --cluster-id. If the node is to join the other cluster, start it with another --data-dir. If etcd has lost \
         its data, restore it; if that is not possible, start with fresh data directories and create the changefeeds again.",
    ),
    page(
        5003,
        "The cluster reads another upstream",
        "The first node of the cluster read another TiDB cluster than the one --pd names here. Nothing was started.",
        "Give every node --pd of the same TiDB cluster, or give this one a --cluster-id of its own.",
    ),
    page(
        5004,
        "The metadata went back",
        "etcd was restored from a backup or replaced while nodes were running: what it says is older than what they have seen. They take \
         nothing over and schedule nothing, so that nobody writes what another writes.",
        "Stop all nodes, look at etcd, and start them again with fresh data directories once it is right. Changefeeds go on from the \
         checkpoints that the restored metadata has.",
    ),
    page(
        5005,
        "A file of the data directory cannot be used",
        "One of the files by which a node knows itself is damaged or cannot be written.",
        "Look at the disk and the permissions. A node can always be given an empty data directory: it is then a new one.",
    ),
    page(
        5101,
        "A drain would leave nobody",
        "No other node of the cluster takes work: they are gone, are being drained, or are short of disk or memory.",
        "Start another node, or stop the changefeeds first.",
    ),
    page(
        5102,
        "Nobody could become the owner",
        "The owner was asked to step down, and no other node takes work.",
        "Start another node first.",
    ),
    page(
        5103,
        "Another node has to answer and does not",
        "The call is about something that another node does, and that node could not be asked. If it is gone, its work goes to another one \
         within seconds.",
        "Try again. If it stays, look at the node in the message and at the network between the nodes.",
    ),
    page(
        5104,
        "There is no owner",
        "The owner is gone and no other node has taken over yet; or etcd has no quorum, without which none can.",
        "Try again after a second. If it stays, look at etcd.",
    ),
    page(
        5105,
        "A changefeed does not come to rest",
        "The changefeed was told to stop, and the node that runs it has not finished what it had begun: usually the downstream is slow or away.",
        "Try again when the downstream answers; `tidegate changefeed why` on the node shows what it waits for.",
    ),
    page(
        5106,
        "No node could run the changefeed",
        "The owner has given the changefeed to one node after the other for half an hour, and none of them got anywhere.",
        "Look at the logs of the nodes for the changefeed's name, mend what they say, and resume it.",
    ),
    page(
        5107,
        "A slot is not run for another node",
        "A node asked this one to run a part of a changefeed, and the metadata says something else: the changefeed has gone to another node, \
         or was changed, meanwhile.",
        "Nothing: whoever runs the changefeed now asks again.",
    ),
    page(
        5108,
        "The slots did not come together",
        "A change of plugins needs all slots of the changefeed on the node of its run for a moment, and the run did not get there in time: \
         its downstream or upstream is slow or away.",
        "The changefeed goes on as it was. Try again when `tidegate changefeed why` shows nothing.",
    ),
    page(
        5109,
        "A span cannot be moved",
        "The changefeed has no such slot, the node is not there, or the changefeed's sink is not one that can be spread over nodes.",
        "See `tidegate span list` for slots, and `tidegate capture list` for nodes.",
    ),
    page(
        5110,
        "A canary of what other nodes run",
        "A canary runs a new version beside the present one on the node that is asked, and changefeeds that follow the name run on other \
         nodes: they would take the version without having tried it. It is pushed, and not active.",
        "Ask the node that runs them (`tidegate changefeed query` names it). If several nodes do, have the changefeeds pin their versions \
         and try them one by one with `changefeed update`.",
    ),
    page(
        5111,
        "The maintenance of a node is not changed",
        "A node can be put into maintenance when another one takes work meanwhile, when it is not being drained, and for one second to ten \
         minutes of absence; it can be taken out when it is in maintenance.",
        "See `tidegate schedule` for the states of nodes. A node that is being drained takes work again when its process is started anew.",
    ),
    page(
        5112,
        "A limit of the scheduler is not changed",
        "There is no limit with this name, the value is outside of its range, or the server is alone, so that nothing is scheduled. Of several \
         limits in one call none was changed.",
        "See `tidegate schedule limits` for names, values and ranges.",
    ),
];

#[cfg(test)]
mod tests {
    use super::CODES;
    use crate::ClusterError;
    use tg_model::Coded;

    #[test]
    fn every_code_has_one_page() {
        let s = String::new;
        let errors = [
            ClusterError::AddressTaken { address: s(), node: s() },
            ClusterError::OtherMetadata { expected: s(), found: s(), endpoints: s() },
            ClusterError::OtherUpstream { expected: 1, found: 2 },
            ClusterError::WentBack { seen: 2, found: 1 },
            ClusterError::File { what: "x", cause: s() },
            ClusterError::NobodyLeft { capture: s() },
            ClusterError::NoSuccessor,
            ClusterError::NoAnswer { address: s(), cause: s() },
            ClusterError::NoOwner,
            ClusterError::StillRuns { changefeed: s(), address: s() },
            ClusterError::NobodyRuns { changefeed: s() },
            ClusterError::StaleSlot { changefeed: s(), slot: tg_model::SlotId(1), what: "x" },
            ClusterError::NotGathered { changefeed: s() },
            ClusterError::NoMove { changefeed: s(), slot: 1, why: s() },
            ClusterError::CanaryElsewhere { plugin: s(), changefeeds: s() },
            ClusterError::NoMaintenance { node: s(), why: s() },
            ClusterError::NoLimit { why: s() },
        ];
        for e in &errors {
            assert_eq!(CODES.iter().filter(|p| p.code == e.code()).count(), 1, "{e}");
        }
        assert_eq!(errors.len(), CODES.len());
    }
}
