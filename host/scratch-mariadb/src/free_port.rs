//! Ports nobody listens on.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Mutex;

/// Tries before giving up.
const TRIES_MAX: usize = 64;

static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A TCP port on 127.0.0.1 that is free now and was not given to anybody else in this process.
///
/// # Errors
/// When the system has none.
pub fn free_port() -> io::Result<u16> {
    for _ in 0..TRIES_MAX {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        if GIVEN.lock().is_ok_and(|mut given| given.insert(port)) {
            return Ok(port);
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "the system keeps offering ports that are taken"))
}
