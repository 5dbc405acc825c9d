use super::*;
use crate::Start;

fn request(method: Method) -> Message {
    let cseq = format!("1 {method}");
    Message::request(method, "sip:bob@example.com")
        .with("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1")
        .with("From", "<sip:alice@example.com>;tag=1")
        .with("To", "<sip:bob@example.com>")
        .with("Call-ID", "c1")
        .with("CSeq", cseq)
}

fn status(message: &Message) -> u16 {
    match screen(message, &Screen::default()) {
        Verdict::Pass => 200,
        Verdict::Drop => 0,
        Verdict::Answer { status, .. } => status,
    }
}

#[test]
fn each_check_has_its_status() {
    let invite = || request(Method::INVITE);
    for (message, expected) in [
        (invite(), 200),
        (request(Method::SUBSCRIBE), 405),
        (request(Method::read("PING")), 501),
        (Message { start: Start::Request { method: Method::INVITE, uri: "urn:x".into() }, ..invite() }, 416),
        (invite().with("Require", "100rel"), 200),
        (invite().with("Require", "replaces"), 200),
        (invite().with("Require", "gruu"), 420),
        (invite().with_body("text/plain", b"x".to_vec()), 415),
        (
            invite()
                .with_body("text/plain", b"x".to_vec())
                .with("Content-Disposition", "x;handling=optional"),
            200,
        ),
        (invite().with_body("Application/SDP", b"x".to_vec()), 200),
        (invite().with_body("application/sdp", b"x".to_vec()).with("Content-Encoding", "gzip"), 415),
        (invite().with("Accept", "text/plain"), 406),
        (invite().with("Accept", "application/*;q=0.5"), 200),
        (invite().with("Max-Forwards", "0"), 483),
        (invite().with("Max-Forwards", "256"), 400),
        (invite().with("To", "<sip:other@example.com>"), 400),
        (invite().with("Contact", "*"), 400),
        (request(Method::REGISTER).with("Contact", "*"), 200),
        (Message { headers: Vec::new(), ..invite() }, 400),
        (Message { headers: Vec::new(), ..request(Method::ACK) }, 0),
        (request(Method::ACK).with("Require", "gruu"), 200),
        (request(Method::CANCEL).with("Require", "gruu"), 200),
    ] {
        assert_eq!(status(&message), expected, "{message:?}");
    }
}

#[test]
fn a_refusal_says_what_is_offered() {
    let message =
        request(Method::INVITE).with("Require", "gruu").with("Require", "timer").with("Require", "x");
    let verdict = screen(&message, &Screen::default());
    let answer = verdict.answer(&message, "t").unwrap();
    assert_eq!(
        (answer.status(), answer.header("Unsupported"), answer.to_tag()),
        (Some(420), Some("gruu, x"), Some("t"))
    );
    let answer = screen(&request(Method::PUBLISH), &Screen::default()).answer(&message, "t").unwrap();
    assert!(answer.has_token("Allow", Screen::default().allow().as_str()));
}

#[test]
fn responses_for_others_are_dropped() {
    let response = |vias: usize| {
        let mut response = Message::reply_to(&request(Method::INVITE), 200);
        (1..vias).for_each(|_| response.push("Via", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK2"));
        response
    };
    assert_eq!(form(&response(1)), Verdict::Pass);
    assert_eq!(form(&response(2)), Verdict::Drop);
    let mut without_cseq = response(1);
    without_cseq.remove("CSeq");
    assert_eq!(form(&without_cseq), Verdict::Drop);
}
