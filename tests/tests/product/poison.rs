//! Messages that should break a parser, a rule or a worker: no more than the call they are of may end, and nothing panics.

use std::{
    io::Write,
    net::{TcpStream, UdpSocket},
    time::Duration,
};

use anyhow::Result;
use mangrove_tests::{
    people::ANNA,
    product::Product,
    sipp::{self, Sipp},
    sound::Sound,
    wait,
};

/// Heads that every request needs, for what is wrong elsewhere.
fn request(method: &str, target: &str, more: &str, body: &str) -> String {
    format!(
        "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{}\r\nMax-Forwards: 70\r\n\
         From: <sip:79990000000@127.0.0.1>;tag=1\r\nTo: <{target}>\r\nCall-ID: {}@poison\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:79990000000@127.0.0.1:9>\r\n{more}Content-Length: {}\r\n\r\n{body}",
        more.len() + body.len(),
        more.len() * 31 + body.len() + method.len(),
        body.len()
    )
}

fn sdp(media: &str) -> String {
    format!("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n{media}")
}

/// What is sent, all of it from the carrier's own address, which is believed.
fn poison() -> Vec<Vec<u8>> {
    let called = "sip:74951234567@127.0.0.1";
    let with_sdp = |media: &str| request("INVITE", called, "Content-Type: application/sdp\r\n", &sdp(media));
    let media = [
        "m=audio 0 RTP/AVP 8\r\n",
        "m=audio 99999999999 RTP/AVP 8\r\n",
        "m=audio 9 RTP/AVP\r\n",
        "m=audio 9/0 RTP/AVP 8\r\na=rtpmap:8 PCMA/0\r\n",
        "m=audio 9 RTP/AVP 999 -1 8\r\na=rtpmap:999 \u{fffd}/8000\r\na=fmtp:8 \r\na=ptime:0\r\n",
        "m=video 9 RTP/AVP 8\r\nm=audio 9 RTP/SAVPF 8\r\nm=\r\n",
        "m=audio 9 RTP/AVP 8\r\nc=IN IP4 999.1.1.1\r\n",
        "m=audio 9 RTP/AVP 8\r\nc=IN IP6 ::1\r\na=sendonly\r\na=recvonly\r\n",
    ];
    let heads = [
        "Require: 100rel,timer,poison\r\n",
        "Session-Expires: 0;refresher=nobody\r\nMin-SE: 99999999999\r\n",
        "Replaces: none;to-tag=;from-tag=\r\n",
        "Route: <sip:;lr>,<sip:[::1]:99999;lr>\r\n",
        "Record-Route: <<<>>>\r\n",
        "P-Asserted-Identity: \"\u{202e}\u{0}\" <tel:+;phone-context=..>\r\n",
        "Expires: -1\r\nRetry-After: 99999999999999999999 (x)\r\n",
    ];
    let methods = [
        "BYE",
        "CANCEL",
        "ACK",
        "PRACK",
        "UPDATE",
        "REFER",
        "NOTIFY",
        "INFO",
        "SUBSCRIBE",
        "PUBLISH",
        "MESSAGE",
        "\u{1f34b}",
    ];
    let mut all: Vec<String> = media.map(with_sdp).into();
    all.extend(heads.map(|head| request("INVITE", called, head, "")));
    all.extend(methods.map(|method| request(method, called, "", "")));
    all.extend(
        ["sip:", "sip:@", "sip:a@b:0", "tel:", "sip:%00%ff@127.0.0.1", &"sip:".repeat(2_000)]
            .map(|target| request("INVITE", target, "", "")),
    );
    all.push(request("INVITE", called, "Content-Length: 99999999\r\n", "x"));
    all.push(request("INVITE", called, &"X: y\r\n".repeat(5_000), ""));
    all.push("SIP/2.0 200 OK\r\nVia: x\r\nCSeq: 99999999999 INVITE\r\n\r\n".into());
    all.push("SIP/2.0 999999 \r\n\r\n".into());
    let whole = with_sdp("m=audio 9 RTP/AVP 8\r\n").into_bytes();
    let mut bytes: Vec<Vec<u8>> = all.into_iter().map(String::into_bytes).collect();
    // Cut anywhere, and with a byte changed anywhere.
    bytes.extend((0..whole.len()).step_by(7).map(|at| whole[..at].to_vec()));
    bytes.extend((0..whole.len()).step_by(5).map(|at| {
        let mut changed = whole.clone();
        changed[at] ^= 0x80;
        changed
    }));
    bytes
}

/// Row 37, from outside.
#[tokio::test(flavor = "multi_thread")]
async fn poison_ends_no_call_but_its_own() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let anna = ANNA.phone(&product).await?;
    ANNA.available(&product).await?;
    let sound = Sound::start(440.0)?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    sound.hears(ANNA.hertz).await?;

    let carrier = UdpSocket::bind("127.0.0.1:0")?;
    for message in poison() {
        // Longer than a datagram may be: over the connection only.
        let _ = carrier.send_to(&message, product.sip_address());
        let mut connection = TcpStream::connect(product.sip_address())?;
        // It may be cut off by the product, as it should.
        let _ = connection.write_all(&message);
    }
    sound.forget();
    sound.hears(ANNA.hertz).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    anna.hears(440.0).await?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;
    let answered = wait::until("the record of the talk", async || {
        let records = api.get("/cdrs?limit=500").await.ok()?["items"].as_array()?.clone();
        records.into_iter().find(|record| !record["caller"].to_string().contains("7999"))
    });
    let record = answered.await?;
    assert_eq!((&record["outcome"], &record["ended_by"]), (&"answered".into(), &"caller".into()), "{record}");
    let log = product.log();
    assert!(!log.contains("panicked"), "{log}");
    let metrics = api.text("/metrics").await?;
    let poisoned = metrics.lines().find(|line| line.starts_with("mangrove_commands_poisoned_total"));
    assert!(poisoned.is_none_or(|line| line.ends_with(" 0")), "{poisoned:?}");
    Ok(())
}
