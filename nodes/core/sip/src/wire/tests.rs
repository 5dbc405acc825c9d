use proptest::collection::vec;
use proptest::prelude::*;
use proptest::string::string_regex;

use super::*;
use crate::message::{Message, Method};

const OPTIONS: &str =
    "OPTIONS sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1, SIP/2.0/TCP i\r\nl: 2\r\n\r\nhi";

fn frames(framer: &mut StreamFramer) -> Vec<String> {
    std::iter::from_fn(|| framer.next())
        .map(|found| match found {
            Ok(Frame::Message(message)) => message.method().to_string(),
            Ok(other) => format!("{other:?}"),
            Err(error) => format!("{:?} lost={}", error.fault, error.framing_lost),
        })
        .collect()
}

#[test]
fn headers_are_unfolded_expanded_and_split() {
    let text = "OPTIONS sip:a@b SIP/2.0\nm: \"a, b\" <sip:x,y@h>;q=1 ,<sip:z@h>\nS:  one\n\t two \nX-Own: a, b\nk:\nl:0\n\n";
    let message = Message::parse(text.as_bytes()).unwrap();
    let headers: Vec<_> = message.headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        headers,
        [
            "Contact=\"a, b\" <sip:x,y@h>;q=1",
            "Contact=<sip:z@h>",
            "Subject=one two",
            "X-Own=a, b",
            "Supported="
        ]
    );
}

#[test]
fn the_call_id_of_what_we_wrote_is_found_without_reading_it() {
    let message =
        Message::request(Method::BYE, "sip:a@b").with("From", "<sip:a@b>").with("Call-ID", "one@two");
    assert_eq!(call_id_of(&message.to_bytes()), Some("one@two"));
    assert_eq!(call_id_of(b"BYE sip:a@b SIP/2.0\r\nVia: x\r\n\r\n"), None);
}

#[test]
fn the_body_is_as_long_as_content_length_says() {
    let longer = format!("{OPTIONS} and more");
    assert_eq!(Message::parse(longer.as_bytes()).unwrap().body, b"hi");
    let without = OPTIONS.replace("l: 2\r\n", "");
    assert_eq!(Message::parse(format!("{without} and more").as_bytes()).unwrap().body, b"hi and more");
}

#[test]
fn faults_are_named_and_answered() {
    let good = "OPTIONS sip:a@b SIP/2.0";
    for (start, header, fault, status) in [
        (good, "l: 3", Fault::Truncated, Some(400)),
        (good, "l: -2", Fault::ContentLength, Some(400)),
        (good, "l: 99999999999999999999", Fault::ContentLength, Some(400)),
        (good, "l: 2\r\nContent-Length: 2", Fault::ContentLengthTwice, Some(400)),
        (good, "l 2", Fault::HeaderLine, Some(400)),
        (good, "X X: 2", Fault::HeaderLine, Some(400)),
        (good, ": 2", Fault::HeaderLine, Some(400)),
        ("OPTIONS sip:a@b SIP/7.0", "l: 2", Fault::Version, Some(505)),
        ("OPTIONS sip:a@b HTTP/1.1", "l: 2", Fault::StartLine, Some(400)),
        ("OPTIONS  sip:a@b  SIP/2.0", "l: 2", Fault::StartLine, Some(400)),
        ("OPTIONS SIP/2.0", "l: 2", Fault::StartLine, Some(400)),
        ("OPT<IONS sip:a@b SIP/2.0", "l: 2", Fault::StartLine, Some(400)),
        ("ACK sip:a@b SIP/7.0", "l: 2", Fault::Version, None),
        ("SIP/2.0 99 Low", "l: 2", Fault::Status, None),
        ("SIP/2.0 0200 OK", "l: 2", Fault::Status, None),
        ("SIP/3.0 200 OK", "l: 2", Fault::Version, None),
    ] {
        let text = format!("{start}\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\n{header}\r\n\r\nhi");
        let error = Message::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error.fault, fault, "{text}");
        assert_eq!(error.answer().and_then(|answer| answer.status()), status, "{text}");
    }
}

#[test]
fn what_names_no_via_is_met_with_silence() {
    assert_eq!(Message::parse(b"OPTIONS sip:a@b SIP/7.0\r\n\r\n").unwrap_err().answer(), None);
    assert_eq!(Message::parse(b"").unwrap_err().answer(), None);
}

#[test]
fn bytes_that_are_no_utf_8_cost_only_themselves() {
    let message = Message::parse(b"OPTIONS sip:a@b SIP/2.0\r\nSubject: \xff\xfe!\r\n\r\n\xff").unwrap();
    assert_eq!((message.header("Subject"), message.body()), (Some("\u{fffd}\u{fffd}!"), &b"\xff"[..]));
}

#[test]
fn messages_and_keep_alives_alternate() {
    let mut framer = StreamFramer::new();
    framer.push(format!("\r\n\r\n{OPTIONS}{OPTIONS}\r\n").as_bytes());
    assert_eq!(frames(&mut framer), ["Ping", "OPTIONS", "OPTIONS", "Pong"]);
    framer.push(b"\r\n");
    assert_eq!(frames(&mut framer), ["Ping"], "a ping may come in two pieces");
    framer.push(b"\r");
    assert_eq!(frames(&mut framer), [""; 0]);
    framer.push(b"\n");
    assert_eq!(frames(&mut framer), ["Pong"]);
    assert!(!framer.is_partial());
}

#[test]
fn a_malformed_message_costs_only_itself_while_framing_holds() {
    let mut framer = StreamFramer::new();
    framer.push(format!("{}{OPTIONS}", OPTIONS.replace("SIP/2.0\r\n", "SIP/9.0\r\n")).as_bytes());
    assert_eq!(frames(&mut framer), ["Version lost=false", "OPTIONS"]);
    framer.push(format!("{}{OPTIONS}", OPTIONS.replace("l: 2", "l: x")).as_bytes());
    assert_eq!(frames(&mut framer), ["ContentLength lost=true"]);
    framer.push(OPTIONS.as_bytes());
    assert_eq!(frames(&mut framer), [""; 0]);
}

#[test]
fn what_is_too_long_is_refused_before_it_is_kept() {
    let mut framer = StreamFramer::new();
    framer.push(OPTIONS.replace("l: 2", &format!("l: {}", BODY_LIMIT + 1)).as_bytes());
    assert_eq!(frames(&mut framer), ["TooLong lost=true"]);
    let mut framer = StreamFramer::new();
    framer.push(&vec![b'a'; HEAD_LIMIT]);
    assert_eq!(frames(&mut framer), [""; 0]);
    framer.push(b"aaa");
    assert_eq!(frames(&mut framer), ["TooLong lost=true"]);
}

/// Lines that are nearly headers.
fn lines() -> impl Strategy<Value = String> {
    let name = "(Via|v|Contact|To|From|CSeq|Content-Length|l|X-[a-z]{1,3}|[ -~]{0,4})";
    let line = string_regex(&format!("{name}[ \t]{{0,2}}:?[ -~а-я]{{0,20}}(\r\n [ -~]{{0,5}})?")).unwrap();
    let start =
        "(INVITE|OPTIONS|ACK|[!-~]{1,5}) ?(sip:)?[!-~]{0,8} SIP/[0-9].0|SIP/2.0 [0-9]{2,4} [ -~]{0,6}";
    (start, vec(line, 0..8))
        .prop_map(|(start, lines)| format!("{start}\r\n{}\r\n\r\nbody", lines.join("\r\n")))
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..400)) {
        if let Err(error) = Message::parse(&bytes) {
            let _ = error.answer().map(|answer| answer.to_bytes());
        }
    }

    #[test]
    fn writing_what_was_read_reads_the_same(text in lines()) {
        if let Ok(message) = Message::parse(text.as_bytes()) {
            prop_assert_eq!(Message::parse(&message.to_bytes()), Ok(message));
        }
    }

    #[test]
    fn nearly_messages_never_panic_further_up(text in lines()) {
        if let Ok(message) = Message::parse(text.as_bytes()) {
            let _ = crate::screen::screen(&message, &crate::screen::Screen::default());
            let _ = (message.cseq(), message.top_via(), message.contact(), message.from_tag(), message.method());
        }
    }

    #[test]
    fn a_stream_reads_the_same_in_any_pieces(text in lines(), cut in 0usize..200) {
        let text = format!("{}{OPTIONS}", text.replace("\r\n\r\nbody", "\r\nl: 4\r\n\r\nbody"));
        let mut whole = StreamFramer::new();
        whole.push(text.as_bytes());
        let mut cut_up = StreamFramer::new();
        let cut = cut.min(text.len());
        let mut found = Vec::new();
        for piece in [&text.as_bytes()[..cut], &text.as_bytes()[cut..]] {
            cut_up.push(piece);
            found.extend(frames(&mut cut_up));
        }
        prop_assert_eq!(found, frames(&mut whole));
    }

    #[test]
    fn any_method_is_written_back(method in "[A-Za-z%!]{1,12}") {
        let read = Method::read(&method);
        prop_assert_eq!(read.as_str(), method);
    }
}
