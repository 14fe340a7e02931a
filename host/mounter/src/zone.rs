//! Time zones of TIMESTAMP values.

use crate::decode::Fault;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use tgr1::PackedTime;

/// The zone in which TIMESTAMP values are written.
#[derive(Clone, Debug, Default)]
pub enum TimestampZone {
    /// As stored.
    #[default]
    Utc,
    /// Wall clock of this zone.
    Zone(TimeZone),
}

impl TimestampZone {
    /// Packed UTC to packed time of the zone; zero stays zero.
    #[inline]
    pub(crate) fn local(&self, packed: u64) -> Result<u64, Fault> {
        match self {
            Self::Utc => Ok(packed),
            Self::Zone(_) if packed == 0 => Ok(0),
            Self::Zone(zone) => convert(zone, PackedTime(packed)).ok_or(Fault("the timestamp is out of range")),
        }
    }
}

fn convert(zone: &TimeZone, utc: PackedTime) -> Option<u64> {
    let small = |n: u8| n.cast_signed();
    let nanos = i32::try_from(utc.micro()).ok()?.checked_mul(1000)?;
    let year = i16::try_from(utc.year()).ok()?;
    let (month, day) = (small(utc.month()), small(utc.day()));
    let utc =
        DateTime::new(year, month, day, small(utc.hour()), small(utc.minute()), small(utc.second()), nanos).ok()?;
    let local = zone.to_datetime(Offset::UTC.to_timestamp(utc).ok()?);
    let byte = |n: i8| u8::try_from(n).ok();
    let packed = PackedTime::from_parts(
        u16::try_from(local.year()).ok()?,
        byte(local.month())?,
        byte(local.day())?,
        byte(local.hour())?,
        byte(local.minute())?,
        byte(local.second())?,
        u32::try_from(local.subsec_nanosecond()).ok()? / 1000,
    )?;
    Some(packed.0)
}
