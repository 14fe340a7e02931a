//! The progress table's statements, which are alike everywhere.

use crate::LaneClaim;
use std::fmt::Write;
use tg_model::Position;

/// Columns of the table that a row is read from.
const READ: &str = "lane,lanes,epoch_rev,epoch_n,pos_ts,pos_stage,pos_seq";

/// Statements about a progress table.
#[derive(Clone, Debug)]
pub struct ProgressSql {
    table: String,
    now: &'static str,
    quoted: fn(&str) -> String,
}

impl ProgressSql {
    /// `table`: its name as it stands in statements; `now`: the time of day, not that of the transaction's beginning; `quoted`: puts
    /// a text into quotes.
    #[must_use]
    pub const fn new(table: String, now: &'static str, quoted: fn(&str) -> String) -> Self {
        Self { table, now, quoted }
    }

    /// The table's name.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    fn slot(&self, claim: &LaneClaim) -> String {
        format!("changefeed={} AND slot={}", (self.quoted)(&claim.changefeed), claim.slot)
    }

    /// The rows of the claim's slot; `tail` goes behind.
    #[must_use]
    pub fn read(&self, claim: &LaneClaim, tail: &str) -> String {
        format!("SELECT {READ} FROM {} WHERE {}{tail}", self.table, self.slot(claim))
    }

    /// Guards a transaction: matches one row if the lane is still the claim's, and moves its position.
    #[must_use]
    pub fn guard(&self, claim: &LaneClaim, to: Option<Position>) -> String {
        // The time changes in any case, so that the row is locked and counted.
        let mut sql = format!("UPDATE {} SET updated={}", self.table, self.now);
        if let Some(p) = to {
            // Writing to a String cannot fail.
            let _ = write!(sql, ",pos_ts={},pos_stage={},pos_seq={}", p.ts, p.stage as u8, p.seq);
        }
        let (rev, n) = claim.epoch;
        let _ = write!(sql, " WHERE {} AND lane={} AND epoch_rev={rev} AND epoch_n={n}", self.slot(claim), claim.lane);
        sql
    }

    /// Raises the epoch of all lanes of the slot.
    #[must_use]
    pub fn raise(&self, claim: &LaneClaim) -> String {
        let (rev, n) = claim.epoch;
        format!("UPDATE {} SET epoch_rev={rev},epoch_n={n},updated={} WHERE {}", self.table, self.now, self.slot(claim))
    }

    /// Makes the rows of the slot anew, with this position for all lanes: two statements.
    #[must_use]
    pub fn renew(&self, claim: &LaneClaim, at: Position) -> String {
        let (rev, n) = claim.epoch;
        let (name, slot, lanes) = ((self.quoted)(&claim.changefeed), claim.slot, claim.lanes);
        let (ts, stage, seq, now) = (at.ts, at.stage as u8, at.seq, self.now);
        let row = |lane: u32| format!("({name},{slot},{lane},{lanes},{rev},{n},{ts},{stage},{seq},{now})");
        let rows: Vec<String> = (0..=lanes).map(row).collect();
        format!(
            "DELETE FROM {0} WHERE {1};INSERT INTO {0}(changefeed,slot,{READ},updated) VALUES {2}",
            self.table,
            self.slot(claim),
            rows.join(",")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::ProgressSql;
    use crate::LaneClaim;
    use tg_model::{Position, Ts};

    fn sql() -> ProgressSql {
        ProgressSql::new("t".to_owned(), "now()", |text| format!("'{}'", text.replace('\'', "''")))
    }

    fn claim() -> LaneClaim {
        LaneClaim { changefeed: "default/it's".into(), slot: 3, lane: 1, lanes: 2, epoch: (7, 9) }
    }

    #[test]
    fn the_guard_names_lane_and_epoch() {
        let tail = " WHERE changefeed='default/it''s' AND slot=3 AND lane=1 AND epoch_rev=7 AND epoch_n=9";
        assert_eq!(sql().guard(&claim(), None), format!("UPDATE t SET updated=now(){tail}"));
        assert_eq!(
            sql().guard(&claim(), Some(Position::within(Ts::new(5), 2))),
            format!("UPDATE t SET updated=now(),pos_ts=5,pos_stage=0,pos_seq=2{tail}")
        );
    }

    #[test]
    fn a_slot_has_a_row_for_each_lane_and_one_for_ddl() {
        let renewed = sql().renew(&claim(), Position::ZERO);
        assert!(
            renewed.ends_with(
                " VALUES ('default/it''s',3,0,2,7,9,0,0,0,now()),('default/it''s',3,1,2,7,9,0,0,0,now()),\
                 ('default/it''s',3,2,2,7,9,0,0,0,now())"
            ),
            "{renewed}"
        );
    }
}
