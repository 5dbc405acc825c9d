//! A SIP client in a browser's place, written as RFC 7118 has it: what it says goes over a WebSocket as text, its host is
//! made up, and nobody can connect to it.

mod line;

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};
use futures::{SinkExt, StreamExt, stream::SplitSink};
use mangrove_sip::{
    Message, Method,
    digest::{Challenge, Secret, authorize},
};
use mangrove_tests::{product::Product, wait};
use tokio::{net::TcpStream, sync::mpsc, task::JoinHandle, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, client::IntoClientRequest, http::HeaderValue},
};

pub(super) use line::Line;

const DOMAIN: &str = "acme.example";
/// Every page makes up another host.
static PAGES: AtomicU32 = AtomicU32::new(0);

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Connection = (SplitSink<Stream, tungstenite::Message>, mpsc::UnboundedReceiver<Message>, JoinHandle<()>);

/// A running client; dropped, its connection is gone without a word.
#[derive(Debug)]
pub(super) struct Phone {
    user: &'static str,
    host: String,
    out: SplitSink<Stream, tungstenite::Message>,
    heard: mpsc::UnboundedReceiver<Message>,
    /// Hang-ups that came while something else was waited for.
    kept: Vec<Message>,
    reader: JoinHandle<()>,
    cseq: u32,
}

/// A WebSocket at the node's `/sip`, or the status with which it is refused.
pub(super) async fn open(product: &Product, protocol: Option<&str>) -> Result<Result<Stream, u16>> {
    open_from(product, protocol, None).await
}

/// The same for a page of this origin.
pub(super) async fn open_from(
    product: &Product,
    protocol: Option<&str>,
    origin: Option<&str>,
) -> Result<Result<Stream, u16>> {
    let url = format!("{}/sip", product.url().replacen("http", "ws", 1));
    let mut request = url.into_client_request()?;
    for (name, value) in [("sec-websocket-protocol", protocol), ("origin", origin)] {
        if let Some(value) = value {
            request.headers_mut().insert(name, HeaderValue::from_str(value)?);
        }
    }
    match connect_async(request).await {
        Ok((stream, _)) => Ok(Ok(stream)),
        Err(tungstenite::Error::Http(answer)) => Ok(Err(answer.status().as_u16())),
        Err(error) => Err(error.into()),
    }
}

/// A new connection, read until it ends.
async fn connection(product: &Product, protocol: &str) -> Result<Connection> {
    let taken = async || open(product, Some(protocol)).await.ok()?.ok();
    let stream = wait::until("the node to take a WebSocket", taken).await?;
    let (out, mut incoming) = stream.split();
    let (told, heard) = mpsc::unbounded_channel();
    // Pings are answered by reading.
    let reader = tokio::spawn(async move {
        while let Some(Ok(frame)) = incoming.next().await {
            if let Ok(message) = Message::parse(&frame.into_data()) {
                let _ = told.send(message);
            }
        }
    });
    Ok((out, heard, reader))
}

fn sdp(port: u16) -> String {
    format!(
        "v=0\r\no=page 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\n"
    )
}

impl Phone {
    /// Connected as `user`, and not registered yet.
    pub(super) async fn connect(product: &Product, user: &'static str) -> Result<Self> {
        Self::connect_as(product, user, "sip").await
    }

    /// The same with a ticket in a password's place.
    pub(super) async fn with_ticket(product: &Product, user: &'static str, ticket: &str) -> Result<Self> {
        Self::connect_as(product, user, &format!("sip, ticket.{ticket}")).await
    }

    async fn connect_as(product: &Product, user: &'static str, protocol: &str) -> Result<Self> {
        let (out, heard, reader) = connection(product, protocol).await?;
        let host = format!("page{}.invalid", PAGES.fetch_add(1, Ordering::Relaxed));
        Ok(Self { user, host, out, heard, kept: Vec::new(), reader, cseq: 0 })
    }

    /// Its connection is gone, and it knows of its calls what it knew.
    pub(super) async fn disconnect(&mut self) -> Result<()> {
        self.reader.abort();
        Ok(self.out.close().await?)
    }

    /// The same page, by another connection.
    pub(super) async fn reconnect(&mut self, product: &Product) -> Result<()> {
        (self.out, self.heard, self.reader) = connection(product, "sip").await?;
        Ok(())
    }

    /// Registers with a password, as a page would that knows MD5 only; the status of the last answer.
    pub(super) async fn register(&mut self, password: &str) -> Result<u16> {
        let uri = format!("sip:{DOMAIN}");
        let refused = self.register_with(&uri, None).await?;
        let proof = self.proves(&refused, Method::REGISTER, &uri, password)?;
        Ok(self.register_with(&uri, Some(proof)).await?.status().unwrap_or_default())
    }

    /// Registers by its ticket alone; the status of the answer. 503: the node is about to know of pages.
    pub(super) async fn register_by_ticket(&mut self) -> Result<u16> {
        let uri = format!("sip:{DOMAIN}");
        let answered = async || {
            let status = self.register_with(&uri, None).await.ok()?.status()?;
            (status != 503).then_some(status)
        };
        wait::until("the page's REGISTER to be answered", answered).await
    }

    /// What a refusal asks for.
    fn proves(&self, refused: &Message, method: Method, uri: &str, password: &str) -> Result<String> {
        ensure!(refused.status() == Some(401), "{refused:?}");
        let challenge = refused.headers("WWW-Authenticate").find(|one| one.contains("algorithm=MD5"));
        let challenge = Challenge::parse(challenge.context("no challenge with MD5")?)?;
        let secret = Secret::Password(password);
        Ok(authorize(&challenge, method.as_str(), uri, self.user, secret, "cnonce", 1))
    }

    fn contact(&self) -> String {
        format!("<sip:{}@{};transport=ws>", self.user, self.host)
    }

    async fn register_with(&mut self, uri: &str, proof: Option<String>) -> Result<Message> {
        let to = format!("<sip:{}@{DOMAIN}>", self.user);
        let contact = format!("{};expires=600", self.contact());
        let request = self.request(Method::REGISTER, uri, &to, "registers").with("Contact", contact);
        let request = match proof {
            Some(proof) => request.with("Authorization", proof),
            None => request,
        };
        self.say(&request).await?;
        self.is_answered(&Method::REGISTER).await
    }

    /// Waits until it is sent a request of this method. What two calls say comes in any order: hang-ups are kept meanwhile.
    pub(super) async fn is_asked(&mut self, method: Method) -> Result<Message> {
        if let Some(at) = self.kept.iter().position(|message| message.is(&method)) {
            return Ok(self.kept.remove(at));
        }
        loop {
            let message = self.hears().await.with_context(|| format!("no {method}"))?;
            if message.is(&method) {
                return Ok(message);
            }
            self.keep(message);
        }
    }

    fn keep(&mut self, message: Message) {
        if message.is(&Method::BYE) {
            self.kept.push(message);
        }
    }

    /// Answers a request; `media`: with plain sound at this port of loopback.
    pub(super) async fn answer(&mut self, request: &Message, status: u16, media: Option<u16>) -> Result<()> {
        let mut answer = Message::reply_to(request, status).with("Contact", self.contact());
        answer.set_to_tag("page");
        if let Some(port) = media {
            answer = answer.with_body("application/sdp", sdp(port).into_bytes());
        }
        self.say(&answer).await
    }

    /// Ends the call that this INVITE began.
    pub(super) async fn hang_up(&mut self, invite: &Message) -> Result<()> {
        let contact = invite.contact()?.context("an INVITE without Contact")?;
        let header = |name: &str| invite.header(name).unwrap_or_default().to_owned();
        let uri = contact.uri.to_string();
        let mut bye = self.request(Method::BYE, &uri, &header("From"), &header("Call-ID"));
        bye.set("From", format!("{};tag=page", header("To")));
        self.say(&bye).await?;
        let answer = self.hears().await?;
        ensure!(answer.status() == Some(200), "{answer:?}");
        Ok(())
    }

    fn request(&mut self, method: Method, uri: &str, to: &str, call: &str) -> Message {
        self.cseq += 1;
        let (user, host, cseq) = (self.user, &self.host, self.cseq);
        Message::request(method.clone(), uri)
            .with("Via", format!("SIP/2.0/WS {host};branch=z9hG4bK{user}{cseq}"))
            .with("Max-Forwards", 70)
            .with("From", format!("<sip:{user}@{DOMAIN}>;tag=page"))
            .with("To", to)
            .with("Call-ID", call)
            .with("CSeq", format!("{cseq} {method}"))
    }

    async fn say(&mut self, message: &Message) -> Result<()> {
        let text = String::from_utf8(message.to_bytes())?;
        Ok(self.out.send(tungstenite::Message::text(text)).await?)
    }

    async fn hears(&mut self) -> Result<Message> {
        let heard = timeout(wait::USUAL, self.heard.recv()).await.context("nothing was said")?;
        heard.context("the WebSocket has ended")
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        // With it the other half of the connection goes.
        self.reader.abort();
    }
}
