//! Clocks, and medians of interleaved samples.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

fn clock(id: ClockId) -> Duration {
    let t = clock_gettime(id);
    Duration::new(t.tv_sec.try_into().unwrap_or(0), t.tv_nsec.try_into().unwrap_or(0))
}

/// CPU time of this thread.
pub(crate) fn thread_cpu() -> Duration {
    clock(ClockId::ThreadCPUTime)
}

/// CPU time of this process, all threads, user and system.
pub(crate) fn process_cpu() -> Duration {
    clock(ClockId::ProcessCPUTime)
}

/// A line of `/proc/self/status` in bytes; 0 when it is not there.
fn status_bytes(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix(field));
    let kib = line.and_then(|l| l.trim_start_matches(':').split_whitespace().next());
    kib.and_then(|k| k.parse::<u64>().ok()).unwrap_or(0) << 10
}

/// Greatest resident size of this process so far.
pub(crate) fn rss_peak_bytes() -> u64 {
    status_bytes("VmHWM")
}

/// Resident size of this process now.
pub(crate) fn rss_bytes() -> u64 {
    status_bytes("VmRSS")
}

/// The middle value; the mean of the two middle ones of an even number; 0 of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.len() % 2) {
        (Some(v), 1) => *v,
        (Some(v), _) => (v + values.get(middle.wrapping_sub(1)).unwrap_or(v)) / 2.0,
        (None, _) => 0.0,
    }
}

/// What one variant of a comparison costs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// CPU nanoseconds per unit.
    pub(crate) cpu_ns: f64,
}

/// Does some work and tells how many units it was.
pub(crate) type Work<'a> = Box<dyn FnMut() -> anyhow::Result<u64> + 'a>;

/// Runs the variants in turn, `samples` times after one run that is not counted, and gives the median cost of each: the CPU of
/// this thread.
pub(crate) fn compare(samples: usize, works: &mut [Work<'_>]) -> anyhow::Result<Vec<Cost>> {
    interleave(samples, works, thread_cpu)
}

/// As [`compare`], with the CPU of all threads.
pub(crate) fn compare_process(samples: usize, works: &mut [Work<'_>]) -> anyhow::Result<Vec<Cost>> {
    interleave(samples, works, process_cpu)
}

fn interleave(samples: usize, works: &mut [Work<'_>], cpu_now: fn() -> Duration) -> anyhow::Result<Vec<Cost>> {
    let mut taken = vec![Vec::new(); works.len()];
    for round in 0..=samples {
        for (work, taken) in works.iter_mut().zip(&mut taken) {
            let start = cpu_now();
            let units = work()? as f64;
            let spent = cpu_now() - start;
            if round > 0 {
                taken.push(spent.as_nanos() as f64 / units);
            }
        }
    }
    Ok(taken.into_iter().map(|taken| Cost { cpu_ns: median(taken) }).collect())
}
