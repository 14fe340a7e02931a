//! Help pages of this crate's codes.

use tg_model::{Code, CodePage};

const fn page(code: u16, title: &'static str, cause: &'static str, action: &'static str) -> CodePage {
    CodePage { code: Code(code), title, cause, action }
}

/// One page per code.
pub const CODES: &[CodePage] = &[
    page(
        5301,
        "A node of another cluster",
        "A node answers at an address of this cluster's metadata, but its metadata is another. No message of it was taken.",
        "Give every node of one cluster the same --metastore and --cluster-id, and every cluster addresses of its own.",
    ),
    page(
        5302,
        "Another process at a node's address",
        "The process that registered with this address is gone, and another one listens there: it was restarted, or two nodes were \
         given one address.",
        "Nothing after a restart: the old registration goes by itself. If it stays, give each node an --advertise-addr of its own.",
    ),
    page(
        5303,
        "Nodes of versions that do not understand each other",
        "This node and another one share no version of the protocol between nodes: one of them is too old or too new.",
        "Upgrade the older one. Nodes one minor version apart always understand each other.",
    ),
    page(
        5304,
        "A node cannot be reached",
        "Its process is gone, its machine is off, or the network or a firewall is in between. Its work goes to other nodes.",
        "Look at the node and at the port of its --advertise-addr. Connecting is tried again by itself.",
    ),
    page(
        5305,
        "A message that cannot be read",
        "A node has sent something that is no message of the protocol: a defect, or something else speaks to that port.",
        "Look at who connects to the port. The connection was closed; nothing was done.",
    ),
    page(
        5306,
        "Certificates for other nodes cannot be used",
        "A file of `--cert`, `--key` or `--ca` is missing or is not PEM.",
        "Look at the file in the message. Nodes show each other the certificate that they show to clients.",
    ),
];

#[cfg(test)]
mod tests {
    use super::CODES;
    use crate::PeerError;
    use tg_model::Coded;

    #[test]
    fn every_code_has_one_page() {
        let s = String::new;
        let errors = [
            PeerError::OtherCluster { address: s(), detail: s() },
            PeerError::OtherProcess { address: s(), detail: s() },
            PeerError::NoCommonVersion { address: s(), detail: s() },
            PeerError::Unreachable { address: s(), refused: true, cause: s() },
            PeerError::BadMessage { address: s(), cause: s() },
            PeerError::Tls { reason: s() },
        ];
        for e in &errors {
            assert_eq!(CODES.iter().filter(|p| p.code == e.code()).count(), 1, "{e}");
        }
        assert_eq!(errors.len(), CODES.len());
    }
}
