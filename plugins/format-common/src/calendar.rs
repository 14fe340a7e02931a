//! Days and microseconds since 1970.

use tgr1::PackedTime;

const DAY_MICROS: i64 = 86_400_000_000;
/// Days from the first of March of year 0 to 1970.
const EPOCH_DAYS: i64 = 719_468;
/// Days of 400 years.
const ERA_DAYS: i64 = 146_097;

/// Days since 1970 of a date; `None` for one that no calendar has.
#[must_use]
pub fn days(time: PackedTime) -> Option<i64> {
    let (year, month, day) = (i64::from(time.year()), i64::from(time.month()), i64::from(time.day()));
    if month == 0 || day == 0 {
        return None;
    }
    // Years begin in March, so that leap days are last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_DAYS;
    // The 31st of a shorter month comes back as another day.
    (date(days)?.day() == time.day()).then_some(days)
}

/// Microseconds since 1970 of a wall clock read as UTC.
#[must_use]
pub fn micros(time: PackedTime) -> Option<i64> {
    let clock = (i64::from(time.hour()) * 60 + i64::from(time.minute())) * 60 + i64::from(time.second());
    Some(days(time)? * DAY_MICROS + clock * 1_000_000 + i64::from(time.micro()))
}

/// The date so many days after 1970.
#[must_use]
pub fn date(days: i64) -> Option<PackedTime> {
    let (year, month, day) = civil(days)?;
    PackedTime::from_parts(year, month, day, 0, 0, 0, 0)
}

/// The wall clock so many microseconds after 1970.
#[must_use]
pub fn datetime(micros: i64) -> Option<PackedTime> {
    let (year, month, day) = civil(micros.div_euclid(DAY_MICROS))?;
    let rest = micros.rem_euclid(DAY_MICROS);
    let (seconds, micro) = (rest / 1_000_000, (rest % 1_000_000) as u32);
    let part = |n: i64| (n % 60) as u8;
    PackedTime::from_parts(year, month, day, (seconds / 3600) as u8, part(seconds / 60), part(seconds), micro)
}

fn civil(days: i64) -> Option<(u16, u8, u8)> {
    let days = days.checked_add(EPOCH_DAYS)?;
    let era = days.div_euclid(ERA_DAYS);
    let of_era = days.rem_euclid(ERA_DAYS);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * month + 2) / 5 + 1) as u8;
    let (year, month) = if month < 10 { (0, month + 3) } else { (1, month - 9) };
    let year = era.checked_mul(400)?.checked_add(year_of_era + year)?;
    Some((u16::try_from(year).ok()?, month as u8, day))
}

#[cfg(test)]
mod tests {
    use super::{date, datetime, days, micros};
    use proptest::prelude::*;
    use tgr1::PackedTime;

    #[test]
    fn known_days() {
        let at = |y, m, d| days(PackedTime::from_parts(y, m, d, 0, 0, 0, 0).unwrap());
        assert_eq!(at(1970, 1, 1), Some(0));
        assert_eq!(at(2024, 2, 29), Some(19_782));
        assert_eq!(at(1, 1, 1), Some(-719_162));
        assert_eq!((at(2000, 0, 0), at(2023, 2, 29), at(0, 0, 0)), (None, None, None));
        assert_eq!(date(i64::MAX), None);
    }

    proptest! {
        #[test]
        fn both_ways(day in -719_000_i64..2_900_000, micro in 0_i64..86_400_000_000) {
            prop_assert_eq!(days(date(day).unwrap()), Some(day));
            let at = day * 86_400_000_000 + micro;
            prop_assert_eq!(micros(datetime(at).unwrap()), Some(at));
        }
    }
}
