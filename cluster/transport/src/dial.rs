//! How another node is reached: over TCP, or by what a simulation puts in its place.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tonic::transport::Uri;

/// Bytes both ways, in order, until one side ends it.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Makes connections to addresses (host:port).
pub trait Dialer: Debug + Send + Sync {
    /// Connects, or says why not.
    fn dial(&self, address: String) -> BoxFuture<'static, io::Result<Box<dyn Wire>>>;
}

/// How connections without TLS are made.
#[derive(Debug, Clone, Default)]
pub enum Dial {
    #[default]
    Tcp,
    By(Arc<dyn Dialer>),
}

/// Two that reach others by the same means are equal.
impl PartialEq for Dial {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Tcp, Self::Tcp) => true,
            (Self::By(one), Self::By(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for Dial {}

impl Dial {
    /// Connects without TLS.
    pub(crate) async fn connect(self, to: Uri) -> io::Result<Box<dyn Wire>> {
        let address = to.authority().map_or_else(String::new, ToString::to_string);
        match self {
            Self::Tcp => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
            Self::By(dialer) => dialer.dial(address).await,
        }
    }
}
