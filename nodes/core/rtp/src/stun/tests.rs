//! The sample messages of RFC 5769, and what is none.

use proptest::prelude::*;

use super::*;

const PWD: &str = "VOkJxbRl1RmTxUk/WvJxBt";
/// Section 2.1.
const REQUEST: &[u8] = b"\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
    \x80\x22\x00\x10STUN test client\x00\x24\x00\x04\x6e\x00\x01\xff\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\
    \x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20\
    \x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2\
    \x80\x28\x00\x04\xe5\x7a\x3b\xcf";
/// Section 2.2.
const ANSWER: &[u8] = b"\x01\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
    \x80\x22\x00\x0b\x74\x65\x73\x74\x20\x76\x65\x63\x74\x6f\x72\x20\
    \x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43\
    \x00\x08\x00\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b\xe7\xd7\
    \x80\x28\x00\x04\xc0\x7d\x4c\x96";
/// The mapped addresses of sections 2.2 and 2.3, as attributes.
const MAPPED: [(&str, &[u8]); 2] = [
    ("192.0.2.1:32853", b"\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"),
    (
        "[2001:db8:1234:5678:11:2233:4455:6677]:32853",
        b"\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9",
    ),
];

#[test]
fn the_sample_request_is_read_and_its_proof_is_right() {
    let request = Request::read(REQUEST).unwrap();
    assert_eq!((request.username, request.uses_candidate), ("evtj:h6vY", false));
    assert!(request.is_proven_by(PWD) && !request.is_proven_by("VOkJxbRl1RmTxUk/WvJxBT"));
}

#[test]
fn what_we_end_with_is_what_the_samples_end_with() {
    for sample in [REQUEST, ANSWER] {
        let mut message = sample[..sample.len() - INTEGRITY_LENGTH - FINGERPRINT_LENGTH].to_vec();
        seal(&mut message, PWD);
        assert_eq!(message, sample);
    }
}

#[test]
fn an_answer_says_where_the_request_came_from() {
    let mut out = vec![9; 400];
    for (from, mapped) in MAPPED {
        Request::read(REQUEST).unwrap().answer(from.parse().unwrap(), PWD, &mut out);
        assert_eq!(out[..2], [1, 1]);
        assert_eq!(out[4..HEADER], REQUEST[4..HEADER]);
        assert_eq!(out[HEADER..HEADER + mapped.len()], *mapped);
        assert_eq!(usize::from(u16_at(&out, 2).unwrap()), out.len() - HEADER);
        assert_eq!(has_fingerprint(&out), Some(true));
        assert!(out.len() <= REQUEST.len(), "an answer is no longer than its question");
    }
}

#[test]
fn a_choice_is_read() {
    let mut message = REQUEST[..REQUEST.len() - INTEGRITY_LENGTH - FINGERPRINT_LENGTH].to_vec();
    push(&mut message, USE_CANDIDATE, &[]);
    seal(&mut message, PWD);
    let request = Request::read(&message).unwrap();
    assert!(request.uses_candidate && request.is_proven_by(PWD));
}

#[test]
fn what_lacks_something_is_none() {
    let bare = &REQUEST[..REQUEST.len() - INTEGRITY_LENGTH - FINGERPRINT_LENGTH];
    let mut nameless = bare[..HEADER].to_vec();
    seal(&mut nameless, PWD);
    let (mut other, mut cut) = (REQUEST.to_vec(), REQUEST.to_vec());
    other[30] ^= 1;
    cut.pop();
    for packet in [&nameless[..], bare, &other, &cut, ANSWER, &[], &[0; 20], &[0x80; 200]] {
        assert_eq!(Request::read(packet), None, "{packet:02x?}");
    }
}

#[test]
fn the_first_bytes_tell_it_from_dtls_and_rtp() {
    assert!(is_stun(REQUEST) && is_stun(ANSWER));
    assert!(!is_stun(&[22, 254, 255, 0, 0x21, 0x12, 0xa4, 0x42]) && !is_stun(&[0; 20]) && !is_stun(&[]));
}

proptest! {
    #[test]
    fn nothing_that_comes_makes_us_fall(
        bytes in proptest::collection::vec(any::<u8>(), 0..120),
        at in 0..REQUEST.len(),
        changed in any::<u8>(),
    ) {
        Request::read(&bytes);
        let mut packet = REQUEST.to_vec();
        packet[at] = changed;
        let length = packet.len() - FINGERPRINT_LENGTH;
        let print = (crc32(&packet[..length]) ^ MASK).to_be_bytes();
        packet[length + 4..].copy_from_slice(&print);
        if let Some(request) = Request::read(&packet) {
            let was_changed = packet[..length - INTEGRITY_LENGTH] != REQUEST[..length - INTEGRITY_LENGTH];
            prop_assert!(!was_changed || !request.is_proven_by(PWD));
        }
    }
}
