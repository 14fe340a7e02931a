//! What was written is read back; selections keep rows; broken bytes never panic.

use proptest::prelude::*;
use tgr1::{
    BATCH_LIMIT_BYTES, Batch, BatchWriter, ColumnSpec, FormatError, ImageKind, Logical, Op, SlotKind, batch_flags,
    project, select,
};

#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Null,
    Bits(u64),
    Bytes(Vec<u8>),
}

type Cells = Vec<Cell>;

#[derive(Clone, Debug)]
struct TestRow {
    commit_ts: u64,
    op: Op,
    after: Option<Cells>,
    before: Option<Cells>,
}

fn logical() -> impl Strategy<Value = Logical> {
    (1_u8..=17).prop_map(|n| Logical::from_u8(n).unwrap())
}

fn cell(logical: Logical) -> BoxedStrategy<Cell> {
    let value = match logical.slot() {
        SlotKind::Bytes => prop::collection::vec(any::<u8>(), 0..40).prop_map(Cell::Bytes).boxed(),
        _ => any::<u64>().prop_map(Cell::Bits).boxed(),
    };
    prop_oneof![1 => Just(Cell::Null), 4 => value].boxed()
}

fn row(columns: &[Logical]) -> impl Strategy<Value = TestRow> + use<> {
    let cells: Vec<_> = columns.iter().map(|l| cell(*l)).collect();
    (any::<u64>(), 0_u8..3, cells.clone(), cells).prop_map(|(commit_ts, op, after, before)| {
        let op = Op::from_u8(op).unwrap();
        TestRow {
            commit_ts,
            op,
            after: (op != Op::Delete).then_some(after),
            before: (op != Op::Insert).then_some(before),
        }
    })
}

fn table() -> impl Strategy<Value = (Vec<Logical>, Vec<TestRow>)> {
    prop::collection::vec(logical(), 0..70)
        .prop_flat_map(|columns| (Just(columns.clone()), prop::collection::vec(row(&columns), 0..12)))
}

fn specs(columns: &[Logical]) -> Vec<ColumnSpec> {
    columns.iter().enumerate().map(|(i, l)| ColumnSpec::new(i as u16 * 2, *l)).collect()
}

fn put(writer: &mut BatchWriter, kind: ImageKind, cells: &[Cell]) {
    writer.begin_image(kind);
    for (col, cell) in cells.iter().enumerate() {
        match (cell, writer.columns()[col].slot) {
            (Cell::Null, _) => {}
            (Cell::Bytes(b), _) => writer.put_bytes(col, b),
            (Cell::Bits(v), SlotKind::I64) => writer.put_i64(col, v.cast_signed()),
            (Cell::Bits(v), SlotKind::F64) => writer.put_f64(col, f64::from_bits(*v)),
            (Cell::Bits(v), _) => writer.put_u64(col, *v),
        }
    }
}

fn write(columns: &[Logical], rows: &[TestRow], flags: u16) -> Vec<u8> {
    let mut writer = BatchWriter::with_flags(1, 2, &specs(columns), 0, flags);
    for row in rows {
        writer.begin_row(row.commit_ts, 5, row.op, 0);
        for (kind, cells) in [(ImageKind::Before, &row.before), (ImageKind::After, &row.after)] {
            if let Some(cells) = cells {
                put(&mut writer, kind, cells);
            }
        }
        writer.end_row().unwrap();
    }
    writer.finish()
}

fn read(batch: &Batch<'_>, i: usize, kind: ImageKind) -> Option<Cells> {
    let image = batch.row(i).unwrap().image(kind)?;
    let cell = |(col, spec): (usize, ColumnSpec)| match spec.slot {
        SlotKind::Bytes => image.bytes(col).map_or(Cell::Null, |b| Cell::Bytes(b.to_vec())),
        _ => image.u64(col).map_or(Cell::Null, Cell::Bits),
    };
    Some(batch.columns().enumerate().map(cell).collect())
}

fn check_rows(batch: &Batch<'_>, expected: &[TestRow]) {
    assert_eq!(batch.len(), expected.len());
    for (i, row) in expected.iter().enumerate() {
        assert_eq!(batch.row(i).unwrap().commit_ts(), row.commit_ts);
        assert_eq!(batch.row(i).unwrap().op(), row.op);
        assert_eq!(read(batch, i, ImageKind::After), row.after);
        assert_eq!(read(batch, i, ImageKind::Before), row.before);
    }
    let range = (expected.iter().map(|r| r.commit_ts).min(), expected.iter().map(|r| r.commit_ts).max());
    assert_eq!(batch.commit_ts_range(), (range.0.unwrap_or(0), range.1.unwrap_or(0)));
}

/// Calls everything that reads.
fn touch(data: &[u8]) {
    let Ok(batch) = Batch::parse(data) else {
        return;
    };
    for row in batch.iter() {
        for kind in [ImageKind::After, ImageKind::Before] {
            let Some(image) = row.image(kind) else {
                continue;
            };
            for (col, spec) in batch.columns().enumerate() {
                let _ = (image.value(col, spec), image.str(col), image.is_absent(col), image.is_null(col));
            }
            assert!(image.is_null(batch.column_count()));
        }
        let _ = (row.op(), row.lane(), row.flags());
    }
    let _ = select(&batch, 0..batch.len().min(50) as u32);
    let positions: Vec<u32> = batch.columns().map(|c| c.position.into()).collect();
    let _ = project(&batch, &positions, 0, 50);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_survive((columns, rows) in table(), absent: bool) {
        let bytes = write(&columns, &rows, if absent { batch_flags::ABSENT } else { 0 });
        prop_assert_eq!(bytes.len() % 8, 0);
        check_rows(&Batch::parse(&bytes).unwrap(), &rows);
    }

    #[test]
    fn selections_hold_the_rows((columns, rows) in table(), picks in prop::collection::vec(any::<prop::sample::Index>(), 0..9)) {
        prop_assume!(!rows.is_empty());
        let bytes = write(&columns, &rows, 0);
        let picks: Vec<u32> = picks.iter().map(|p| p.index(rows.len()) as u32).collect();
        let chosen = select(&Batch::parse(&bytes).unwrap(), picks.iter().copied()).unwrap();
        let expected: Vec<TestRow> = picks.iter().map(|i| rows[*i as usize].clone()).collect();
        check_rows(&Batch::parse(&chosen).unwrap(), &expected);
    }

    #[test]
    fn projections_hold_the_columns((columns, rows) in table(), mask: u64, start in 0_u32..14, count in 0_u32..14) {
        let bytes = write(&columns, &rows, 0);
        let keep: Vec<usize> = (0..columns.len()).filter(|c| mask >> (c % 64) & 1 != 0).rev().collect();
        let positions: Vec<u32> = keep.iter().map(|c| *c as u32 * 2).collect();
        let narrow = project(&Batch::parse(&bytes).unwrap(), &positions, start, count).unwrap();
        let cut = |cells: &Option<Cells>| cells.as_ref().map(|c| keep.iter().map(|k| c[*k].clone()).collect());
        let expected: Vec<TestRow> = rows.iter().skip(start as usize).take(count as usize)
            .map(|r| TestRow { after: cut(&r.after), before: cut(&r.before), ..r.clone() }).collect();
        check_rows(&Batch::parse(&narrow).unwrap(), &expected);
    }

    #[test]
    fn broken_bytes_never_panic(
        (columns, rows) in table(),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = write(&columns, &rows, 0);
        touch(&bytes[..cut.index(bytes.len())]);
        for (at, value) in hits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        touch(&bytes);
    }

    #[test]
    fn broken_headers_never_panic((columns, rows) in table(), at in 4_usize..64, value: u8) {
        let mut bytes = write(&columns, &rows, 0);
        bytes[at] = value;
        touch(&bytes);
    }
}

#[test]
fn a_full_batch_refuses_a_row_and_keeps_the_others() {
    let mut writer = BatchWriter::new(1, 1, &[ColumnSpec::new(0, Logical::Bytes)], 0);
    let value = vec![7; 5 << 20];
    let mut add = |ts| {
        writer.begin_row(ts, 0, Op::Insert, 0);
        writer.begin_image(ImageKind::After);
        writer.put_bytes(0, &value);
        writer.end_row()
    };
    for ts in 1..=3 {
        add(ts).unwrap();
    }
    assert!(add(4).is_err());
    let bytes = writer.finish();
    assert!(bytes.len() <= BATCH_LIMIT_BYTES);
    let batch = Batch::parse(&bytes).unwrap();
    assert_eq!((batch.len(), batch.commit_ts_range()), (3, (1, 3)));
    assert_eq!(select(&batch, [0, 1, 2, 2]), Err(FormatError::TooLarge));
}

#[test]
fn absent_values_read_as_null_and_are_told_apart() {
    let specs = [ColumnSpec::new(0, Logical::Int), ColumnSpec::new(1, Logical::Int)];
    let mut writer = BatchWriter::with_flags(1, 1, &specs, 0, batch_flags::ABSENT);
    writer.begin_row(2, 1, Op::Insert, 0);
    writer.begin_image(ImageKind::After);
    writer.put_i64(0, 5);
    writer.put_absent(1);
    writer.end_row().unwrap();
    let bytes = writer.finish();
    let narrow = project(&Batch::parse(&bytes).unwrap(), &[1], 0, 1).unwrap();
    for (data, col) in [(&bytes, 1), (&narrow, 0)] {
        let image = Batch::parse(data).unwrap().row(0).unwrap().after().unwrap();
        assert!(image.is_absent(col) && image.is_null(col));
    }
}

#[test]
fn a_writer_is_reusable() {
    let mut writer = BatchWriter::new(1, 1, &[ColumnSpec::new(0, Logical::Int)], 0);
    let mut spare = Vec::new();
    let mut first = None;
    for _ in 0..3 {
        writer.begin_row(9, 8, Op::Insert, 0);
        writer.begin_image(ImageKind::After);
        writer.put_i64(0, 1);
        writer.end_row().unwrap();
        spare = writer.finish_with(spare);
        assert_eq!(first.get_or_insert_with(|| spare.clone()), &spare);
    }
    assert_eq!(writer.rows(), 0);
}

#[test]
fn unknown_positions_and_rows_are_refused() {
    let bytes = write(&[Logical::Int], &[], 0);
    let batch = Batch::parse(&bytes).unwrap();
    assert_eq!(project(&batch, &[1], 0, 1), Err(FormatError::NoColumn(1)));
    assert_eq!(select(&batch, [0]), Err(FormatError::NoRow(0)));
    assert_eq!(Batch::parse(b"TGR2").unwrap_err(), FormatError::Magic);
}

#[test]
fn a_popped_row_leaves_no_trace() {
    let mut writer = BatchWriter::new(1, 1, &[ColumnSpec::new(0, Logical::Bytes)], 0);
    let add = |writer: &mut BatchWriter, ts, value: &[u8]| {
        writer.begin_row(ts, 0, Op::Insert, 0);
        writer.begin_image(ImageKind::After);
        writer.put_bytes(0, value);
        let open = writer.open_image(ImageKind::After).unwrap();
        assert_eq!(open.bytes(0), Some(value));
        assert!(writer.open_image(ImageKind::Before).is_none());
        writer.end_row().unwrap();
        assert!(writer.open_image(ImageKind::After).is_none());
    };
    add(&mut writer, 5, b"kept");
    let spare = writer.finish();
    add(&mut writer, 5, b"kept");
    add(&mut writer, 9, b"popped");
    writer.pop_row();
    assert_eq!(writer.finish(), spare);
}
