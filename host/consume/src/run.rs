//! From source to target.

use crate::error::ConsumeError;
use crate::stream::{Source, Target};
use std::time::Duration;
use tg_format_common::ChangeEvent;
use tg_model::Coded;

/// Tries of one step that fails in a way that may pass.
const TRIES_MAX: u32 = 8;
/// First pause between two tries; it doubles.
const PAUSE: Duration = Duration::from_millis(200);

/// When the consumer is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pace {
    /// When everything up to the checkpoint that the source has then is taken.
    Once,
    /// Never: between two looks it waits so long.
    Follow(Duration),
}

/// What was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Consumed {
    /// Rows.
    pub rows: u64,
    /// Statements.
    pub ddls: u64,
    /// Everything up to here was taken; 0: nothing is known.
    pub checkpoint: u64,
}

/// Takes everything in order.
///
/// # Errors
/// [`ConsumeError`]; what was taken before is kept.
pub async fn consume(
    source: &mut dyn Source,
    target: &mut dyn Target,
    pace: Pace,
    mut tell: impl FnMut(Consumed),
) -> Result<Consumed, ConsumeError> {
    let mut done = target.progress().await?;
    let mut consumed = Consumed::default();
    let mut tries = 0;
    loop {
        let portion = match source.next(&done).await {
            Err(e) if e.is_retryable() && tries < TRIES_MAX => {
                tracing::warn!(error = %e, "the source cannot be read; again");
                tokio::time::sleep(PAUSE * (1 << tries)).await;
                tries += 1;
                continue;
            }
            found => found?,
        };
        tries = 0;
        let Some(portion) = portion else {
            consumed.checkpoint = source.checkpoint().unwrap_or(0);
            tell(consumed);
            match pace {
                Pace::Once => return Ok(consumed),
                Pace::Follow(pause) => tokio::time::sleep(pause).await,
            }
            continue;
        };
        target.apply(&portion).await?;
        for event in &portion.events {
            match event {
                ChangeEvent::Row(_) => consumed.rows += 1,
                ChangeEvent::Ddl(_) => consumed.ddls += 1,
                ChangeEvent::Watermark(_) | ChangeEvent::Schema(_) => {}
            }
        }
        done.insert(portion.stream, portion.to);
    }
}
