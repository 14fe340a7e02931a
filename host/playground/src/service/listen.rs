//! Listeners whose connections can be cut at once.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::{Connected, TcpIncoming};

/// A bound port. Connections are served until they are cut; the port is free when this is dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Binds `at`, or a free port of 127.0.0.1 when that fails or is `None`.
    pub(crate) async fn bind(at: Option<SocketAddr>) -> io::Result<Self> {
        let listener = match at {
            Some(address) => match TcpListener::bind(address).await {
                Ok(listener) => listener,
                Err(_) => TcpListener::bind(("127.0.0.1", 0)).await?,
            },
            None => TcpListener::bind(("127.0.0.1", 0)).await?,
        };
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The connections; all end when the token in force when they came is cancelled.
    pub(crate) fn incoming(self, cut: Arc<Cut>) -> impl futures::Stream<Item = io::Result<CutStream>> {
        use futures::StreamExt as _;
        TcpIncoming::from(self.listener)
            .with_nodelay(Some(true))
            .map(move |stream| stream.map(|stream| CutStream { stream, cut: Box::pin(cut.token().cancelled_owned()) }))
    }
}

/// Cuts all connections of a listener, now or for good.
#[derive(Debug, Default)]
pub(crate) struct Cut {
    token: parking_lot::Mutex<CancellationToken>,
}

impl Cut {
    fn token(&self) -> CancellationToken {
        self.token.lock().clone()
    }

    /// Cuts the connections there are; new ones may come.
    pub(crate) fn cut(&self) {
        std::mem::take(&mut *self.token.lock()).cancel();
    }
}

/// A connection that breaks when its token is cancelled.
pub(crate) struct CutStream {
    stream: TcpStream,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl CutStream {
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
            Poll::Pending => Ok(()),
        }
    }
}

impl Connected for CutStream {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for CutStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for CutStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
