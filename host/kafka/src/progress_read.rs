//! Reading a lane's last record from the progress topic.

use crate::classify::{fault, kind_of};
use crate::client;
use crate::fault::{Fault, FaultKind};
use crate::oauth::Oauth;
use crate::progress::{Record, partition};
use crate::target::KafkaTarget;
use crate::watch::Watch;
use rdkafka::Message as _;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two looks.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Longest wait for a transaction that another lane's dead writer left open, and for everything that is to be read.
const READ_TIMEOUT: Duration = Duration::from_secs(90);

/// What is done about transactions in the partition that are neither committed nor aborted yet. Readers of what is committed see
/// nothing behind the first of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Undecided {
    /// Their end is waited for. The lane's own are to be over.
    Wait,
    /// What is behind them is not looked at.
    PassOver,
}

/// The last committed record of the lane of this name; `None`: none is seen. Blocks.
pub(crate) fn latest(
    target: &KafkaTarget,
    oauth: Option<Arc<Oauth>>,
    asker: &BaseConsumer<Watch>,
    name: &str,
    undecided: Undecided,
) -> Result<Option<Record>, Fault> {
    let topic = target.progress_topic.as_str();
    let number = i32::try_from(partition(name)).unwrap_or_default();
    let doing = format!("reading progress from topic {topic}, partition {number}, of {}", target.display_name());
    let reader = client::reader(target).create_with_context(Watch::new(oauth));
    let reader: BaseConsumer<Watch> = reader.map_err(|e| client::not_made(target, &e))?;
    let until = Instant::now() + READ_TIMEOUT;
    let wait = target.read_timeout;
    if undecided == Undecided::Wait {
        // Everything below `end` was written before now, maybe in another lane's transaction that is still open.
        let (_, end) = asker.fetch_watermarks(topic, number, wait).map_err(|e| fault(&e, asker.context(), &doing))?;
        all_decided(&reader, (topic, number), end, (wait, until), &doing)?;
    }
    let mut all = TopicPartitionList::new();
    all.add_partition_offset(topic, number, Offset::Beginning).map_err(|e| fault(&e, reader.context(), &doing))?;
    reader.assign(&all).map_err(|e| fault(&e, reader.context(), &doing))?;
    let mut latest = None;
    while Instant::now() < until {
        match reader.poll(POLL_INTERVAL) {
            Some(Ok(m)) if m.key() == Some(name.as_bytes()) => {
                latest = m.payload().map(Record::read).transpose()?;
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(latest),
            Some(Err(e)) if e.rdkafka_error_code().is_some_and(|c| kind_of(c) == FaultKind::Denied) => {
                return Err(fault(&e, reader.context(), &doing));
            }
            // Trouble that passes is the library's to get over.
            Some(_) | None => {}
        }
    }
    Err(Fault::new(FaultKind::Away, doing, "its end did not come in time"))
}

/// Waits until every transaction below `end` is committed or aborted.
fn all_decided(
    reader: &BaseConsumer<Watch>,
    (topic, number): (&str, i32),
    end: i64,
    (wait, until): (Duration, Instant),
    doing: &str,
) -> Result<(), Fault> {
    loop {
        let _ = reader.poll(Duration::ZERO);
        let (_, decided) =
            reader.fetch_watermarks(topic, number, wait).map_err(|e| fault(&e, reader.context(), doing))?;
        if decided >= end {
            return Ok(());
        }
        if Instant::now() > until {
            let reason = "a transaction of a writer that is gone stays open; the brokers end it when its time is over";
            return Err(Fault::new(FaultKind::Away, doing, reason));
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}
