use super::*;
use crate::{Source, Transport};

fn options(via: &str) -> Message {
    Message::request(Method::OPTIONS, "sip:a@example.com").with("Via", via).with("CSeq", "7 OPTIONS")
}

fn source(remote: &str) -> Source {
    Source {
        transport: Transport::Udp,
        remote: remote.parse().unwrap(),
        local: "192.0.2.1:5060".parse().unwrap(),
        flow: None,
    }
}

#[test]
fn the_source_is_noted_where_it_differs_or_is_asked_for() {
    for (via, noted) in [
        ("SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1"),
        (
            "SIP/2.0/UDP pc.example.com;branch=z9hG4bK1",
            "SIP/2.0/UDP pc.example.com;branch=z9hG4bK1;received=192.0.2.9",
        ),
        (
            "SIP/2.0/UDP 192.0.2.9;rport;branch=z9hG4bK1",
            "SIP/2.0/UDP 192.0.2.9;rport=4000;branch=z9hG4bK1;received=192.0.2.9",
        ),
        ("SIP/2.0/UDP 10.0.0.1;received=1.2.3.4", "SIP/2.0/UDP 10.0.0.1;received=192.0.2.9"),
    ] {
        let mut message = options(via);
        message.note_source(&source("192.0.2.9:4000"));
        assert_eq!(message.header("Via"), Some(noted));
    }
}

#[test]
fn responses_go_where_via_says() {
    for (via, address) in [
        ("SIP/2.0/UDP 10.0.0.1;rport", "192.0.2.9:4000"),
        ("SIP/2.0/UDP 10.0.0.1", "192.0.2.9:5060"),
        ("SIP/2.0/UDP 10.0.0.1:7000", "192.0.2.9:7000"),
        ("SIP/2.0/UDP 10.0.0.1:7000;maddr=239.255.255.1", "192.0.2.9:7000"),
    ] {
        let destination = options(via).response_destination(&source("192.0.2.9:4000"));
        assert_eq!(destination.address.to_string(), address, "{via}");
    }
}

#[test]
fn of_a_websocket_nothing_is_noted_unasked_and_responses_go_back_over_it() {
    for (transport, via, noted) in [
        (Transport::Ws, "SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK1", None),
        (Transport::Wss, "SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK1", None),
        (
            Transport::Ws,
            "SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK1;rport",
            Some("SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK1;rport=4000;received=192.0.2.9"),
        ),
    ] {
        let from = Source { transport, flow: Some("f1".into()), ..source("192.0.2.9:4000") };
        let mut message = options(via);
        message.note_source(&from);
        assert_eq!(message.header("Via"), Some(noted.unwrap_or(via)));
        assert_eq!(message.response_destination(&from), from.destination());
    }
}

#[test]
fn via_is_read_with_its_white_space() {
    let via =
        Via::parse("SIP  / 2.0  / TCP     spindle.example.com : 5070  ; branch  =   z9hG4bK9ikj8 ").unwrap();
    assert_eq!(via.to_string(), "SIP/2.0/TCP spindle.example.com:5070;branch=z9hG4bK9ikj8");
    assert!(via.has_magic_branch());
}

#[test]
fn received_is_read_with_and_without_brackets() {
    for text in
        ["SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255]", "SIP/2.0/UDP h;received=2001:db8::9:255"]
    {
        assert_eq!(Via::parse(text).unwrap().received(), "2001:db8::9:255".parse().ok());
    }
}

#[test]
fn malformed_vias_are_refused() {
    for text in ["", "SIP/2.0/UDP", "SIP/2.0/UDP 192.0.2.15;;", "SIP/3.0/UDP h", "SIP/2.0/UDP h;rport=x", ";"]
    {
        assert!(Via::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_value_cannot_add_a_header() {
    let message = options("SIP/2.0/UDP h").with("Subject", "a\r\nX-Evil: b");
    assert_eq!(message.header("Subject"), Some("a  X-Evil: b"));
    assert_eq!(Message::parse(&message.to_bytes()).unwrap(), message);
}

#[test]
fn headers_are_set_at_the_place_of_the_first() {
    let mut message =
        options("SIP/2.0/UDP h").with("Contact", "<sip:a>").with("X-One", "1").with("Contact", "<sip:b>");
    message.set("Contact", "<sip:c>");
    let names: Vec<_> = message.headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(names[2..], ["Contact=<sip:c>", "X-One=1"]);
    assert_eq!(message.header("m"), Some("<sip:c>"));
}

#[test]
fn a_reply_copies_what_it_must() {
    let request = options("SIP/2.0/UDP a")
        .with("Via", "SIP/2.0/UDP b")
        .with("To", "<sip:a@b>")
        .with("Record-Route", "<sip:p;lr>");
    let mut reply = Message::reply_to(&request, 404);
    reply.set_to_tag("x");
    reply.set_to_tag("y");
    assert_eq!(reply.headers("Via").count(), 2);
    assert_eq!(reply.header("To"), Some("<sip:a@b>;tag=x"));
    assert_eq!(
        (reply.header("Record-Route"), reply.reason(), reply.method()),
        (None, "Not Found", Method::OPTIONS)
    );
}

#[test]
fn numbers_and_parameters_of_headers_are_found() {
    let message = options("SIP/2.0/UDP a")
        .with("Session-Expires", "1800 ;refresher = uac")
        .with("Reason", "Q.850;text=\"x\"");
    assert_eq!(
        (message.u32_of("x"), message.param_of("Session-Expires", "refresher")),
        (Some(1800), Some("uac"))
    );
    assert_eq!((message.param_of("Reason", "text"), message.u32_of("Reason")), (Some("x"), None));
}

#[test]
fn cseq_is_a_number_and_a_method() {
    for (text, read) in [
        ("4294967295 BYE", Ok((u32::MAX, Method::BYE))),
        ("0009   INVITE", Ok((9, Method::INVITE))),
        ("1 invite", Ok((1, Method::Other("invite".to_owned())))),
        ("4294967296 BYE", Err(Error::CSeq)),
        ("36893488147419103232 REGISTER", Err(Error::CSeq)),
        ("+1 BYE", Err(Error::CSeq)),
        ("1", Err(Error::CSeq)),
        ("1 BYE BYE", Err(Error::CSeq)),
    ] {
        let message = Message::request(Method::BYE, "sip:a").with("CSeq", text);
        assert_eq!(message.cseq(), read, "{text}");
    }
}
