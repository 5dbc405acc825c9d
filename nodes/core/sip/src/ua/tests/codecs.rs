//! A dialog takes and offers what it was told at its beginning, whoever offers later.

use super::far::{Far, invite, request, source};
use super::pair::{Callee, media};
use crate::sdp::{Codec, Direction, Security, all, g711};
use crate::{Message, Method};

const RICH: &str = "v=0\r\no=- 7 1 IN IP4 203.0.113.9\r\ns=-\r\nc=IN IP4 203.0.113.9\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 111 9 8 101\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n";

/// The formats of a message's audio line.
fn formats(message: &Message) -> String {
    let body = String::from_utf8_lossy(message.body()).into_owned();
    let line = body.lines().find_map(|line| line.strip_prefix("m=audio 20000 RTP/AVP "));
    line.expect("an audio line").to_owned()
}

#[test]
fn answers_and_offers_stay_within_what_was_told() {
    let cases: [(Vec<Codec>, &str, &str); 2] =
        [(g711().to_vec(), "8 101", "8 0 101"), (all(), "111 9 8 101", "111 9 8 0 101 110")];
    for (codecs, answered, offered) in cases {
        let invite = invite().with_body("application/sdp", RICH.into());
        let mut far = Far::taking(&codecs, Security::Off, &invite, source("203.0.113.9:5060"));
        far.act(|leg, ctx| leg.answer(media(Callee), ctx));
        assert_eq!(formats(far.responses.last().unwrap()), answered);
        far.say(&request(&far, Method::ACK, 5));
        let moved = RICH.replace("o=- 7 1", "o=- 7 2").replace("4000", "4002");
        far.say(&request(&far, Method::INVITE, 6).with_body("application/sdp", moved.into()));
        far.act(|leg, ctx| leg.accept_offer(media(Callee), Direction::SendRecv, ctx));
        assert_eq!(formats(far.responses.last().unwrap()), answered);
        far.say(&request(&far, Method::ACK, 6));
        far.act(|leg, ctx| leg.offer(media(Callee), Direction::SendRecv, ctx));
        assert_eq!(formats(far.requests.last().unwrap()), offered);
    }
}
