//! The calling side: a connection is one when the other side has taken our certificate too.

use std::io;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::Uri;

use super::refusals::is_silence;
use super::{Mutual, Shared, reason};

/// Only the first bytes are ever held: greater reads go straight to the stream.
const FIRST: usize = 64;

pub(crate) type Connected = BufReader<TlsStream<TcpStream>>;

impl Mutual {
    /// Connects with the certificate of this moment.
    pub(crate) async fn connect(self, to: Uri) -> io::Result<Connected> {
        let shared = &self.0;
        let (host, port) = place(&to)?;
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        shake_hands(shared, host, stream).await.map_err(|error| refused(shared, &to, &error))
    }
}

async fn shake_hands(shared: &Shared, host: &str, stream: TcpStream) -> io::Result<Connected> {
    let client = shared.material().client.clone();
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let stream = TlsConnector::from(client).connect(name, stream).await?;
    // TLS 1.3 is done here before the other side has looked at our certificate. Its HTTP/2 settings come first of all,
    // or its refusal does.
    let mut stream = BufReader::with_capacity(FIRST, stream);
    match stream.fill_buf().await?.is_empty() {
        true => Err(io::ErrorKind::UnexpectedEof.into()),
        false => Ok(stream),
    }
}

/// Host and port of `http://host:port`; an IPv6 address without its brackets.
fn place(uri: &Uri) -> io::Result<(&str, u16)> {
    let place = uri.host().zip(uri.port_u16());
    let (host, port) = place.ok_or_else(|| io::Error::other(format!("{uri} is no host with a port")))?;
    Ok((host.trim_start_matches('[').trim_end_matches(']'), port))
}

/// Logs the failure, and makes it readable for whoever asked.
fn refused(shared: &Shared, uri: &Uri, error: &io::Error) -> io::Error {
    let (peer, reason) = (uri.authority().map_or("", |place| place.as_str()), reason::of(error));
    if is_silence(error) {
        tracing::debug!(peer, reason, "another node hung up during the handshake");
    } else {
        shared.connecting.note(|untold| {
            tracing::warn!(peer, reason, untold, "no connection to another node: the handshake failed");
        });
    }
    io::Error::new(error.kind(), format!("no secure connection to {peer}: {reason}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_read_from_any_address() {
        for (text, wanted) in [
            ("http://10.0.0.1:7400", Some(("10.0.0.1", 7400))),
            ("http://[2001:db8::1]:7400", Some(("2001:db8::1", 7400))),
            ("http://node-b.example:1", Some(("node-b.example", 1))),
            ("http://node-b.example", None),
        ] {
            assert_eq!(place(&text.parse().unwrap()).ok(), wanted, "{text}");
        }
    }
}
