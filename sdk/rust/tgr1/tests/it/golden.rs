//! The exact bytes of a small batch. The fixture was put together by hand from the format's page, not by this crate.

use tgr1::{Batch, BatchBuf, BatchWriter, ColumnSpec, ImageKind, Logical, Op, Route, row_flags};

const DATETIME: u64 = 1_848_068_099_308_380_736;

fn fixture() -> Vec<u8> {
    let digits: Vec<u8> = include_str!("../fixtures/small.hex").bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn columns() -> [ColumnSpec; 4] {
    [
        ColumnSpec::new(0, Logical::Int),
        ColumnSpec::new(1, Logical::Text),
        ColumnSpec::new(2, Logical::Float64),
        ColumnSpec::new(4, Logical::DateTime),
    ]
}

fn put_full(writer: &mut BatchWriter, kind: ImageKind) {
    writer.begin_image(kind);
    writer.put_i64(0, -7);
    writer.put_bytes_with(1, |out| out.extend_from_slice("grüße".as_bytes()));
    writer.put_f64(2, 1.5);
    writer.put_u64(3, DATETIME);
}

fn write_small() -> Vec<u8> {
    let mut writer = BatchWriter::new(45, 9001, &columns(), 64);
    writer.begin_row(450, 440, Op::Insert, 0);
    put_full(&mut writer, ImageKind::After);
    writer.set_route(3, 1, 2);
    writer.end_row().unwrap();
    writer.begin_row(460, 455, Op::Update, row_flags::SPLIT_UPDATE);
    writer.begin_image(ImageKind::After);
    writer.put_i64(0, -7);
    writer.put_bytes(1, b"");
    writer.put_f64(2, 9.0);
    writer.put_null(2);
    writer.put_u64(3, 0);
    put_full(&mut writer, ImageKind::Before);
    writer.end_row().unwrap();
    writer.begin_row(1, 0, Op::Insert, 0);
    put_full(&mut writer, ImageKind::After);
    writer.abort_row();
    writer.begin_row(470, 465, Op::Delete, 0);
    writer.begin_image(ImageKind::Before);
    writer.put_f64(2, -0.5);
    writer.put_i64(0, -7);
    writer.put_u64(3, DATETIME);
    writer.end_row().unwrap();
    assert_eq!(writer.rows(), 3);
    let len = writer.len_bytes();
    let bytes = writer.finish();
    assert_eq!(bytes.len(), len);
    bytes
}

#[test]
fn the_writer_makes_these_bytes() {
    assert_eq!(write_small(), fixture());
}

#[test]
fn the_reader_reads_these_bytes() {
    let bytes = fixture();
    let batch = Batch::parse(&bytes).unwrap();
    assert_eq!((batch.table(), batch.version(), batch.len(), batch.commit_ts_range()), (45, 9001, 3, (450, 470)));
    assert_eq!(batch.columns().collect::<Vec<_>>(), columns());
    let insert = batch.row(0).unwrap();
    assert_eq!((insert.commit_ts(), insert.start_ts(), insert.op()), (450, 440, Op::Insert));
    assert_eq!((insert.partition(), insert.target(), insert.lane()), (3, 1, 2));
    let after = insert.after().unwrap();
    assert_eq!(
        (after.i64(0), after.str(1), after.f64(2), after.u64(3)),
        (Some(-7), Some("grüße"), Some(1.5), Some(DATETIME))
    );
    assert!(insert.before().is_none());
    let update = batch.row(1).unwrap();
    assert_eq!(update.flags(), row_flags::SPLIT_UPDATE);
    let after = update.after().unwrap();
    assert_eq!((after.bytes(1), after.is_null(2), after.u64(3)), (Some(&b""[..]), true, Some(0)));
    assert_eq!(update.before().unwrap().str(1), Some("grüße"));
    let delete = batch.row(2).unwrap();
    assert!(delete.after().is_none());
    assert_eq!(delete.current().unwrap().f64(2), Some(-0.5));
    assert!(batch.row(3).is_none());
    assert_eq!(batch.iter().len(), 3);
}

#[test]
fn a_later_minor_with_longer_headers_is_read() {
    // Header and row header grow by 8 bytes each, as a later minor may do.
    let old = fixture();
    let field = |at: usize| u32::from_le_bytes(old[at..at + 4].try_into().unwrap());
    let index = &old[field(20) as usize..][..12];
    let starts: Vec<usize> = index.chunks(4).map(|c| u32::from_le_bytes(c.try_into().unwrap()) as usize).collect();
    let mut new = old[..64].to_vec();
    new.extend_from_slice(&[0xab; 8]);
    new.extend_from_slice(&old[64..starts[0]]);
    let mut new_index = Vec::new();
    for &at in &starts {
        let len = u32::from_le_bytes(old[at + 20..at + 24].try_into().unwrap()) as usize;
        new_index.extend_from_slice(&(new.len() as u32).to_le_bytes());
        let mut row = old[at..at + 40].to_vec();
        row.extend_from_slice(&[0xcd; 8]);
        row.extend_from_slice(&old[at + 40..at + len]);
        row[20..24].copy_from_slice(&(len as u32 + 8).to_le_bytes());
        for image in [24, 28] {
            let offset = u32::from_le_bytes(row[image..image + 4].try_into().unwrap());
            row[image..image + 4].copy_from_slice(&(if offset == 0 { 0 } else { offset + 8 }).to_le_bytes());
        }
        new.extend_from_slice(&row);
    }
    let index_off = new.len() as u32;
    new.extend_from_slice(&new_index);
    new.extend_from_slice(&[0; 4]);
    let total = new.len() as u32;
    for (at, value) in [(8, 72), (20, index_off), (40, total), (44, 48)] {
        new[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
    }
    new[4] = 1;
    let batch = Batch::parse(&new).unwrap();
    assert_eq!(batch.minor(), 1);
    assert_eq!(batch.columns().collect::<Vec<_>>(), columns());
    assert_eq!(batch.row(0).unwrap().after().unwrap().i64(0), Some(-7));
    assert_eq!(batch.row(2).unwrap().before().unwrap().f64(2), Some(-0.5));
}

#[test]
fn routes_are_set_in_place() {
    let mut buf = BatchBuf::new(fixture()).unwrap();
    assert!(buf.set_route(1, Route { partition: 70_000, target: 5, lane: tgr1::LANE_DROP }));
    assert!(!buf.set_route(3, Route::default()));
    assert!(buf.set_row_flags(2, row_flags::MAYBE_REPEATED));
    let row = buf.batch().row(1).unwrap();
    assert_eq!((row.partition(), row.target(), row.lane()), (70_000, 5, tgr1::LANE_DROP));
    assert_eq!(buf.batch().row(2).unwrap().flags(), row_flags::MAYBE_REPEATED);
    assert_eq!(Batch::parse(&buf.into_bytes()).unwrap().row(0).unwrap().partition(), 3);
}
