//! Payload types: what is sent under which number, what is expected under which, and that ours stay.

use std::collections::BTreeMap;

use super::far_ends::{line, some, words};
use super::*;

/// Our offer of everything.
fn offer(session: &mut Session) -> String {
    text(session.offer(local(20_000), &all(), Direction::SendRecv))
}

/// Takes an offer and answers it.
fn take(session: &mut Session, media: &str) -> String {
    session.receive_offer(&sdp(media), &all()).unwrap();
    text(session.answer(local(20_000), &all(), Direction::SendRecv).unwrap())
}

/// A far end with numbers of its own for everything.
const OWN: &str = "m=audio 4000 RTP/AVP 96 97 8 102 103\r\na=rtpmap:96 opus/48000/2\r\n\
    a=rtpmap:97 PCMU/8000\r\na=rtpmap:102 telephone-event/8000\r\na=rtpmap:103 telephone-event/48000\r\n";

#[test]
fn an_answer_that_renumbers_is_sent_its_numbers_and_expected_under_ours() {
    let mut session = Session::new(1);
    assert_eq!(line(&offer(&mut session)), "8 0 9 111 18 13 101 110");
    let audio = session.receive_answer(&sdp(OWN)).unwrap();
    assert_eq!(words(&audio), "opus=96/111 PCMU=97/0 PCMA=8 event8=102/101 event48=103/110");
    assert_eq!(audio.telephone_event, Some(102));
    assert_eq!(line(&offer(&mut session)), "111 0 8 101 110", "ours stay, and nothing is new");
    session.withdraw();
    session.receive_offer(&sdp(OWN), &all()).unwrap();
    assert!(!session.offer_differs());
    let answer = session.answer(local(20_000), &all(), Direction::SendRecv).unwrap();
    assert_eq!(line(&text(answer)), "96 97 8 102 103", "an answer has the offer's numbers");
    assert_eq!(words(session.agreed().unwrap()), "opus=96 PCMU=97 PCMA=8 event8=102 event48=103");
}

#[test]
fn the_two_laws_alone_are_kept_as_earlier_builds_keep_them() {
    let mut session = Session::new(1);
    session.offer(local(20_000), &g711(), Direction::SendRecv);
    let audio = session.receive_answer(&sdp(OWN)).unwrap();
    assert_eq!(words(&audio), "PCMU=97 PCMA=8 event8=101");
    let stored = serde_json::to_string(&session).unwrap();
    assert!(!stored.contains("\"ours\"") && !stored.contains("\"events\""), "{stored}");
    let again = text(session.offer(local(20_000), &g711(), Direction::SendRecv));
    assert_eq!(line(&again), "97 8 101");
}

#[test]
fn what_was_not_offered_is_no_part_of_an_answer() {
    let mut session = Session::new(1);
    let mut codecs = all();
    codecs.retain(|codec| ["opus", "PCMA"].contains(&codec.name.as_str()));
    session.offer(local(20_000), &codecs, Direction::SendRecv);
    let answer = "m=audio 4000 RTP/AVP 9 8 13 101\r\na=rtpmap:101 telephone-event/8000\r\n";
    assert_eq!(words(&session.receive_answer(&sdp(answer)).unwrap()), "PCMA=8 event8=101");
    session.offer(local(20_000), &all(), Direction::SendRecv);
    let answer = "m=audio 4000 RTP/AVP 8 97\r\na=rtpmap:97 CN/8000\r\n";
    assert_eq!(words(&session.receive_answer(&sdp(answer)).unwrap()), "PCMA=8", "its noise is not ours");
}

#[test]
fn a_number_that_the_far_end_uses_is_given_to_nothing_else() {
    let mut session = Session::new(1);
    take(&mut session, "m=audio 4000 RTP/AVP 8 0\r\na=rtpmap:0 opus/48000/2\r\n");
    let ours = offer(&mut session);
    assert_eq!(line(&ours), "8 0 96 101 110");
    assert!(ours.contains("a=rtpmap:96 PCMU/8000\r\n"), "{ours}");
    session.withdraw();
    take(&mut session, "m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n");
    assert_eq!(line(&offer(&mut session)), "8 96 101", "0 was opus and 96 is PCMU");
}

#[test]
fn a_static_number_may_be_taken_by_another_encoding() {
    let mut session = Session::new(1);
    let answer = take(&mut session, "m=audio 4000 RTP/AVP 9 8\r\na=rtpmap:9 opus/48000/2\r\n");
    assert_eq!(line(&answer), "9 8");
    assert_eq!(line(&offer(&mut session)), "9 8 0 101 110");
}

#[test]
fn an_answer_that_takes_a_static_number_for_what_it_is_elsewhere_is_refused() {
    let mut session = Session::new(1);
    take(&mut session, "m=audio 4000 RTP/AVP 8\r\na=rtpmap:8 opus/48000/2\r\n");
    let mut codecs = all();
    codecs.retain(|codec| codec.name == "opus");
    let offer = text(session.offer(local(20_000), &codecs, Direction::SendRecv));
    assert!(offer.contains("a=rtpmap:8 opus/48000/2\r\n"), "{offer}");
    let refused = session.receive_answer(&sdp("m=audio 4000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"));
    assert_eq!(refused, Err(Error::NoCommonAudio));
}

/// What one side does next.
#[derive(Debug, Clone)]
enum Turn {
    /// We offer these, and the far end takes what it likes of them.
    Ours(Vec<Codec>, Vec<Codec>),
    /// The far end offers encodings by number.
    Theirs(BTreeMap<u8, usize>),
}

const ENCODINGS: [&str; 8] = [
    "PCMA/8000",
    "PCMU/8000",
    "G722/8000",
    "opus/48000/2",
    "G729/8000",
    "CN/8000",
    "telephone-event/8000",
    "telephone-event/48000",
];

fn turn() -> impl Strategy<Value = Turn> {
    let numbers = prop_oneof![96..112u8, prop::sample::select(vec![0u8, 8, 9, 13, 18, 101, 110, 111])];
    prop_oneof![
        (some(), some()).prop_map(|(ours, theirs)| Turn::Ours(ours, theirs)),
        prop::collection::btree_map(numbers, 0..ENCODINGS.len(), 1..6).prop_map(Turn::Theirs),
    ]
}

fn offer_of(listed: &BTreeMap<u8, usize>) -> Vec<u8> {
    let numbers: String = listed.keys().map(|number| format!(" {number}")).collect();
    let map = |(number, encoding): (&u8, &usize)| format!("a=rtpmap:{number} {}\r\n", ENCODINGS[*encoding]);
    let maps: String = listed.iter().map(map).collect();
    sdp(&format!("m=audio 4000 RTP/AVP{numbers}\r\n{maps}"))
}

/// The encodings of a description by number. Panics where one number stands for two.
fn mapped(description: &str) -> BTreeMap<u8, String> {
    let mut mapped = BTreeMap::new();
    for told in description.lines().filter_map(|line| line.strip_prefix("a=rtpmap:")) {
        let (number, encoding) = told.split_once(' ').unwrap();
        let before = mapped.insert(number.parse().unwrap(), encoding.to_owned());
        assert_eq!(before, None, "{description}");
    }
    mapped
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_number_of_our_offers_never_stood_for_something_else(turns in prop::collection::vec(turn(), 1..10)) {
        let mut session = Session::new(1);
        // What our descriptions said last of each number.
        let mut said: BTreeMap<u8, String> = BTreeMap::new();
        for turn in turns {
            match turn {
                Turn::Ours(codecs, theirs) => {
                    let offer = session.offer(local(20_000), &codecs, Direction::SendRecv);
                    for (number, encoding) in mapped(&text(offer.clone())) {
                        let before = said.insert(number, encoding.clone());
                        prop_assert!(before.is_none_or(|before| before == encoding), "{} is {}", number, encoding);
                    }
                    let mut far_end = Session::new(2);
                    if far_end.receive_offer(&offer, &theirs).is_ok() {
                        let answer = far_end.answer(local(4_000), &theirs, Direction::SendRecv).unwrap();
                        if let Err(why) = session.receive_answer(&answer) {
                            // Who speaks G.711 alone does not hear that a number of its own stands for two channels.
                            let is_g711 = theirs.iter().all(|codec| ["PCMA", "PCMU"].contains(&codec.name.as_str()));
                            prop_assert!(is_g711, "{:?}", why);
                            session.withdraw();
                        }
                    } else {
                        session.withdraw();
                    }
                }
                Turn::Theirs(listed) => {
                    if session.receive_offer(&offer_of(&listed), &all()).is_ok() {
                        let answer = session.answer(local(20_000), &all(), Direction::SendRecv).unwrap();
                        said.extend(mapped(&text(answer)));
                    }
                }
            }
        }
    }
}
