//! As much HTTP as readiness needs.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// How long one look may take.
const LOOK_TIMEOUT: Duration = Duration::from_secs(2);
/// How much of an answer is read.
const ANSWER_MAX_BYTES: u64 = 64 << 10;

/// The answer to a GET on 127.0.0.1, head and body; `None` when there is none.
pub(crate) fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(LOOK_TIMEOUT)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.take(ANSWER_MAX_BYTES).read_to_string(&mut answer).ok()?;
    Some(answer)
}
