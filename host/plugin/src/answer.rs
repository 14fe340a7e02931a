//! Checks of what guests answer.

use crate::ports::{BadEvent, Decisions, LEAVE_OUT, Transformed};
use tg_model::TableVersion;
use tgr1::{Batch, BatchBuf};

/// Largest state a plugin may hand over with an acknowledgement.
pub(crate) const STATE_BYTES_MAX: usize = 64 << 10;

pub(crate) fn check_bad_events(bad: &[BadEvent], rows: usize) -> Result<(), String> {
    if bad.len() > rows {
        return Err(format!("it refuses {} rows of a batch of {rows}", bad.len()));
    }
    match bad.iter().find(|b| b.row as usize >= rows) {
        Some(b) => Err(format!("it refuses row {} of a batch of {rows}", b.row)),
        None => Ok(()),
    }
}

pub(crate) fn check_columns(columns: Option<&[u32]>, count: usize) -> Result<(), String> {
    match columns.unwrap_or_default().iter().find(|c| **c as usize >= count) {
        Some(c) => Err(format!("it asks for column {c} of a table with {count}")),
        None => Ok(()),
    }
}

/// `targets` is the number of targets in the plan, at least 1.
pub(crate) fn check_decisions(d: &Decisions, rows: usize, lanes: u16, targets: usize) -> Result<(), String> {
    let lengths = [("lanes", d.lanes.len()), ("targets", d.targets.len()), ("partitions", d.partitions.len())];
    for (what, len) in lengths {
        if len != 0 && len != rows {
            return Err(format!("it answers {len} {what} for {rows} rows"));
        }
    }
    if let Some(lane) = d.lanes.iter().find(|l| **l >= lanes && **l != LEAVE_OUT) {
        return Err(format!("it answers lane {lane} of {lanes}"));
    }
    if let Some(target) = d.targets.iter().find(|t| usize::from(**t) >= targets) {
        return Err(format!("it answers target {target} of {targets}"));
    }
    check_bad_events(&d.quarantined, rows)
}

/// Whether `data` are rows of `output` that came from those of `input`, as `origins` says.
pub(crate) fn check_transformed(
    input: &BatchBuf,
    output: &TableVersion,
    data: Vec<u8>,
    origins: Vec<u32>,
    quarantined: Vec<BadEvent>,
) -> Result<Transformed, String> {
    check_bad_events(&quarantined, input.len())?;
    if data.is_empty() {
        let batch = None;
        return match origins.len() {
            0 => Ok(Transformed { batch, origins, quarantined }),
            n => Err(format!("it answers {n} origins of no rows")),
        };
    }
    let made = BatchBuf::new(data).map_err(|e| format!("its rows are no batch: {e}"))?;
    check_columns_of(&made.batch(), output)?;
    check_origins(&input.batch(), &made.batch(), &origins, &quarantined)?;
    let batch = (!made.is_empty()).then_some(made);
    Ok(Transformed { batch, origins, quarantined })
}

fn check_columns_of(made: &Batch<'_>, output: &TableVersion) -> Result<(), String> {
    let (table, version) = (output.table.0.cast_unsigned(), output.since.get());
    if (made.table(), made.version()) != (table, version) {
        return Err(format!("its rows are of table {} version {}", made.table(), made.version()));
    }
    let mut wanted = output.columns.iter().filter(|c| !c.flags.generated_virtual).zip(0..);
    for spec in made.columns() {
        match wanted.next() {
            Some((c, at)) if spec.position == at && spec.logical == tg_mounter::logical(&c.ty) => {}
            Some((c, _)) => return Err(format!("its rows do not have column {:?} where its output has it", c.name)),
            None => return Err("its rows have more columns than its output".to_owned()),
        }
    }
    wanted.next().map_or(Ok(()), |(c, _)| Err(format!("its rows lack column {:?}", c.name)))
}

fn check_origins(input: &Batch<'_>, made: &Batch<'_>, origins: &[u32], bad: &[BadEvent]) -> Result<(), String> {
    if input.flags() != made.flags() {
        return Err("its batch has other flags than the one it was given".to_owned());
    }
    if origins.len() != made.len() {
        return Err(format!("it answers {} origins of {} rows", origins.len(), made.len()));
    }
    if !origins.is_sorted_by(|a, b| a < b) {
        return Err("its origins do not rise".to_owned());
    }
    if let Some(b) = bad.iter().find(|b| origins.binary_search(&b.row).is_ok()) {
        return Err(format!("it refuses row {} and hands it on", b.row));
    }
    for (row, origin) in made.iter().zip(origins) {
        let from = input.row(*origin as usize).ok_or_else(|| format!("a row of its comes from row {origin}"))?;
        let same = row.commit_ts() == from.commit_ts()
            && row.start_ts() == from.start_ts()
            && row.op() == from.op()
            && row.flags() == from.flags()
            && row.after().is_some() == from.after().is_some()
            && row.before().is_some() == from.before().is_some();
        if !same {
            return Err(format!("it changes more than the values of row {origin}"));
        }
    }
    Ok(())
}

pub(crate) fn check_ack(asked: u32, answered: u32, state: Option<&[u8]>) -> Result<(), String> {
    let len = state.map_or(0, <[u8]>::len);
    if asked != answered {
        return Err(format!("it acknowledges barrier {answered}, asked for {asked}"));
    }
    if len > STATE_BYTES_MAX {
        return Err(format!("its state has {len} bytes; the limit is {STATE_BYTES_MAX}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{STATE_BYTES_MAX, check_ack, check_decisions};
    use crate::ports::{BadEvent, Decisions, LEAVE_OUT};

    #[test]
    fn decisions_stay_within_lanes_targets_and_rows() {
        let d = |lanes: &[u16], targets: &[u16], partitions: &[u32]| Decisions {
            lanes: lanes.to_vec(),
            targets: targets.to_vec(),
            partitions: partitions.to_vec(),
            quarantined: Vec::new(),
        };
        for good in [d(&[], &[], &[]), d(&[0, 3, LEAVE_OUT], &[0, 1, 1], &[9, 9, 9])] {
            assert_eq!(check_decisions(&good, 3, 4, 2), Ok(()));
        }
        for bad in [d(&[0, 1], &[], &[]), d(&[4, 0, 0], &[], &[]), d(&[], &[2, 0, 0], &[]), d(&[], &[], &[1; 4])] {
            assert!(check_decisions(&bad, 3, 4, 2).is_err(), "{bad:?}");
        }
        let refused = BadEvent { row: 3, code: String::new(), message: String::new() };
        assert!(check_decisions(&Decisions { quarantined: vec![refused], ..d(&[], &[], &[]) }, 3, 4, 2).is_err());
    }

    #[test]
    fn an_ack_names_its_barrier_and_its_state_is_small() {
        assert!(check_ack(7, 7, Some(&vec![0; STATE_BYTES_MAX])).is_ok());
        assert!(check_ack(7, 7, Some(&vec![0; STATE_BYTES_MAX + 1])).is_err());
        assert!(check_ack(7, 8, None).is_err());
    }
}
