//! What the machine itself gives: copying memory, and bytes through a loopback socket.

use super::Limits;
use crate::args::Options;
use crate::measure::{Work, compare, process_cpu};
use crate::table::Line;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

/// Copied in one go: far beyond the caches.
const COPY_BYTES: usize = 64 << 20;
/// Passed at once, as HTTP/2 frames are.
const SOCKET_CHUNK_BYTES: usize = 64 << 10;

/// Measures both.
pub(crate) fn run(options: &Options, lines: &mut Vec<Line>) -> anyhow::Result<Limits> {
    let (from, mut to) = (vec![7u8; COPY_BYTES], vec![1u8; COPY_BYTES]);
    let copy: Work<'_> = Box::new(|| {
        to.copy_from_slice(std::hint::black_box(&from));
        std::hint::black_box(&to);
        Ok(COPY_BYTES as u64)
    });
    let memcpy = compare(options.samples, &mut [copy])?.first().copied().unwrap_or_default().cpu_ns;
    let bytes = options.scaled(512 << 20);
    let mut cpu = Vec::new();
    for _ in 0..options.samples {
        cpu.push(loopback(bytes)? / bytes as f64);
    }
    let loopback = crate::measure::median(cpu);
    let line =
        |name: &str, ns: f64| Line::new(name, format!("{ns:.4} ns/B")).ratio(format!("{:.0} ns per 200 B", ns * 200.0));
    let mut copy = line("limit: memcpy", memcpy);
    copy.rate = format!("{:.1} GB/s", 1.0 / memcpy);
    let mut socket = line("limit: loopback, both ends", loopback);
    socket.rate = format!("{:.1} GB/s per core", 1.0 / loopback);
    lines.extend([copy, socket]);
    Ok(Limits { memcpy_ns_per_byte: memcpy, loopback_ns_per_byte: loopback })
}

/// CPU nanoseconds of both ends.
fn loopback(bytes: u64) -> anyhow::Result<f64> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let start = process_cpu();
    let sender = std::thread::spawn(move || -> std::io::Result<()> {
        let mut to = TcpStream::connect(address)?;
        let chunk = vec![7u8; SOCKET_CHUNK_BYTES];
        let mut left = bytes as usize;
        while left > 0 {
            let part = chunk.get(..left.min(chunk.len())).unwrap_or_default();
            to.write_all(part)?;
            left -= part.len();
        }
        Ok(())
    });
    let (mut from, _) = listener.accept()?;
    let mut chunk = vec![0u8; SOCKET_CHUNK_BYTES];
    let mut got = 0;
    loop {
        match from.read(&mut chunk)? {
            0 => break,
            n => got += n as u64,
        }
    }
    anyhow::ensure!(got == bytes, "{got} of {bytes} bytes came through loopback");
    sender.join().map_err(|_| anyhow::anyhow!("the sender panicked"))??;
    Ok((process_cpu() - start).as_nanos() as f64)
}
