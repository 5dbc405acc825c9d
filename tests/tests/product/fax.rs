//! Faxes by T.38 between a carrier's caller and an employee's gateway: either may begin, each gets what the other says, the
//! datagrams arrive as they were sent, and nobody else's do.

mod scenario;

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use mangrove_sip::{
    Message, Method,
    digest::{Challenge, Secret, authorize},
};
use mangrove_tests::{
    people::ANNA,
    ports,
    product::Product,
    sipp::{self, Options, Sipp},
    wait,
};

/// What a stranger says.
const MARK: &[u8] = b"NOBODYS FAX";

/// One that faxes: its socket.
#[derive(Debug)]
struct Machine(UdpSocket);

impl Machine {
    fn at(address: Ipv4Addr) -> Result<Self> {
        let socket = UdpSocket::bind((address, 0))?;
        socket.set_read_timeout(Some(Duration::from_millis(50)))?;
        Ok(Self(socket))
    }

    fn port(&self) -> Result<u16> {
        Ok(self.0.local_addr()?.port())
    }

    /// All that comes within a moment.
    fn hears(&self) -> Vec<Vec<u8>> {
        let mut buffer = [0; 2048];
        let next = || {
            let (length, _) = self.0.recv_from(&mut buffer).ok()?;
            Some(buffer[..length].to_vec())
        };
        std::iter::from_fn(next).collect()
    }

    /// Says it until the other hears it; gives all that the other has heard.
    fn reaches(&self, ours: SocketAddr, other: &Self, said: &[u8]) -> Result<Vec<Vec<u8>>> {
        let (began, mut heard) = (Instant::now(), Vec::new());
        while !heard.iter().any(|one: &Vec<u8>| one == said) {
            ensure!(began.elapsed() < wait::USUAL, "the fax does not arrive");
            self.0.send_to(said, ours)?;
            heard.extend(other.hears());
        }
        Ok(heard)
    }
}

/// A datagram of UDPTL with a page's bytes in it.
fn datagram(number: u16, length: u8) -> Vec<u8> {
    holding(number, &(0..length).map(|byte| byte ^ 0xa5).collect::<Vec<u8>>())
}

/// A datagram of UDPTL with this in it.
fn holding(number: u16, content: &[u8]) -> Vec<u8> {
    let mut datagram = number.to_be_bytes().to_vec();
    // From 128 on a length has two bytes.
    match content.len() as u16 {
        length @ 0..128 => datagram.push(length as u8),
        length => datagram.extend((0x8000 | length).to_be_bytes()),
    }
    datagram.extend(content);
    datagram.extend([0, 0]);
    datagram
}

/// A call between the two sides that SIPp plays.
struct Call {
    product: Product,
    caller: Machine,
    agent: Machine,
    from: Sipp,
    to: Sipp,
}

impl Call {
    /// The customer calls the company's number and talks with Anna, whose phone is a gateway; then each does what its scenario
    /// says.
    async fn begin(customer: &str, gateway: &str) -> Result<Self> {
        let product = Product::with_company().await?;
        let (caller, agent) = (Machine::at(Ipv4Addr::LOCALHOST)?, Machine::at(Ipv4Addr::LOCALHOST)?);
        let phone = registered(&product)?;
        ANNA.available(&product).await?;
        let options = Options {
            local: phone,
            remote: None,
            calls: 1,
            rate: 20,
            media: agent.port()?,
            called: "74951234567".into(),
            tone: None,
        };
        let to = Sipp::start(gateway, &options)?;
        to.listens().await?;
        let (local, remote) = (product.carrier_address(), Some(product.sip_address()));
        let scenario = [sipp::INVITE, sipp::ANSWERED, sipp::ACK, customer].concat();
        let from = Sipp::start(&scenario, &Options { local, remote, media: caller.port()?, ..options })?;
        Ok(Self { product, caller, agent, from, to })
    }

    /// Waits for a message with this line of media.
    async fn described(&self, sipp: &Sipp, start: &str, media: &str) -> Result<String> {
        let said = async || {
            let is_it = |message: &String| message.starts_with(start) && message.contains(media);
            sipp.received().into_iter().rfind(is_it)
        };
        let what = format!("{start} with {media}");
        wait::until(&what, said).await.inspect_err(|_| {
            eprintln!("{}\n{}\n{}", self.from.log(), self.to.log(), self.product.log());
        })
    }

    /// What each says arrives at the other, and what a stranger says nowhere. `ours`: where the product wants the caller's and
    /// the agent's datagrams.
    fn faxes(&self, ours: [SocketAddr; 2]) -> Result<()> {
        let stranger = Machine::at(Ipv4Addr::new(127, 0, 0, 66))?;
        for number in 0..20 {
            for to in ours {
                stranger.0.send_to(&holding(number, MARK), to)?;
            }
            let (page, confirmation) = (datagram(number, 200), datagram(number, 12));
            let mut heard = self.caller.reaches(ours[0], &self.agent, &page)?;
            heard.extend(self.agent.reaches(ours[1], &self.caller, &confirmation)?);
            let is_forged = |one: &Vec<u8>| one.windows(MARK.len()).any(|part| part == MARK);
            ensure!(!heard.iter().any(is_forged), "a stranger is heard");
        }
        ensure!(stranger.hears().is_empty(), "a stranger is answered");
        Ok(())
    }

    /// Both scenarios end as written, and the call has its record.
    async fn ended(self) -> Result<()> {
        self.from.succeeds(Duration::from_secs(10)).await?;
        self.to.succeeds(Duration::from_secs(10)).await?;
        let api = self.product.api()?;
        let record = &api.cdrs(1).await?[0];
        assert_eq!((&record["outcome"], &record["cause"]), (&"answered".into(), &"hung-up".into()));
        api.quiet().await
    }
}

/// Anna's gateway is registered at the address that is given: SIPp is to answer there.
fn registered(product: &Product) -> Result<SocketAddr> {
    let local = ports::address();
    let socket = UdpSocket::bind(local)?;
    socket.set_read_timeout(Some(wait::USUAL))?;
    let uri = "sip:acme.example";
    let register = |cseq: u32| {
        Message::request(Method::REGISTER, uri)
            .with("Via", format!("SIP/2.0/UDP {local};branch=z9hG4bKgateway{cseq}"))
            .with("Max-Forwards", 70)
            .with("From", "<sip:101@acme.example>;tag=gateway")
            .with("To", "<sip:101@acme.example>")
            .with("Call-ID", "gateway")
            .with("CSeq", format!("{cseq} REGISTER"))
            .with("Contact", format!("<sip:101@{local}>;expires=600"))
    };
    let ask = |request: &Message| -> Result<Message> {
        socket.send_to(&request.to_bytes(), product.sip_address())?;
        let mut buffer = [0; 4096];
        let (length, _) = socket.recv_from(&mut buffer).context("no answer to REGISTER")?;
        Ok(Message::parse(&buffer[..length])?)
    };
    let refused = ask(&register(1))?;
    let challenge = refused.headers("WWW-Authenticate").find(|one| one.contains("algorithm=MD5"));
    let challenge = Challenge::parse(challenge.context("no challenge with MD5")?)?;
    let secret = Secret::Password("anna-sip-password");
    let proof = authorize(&challenge, "REGISTER", uri, "101", secret, "cnonce", 1);
    let answer = ask(&register(2).with("Authorization", proof))?;
    ensure!(answer.status() == Some(200), "{answer:?}");
    Ok(local)
}

/// The address in a description, of the line that starts so.
fn address(message: &str, media: &str) -> Result<SocketAddr> {
    let line = |start: &str| message.lines().find_map(|line| line.trim_end().strip_prefix(start));
    let port = line(media).and_then(|rest| rest.split(' ').next()).context("no such line")?.parse()?;
    Ok(SocketAddr::new(line("c=IN IP4 ").context("no c=")?.parse()?, port))
}

fn has(message: &str, attribute: &str) -> bool {
    message.lines().any(|line| line.trim_end().strip_prefix("a=") == Some(attribute))
}

const IMAGE: &str = "m=image ";

#[tokio::test]
async fn a_caller_goes_over_to_t38_and_back_to_sound() -> Result<()> {
    let bye = sipp::BYE.replace("CSeq: 2 BYE", "CSeq: 4 BYE");
    let (fax, audio) = (scenario::caller_offers_fax(2), scenario::caller_offers_audio(3));
    let customer = [sipp::CUE, &fax, sipp::CUE, &audio, sipp::CUE, &bye].concat();
    let (takes, back) = (scenario::agent_takes_fax(), scenario::agent_takes_audio());
    let gateway = [sipp::ANSWER, &takes, &back, sipp::AWAIT_BYE].concat();
    let call = Call::begin(&customer, &gateway).await?;
    call.product.api()?.call_is("talking").await.inspect_err(|_| eprintln!("{}", call.product.log()))?;

    call.from.cue()?;
    let offer = call.described(&call.to, "INVITE ", IMAGE).await?;
    let answer = call.described(&call.from, "SIP/2.0 200", IMAGE).await?;
    assert!(has(&offer, scenario::CALLERS) && has(&offer, "T38FaxUdpEC:t38UDPRedundancy"), "{offer}");
    assert!(has(&answer, scenario::AGENTS) && has(&answer, "T38FaxMaxDatagram:400"), "{answer}");
    call.faxes([address(&answer, IMAGE)?, address(&offer, IMAGE)?])?;

    call.from.cue()?;
    let again = async || {
        let last = call.to.received().into_iter().rfind(|message| message.starts_with("INVITE "));
        last.filter(|last| last.contains("m=audio ") && !last.contains(IMAGE))
    };
    wait::until("the gateway to be asked back to sound", again).await?;
    call.described(&call.from, "SIP/2.0 200", "CSeq: 3 INVITE").await?;
    call.from.cue()?;
    call.ended().await
}

#[tokio::test]
async fn an_employees_gateway_goes_over_to_t38() -> Result<()> {
    let customer = scenario::caller_takes_fax() + sipp::CUE + sipp::BYE;
    let gateway = scenario::agent_answers_and_offers_fax(sipp::ANSWER) + sipp::AWAIT_BYE;
    let call = Call::begin(&customer, &gateway).await?;
    let offer = call.described(&call.from, "INVITE ", IMAGE).await?;
    let answer = call.described(&call.to, "SIP/2.0 200", IMAGE).await?;
    assert!(has(&offer, scenario::AGENTS) && has(&answer, scenario::CALLERS), "{offer}\n{answer}");
    call.faxes([address(&offer, IMAGE)?, address(&answer, IMAGE)?])?;
    call.from.cue()?;
    call.ended().await
}
