//! The first words of a stream: who speaks, whom it takes the other for, which versions it knows.

use crate::wire::{WireError, id_from, id_to};
use tg_cluster::{CaptureId, ClusterId, PROTO};
use tg_proto::tgpeer as pb;

/// Oldest version of the messages that this program reads.
pub const PROTO_MIN: u32 = 1;
/// Newest version of the messages that this program writes.
pub const PROTO_MAX: u32 = PROTO as u32;

/// Longest text that is taken from a refusal or a greeting.
const TEXT_MAX: usize = 200;

/// This process, for greetings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Me {
    /// Its cluster.
    pub cluster: ClusterId,
    /// Itself.
    pub capture: CaptureId,
    /// Where others reach it, `host:port`.
    pub address: String,
    /// Version of the program.
    pub version: String,
}

impl Me {
    pub(crate) fn hello(&self, to: CaptureId) -> pb::Hello {
        pb::Hello {
            cluster: id_to(self.cluster.0),
            from_capture: id_to(self.capture.0),
            to_capture: id_to(to.0),
            proto_min: PROTO_MIN,
            proto_max: PROTO_MAX,
            address: self.address.clone(),
            version: self.version.clone(),
        }
    }

    /// Who greets, and the version to speak; or why it is refused.
    pub(crate) fn greet(&self, hello: &pb::Hello) -> Result<(CaptureId, u32), pb::Refusal> {
        let refuse = |reason: pb::Reason, text: String| Err(pb::Refusal { reason: reason.into(), text });
        let ids = || -> Result<_, WireError> {
            let cluster = id_from(&hello.cluster, "cluster")?;
            Ok((cluster, id_from(&hello.from_capture, "capture")?, id_from(&hello.to_capture, "capture")?))
        };
        let (cluster, from, to) = match ids() {
            Ok(ids) => ids,
            Err(e) => return refuse(pb::Reason::Hello, format!("the greeting cannot be read: {e}")),
        };
        if cluster != self.cluster.0 {
            return refuse(pb::Reason::Cluster, format!("this is a node of cluster {}", self.cluster));
        }
        if to != self.capture.0 {
            return refuse(pb::Reason::Capture, format!("this is capture {:032x} at {}", self.capture.0, self.address));
        }
        let proto = hello.proto_max.min(PROTO_MAX);
        if proto < hello.proto_min.max(PROTO_MIN) {
            let text = format!(
                "version {} speaks {PROTO_MIN} to {PROTO_MAX}, asked was {} to {}",
                self.version, hello.proto_min, hello.proto_max
            );
            return refuse(pb::Reason::Proto, text);
        }
        Ok((CaptureId(from), proto))
    }
}

/// A text of the other side, for people: short and in one line.
pub(crate) fn told(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> Me {
        Me { cluster: ClusterId(7), capture: CaptureId(8), address: "a:1".into(), version: "1".into() }
    }

    fn hello() -> pb::Hello {
        Me { capture: CaptureId(9), ..me() }.hello(CaptureId(8))
    }

    #[test]
    fn who_is_meant_is_greeted() {
        assert_eq!(me().greet(&hello()), Ok((CaptureId(9), PROTO_MAX)));
        let newer = pb::Hello { proto_max: PROTO_MAX + 5, ..hello() };
        assert_eq!(me().greet(&newer), Ok((CaptureId(9), PROTO_MAX)), "the newer one speaks the older version");
    }

    #[test]
    fn everybody_else_is_refused() {
        let wrong = [
            (pb::Hello { cluster: id_to(1), ..hello() }, pb::Reason::Cluster),
            (pb::Hello { to_capture: id_to(1), ..hello() }, pb::Reason::Capture),
            (pb::Hello { proto_min: PROTO_MAX + 1, proto_max: PROTO_MAX + 2, ..hello() }, pb::Reason::Proto),
            (pb::Hello { proto_min: 0, proto_max: 0, ..hello() }, pb::Reason::Proto),
            (pb::Hello { cluster: b"short".as_slice().into(), ..hello() }, pb::Reason::Hello),
            (pb::Hello::default(), pb::Reason::Hello),
        ];
        for (hello, reason) in wrong {
            assert_eq!(me().greet(&hello).unwrap_err().reason(), reason);
        }
    }

    #[test]
    fn texts_of_others_are_cut() {
        assert_eq!(told("a\nb\u{7}"), "ab");
        assert_eq!(told(&"x".repeat(9_999)).len(), TEXT_MAX);
    }
}
