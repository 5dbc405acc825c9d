//! The vectors of the standards, and two ends over a network that loses, doubles, delays and forges.

use proptest::prelude::*;

use super::{
    cipher::{Cipher, Galois, Place},
    derive::{Kind, Master, Part, apply, counter_mode},
    *,
};
use crate::header;

/// Of RFC 3711 appendix B.3.
const MASTER: &str = "e1f97a0d3e018be0d64fa32c06de4139";
const MASTER_SALT: &str = "0ec675ad498afeebb6960b3aabe6";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] << 4) | pair[1]).collect()
}

/// Master key and salt for a suite: as many bytes as it takes of a row.
fn key(suite: Suite, first: u8) -> Vec<u8> {
    (0..suite.key_length() as u8).map(|byte| byte.wrapping_mul(7).wrapping_add(first)).collect()
}

fn ends(suite: Suite) -> (Sender, Receiver) {
    let key = key(suite, 1);
    (Sender::new(suite, &key).unwrap(), Receiver::new(suite, &key).unwrap())
}

fn packet(sequence: u16, ssrc: u32) -> Vec<u8> {
    let mut packet = vec![sequence as u8; header::LENGTH + 160];
    header::write(&mut packet, 8, false, sequence, u32::from(sequence) * 160, ssrc);
    packet
}

fn sealed(sender: &mut Sender, sequence: u16, ssrc: u32) -> Vec<u8> {
    let mut packet = packet(sequence, ssrc);
    assert!(sender.protect(&mut packet), "{sequence}");
    packet
}

fn opened(receiver: &mut Receiver, packet: &[u8]) -> Option<Vec<u8>> {
    let mut packet = packet.to_vec();
    let length = receiver.unprotect(&mut packet)?;
    packet.truncate(length);
    Some(packet)
}

#[test]
fn counter_mode_is_as_in_rfc_3711_b_2() {
    let key = counter_mode(&bytes("2b7e151628aed2a6abf7158809cf4f3c")).unwrap();
    let iv = bytes("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000").try_into().unwrap();
    let mut stream = [0; 48];
    apply(&key, iv, &mut stream).unwrap();
    let expected = "e03ead0935c95e80e166b16dd92b4eb4 d23513162b02d0f72a43a2fe4a5f97ab \
        41e95b3bb0a2e8dd477901e4fca894c0";
    assert_eq!(stream.to_vec(), bytes(expected));
}

#[test]
fn session_keys_are_as_in_rfc_3711_b_3() {
    let master = Master::new(&bytes(MASTER), &bytes(MASTER_SALT)).unwrap();
    for (part, expected) in [
        (Part::Encryption, "c61e7a93744f39ee10734afe3ff7a087"),
        (Part::Salt, "30cbbc08863d8c85d49db34a9ae1"),
        (
            Part::Authentication,
            "cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbcee049646c43d9327ad175578ef722\
             70986371c10c9a369ac2f94a8c5fbcdddc256d6e919a48b610ef17c2041e474035766b68642c59bbfc2f34db60dbdfb2",
        ),
    ] {
        let expected = bytes(expected);
        let mut key = vec![0; expected.len()];
        master.derive(Kind::Rtp, part, &mut key).unwrap();
        assert_eq!(key, expected, "{part:?}");
    }
}

#[test]
fn galois_counter_mode_is_as_in_rfc_7714_16() {
    let plain = [bytes("8040f17b8041f8d35501a0b2"), b"Gallia est omnis divisa in partes tres".to_vec()];
    let salt = bytes("517569642070726f2071756f").try_into().unwrap();
    let place = Place { ssrc: 0x5501_a0b2, index: 0xf17b };
    for (length, expected) in [
        (
            16,
            "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833\
             899d7f27beb16a9152cf765ee4390cce",
        ),
        (
            32,
            "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b\
             7aa3db36dfffd6b0f9bb7878d7a76c13",
        ),
    ] {
        let session_key: Vec<u8> = (0..length).collect();
        let cipher = Cipher::Galois(Box::new(Galois::with_session_key(&session_key, salt).unwrap()));
        let mut packet = plain.concat();
        cipher.seal_rtp(&mut packet, 12, place).unwrap();
        assert_eq!(packet, [plain[0].clone(), bytes(expected)].concat());
        let opened = cipher.open_rtp(&mut packet, 12, place, &mut Vec::new());
        assert_eq!(opened, Some(50));
        assert_eq!(packet[..50], plain.concat());
    }
}

/// Whole packets, as other implementations have them in their tests.
#[test]
fn whole_packets_are_as_others_make_them() {
    let counter = [bytes(MASTER), bytes(MASTER_SALT)].concat();
    let galois: Vec<u8> = (0..16).chain(0xa0..0xac).collect();
    let wide: Vec<u8> = (0..32).chain(0xa0..0xac).collect();
    for (suite, key, rtp, rtcp) in [
        (
            Suite::Cm80,
            counter,
            "4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb",
            "7128035be487b9bdbef89041f977a5a8 80000001 993e08cd54d6c1230798",
        ),
        (
            Suite::Gcm128,
            galois,
            "c5002ede04cfdd2eb91159e0880aa06e d2976826f796b201df3131a127e8a392",
            "c98b8b5df0392a55852b6c21ac8e7025 c52c6fbea2b3b446ea31123ba88ce61e 80000001",
        ),
        (
            Suite::Gcm256,
            wide,
            "0af7f21e8a90bdad7a425c9c31ed4bb1 d90238917e7390a2793500e1681acaea",
            "8abfafa780070a90e80f9161cf4aac08 1ed93aaa53c15b0f3ed1a3b984167b03 80000001",
        ),
    ] {
        let (mut sender, mut receiver) =
            (Sender::new(suite, &key).unwrap(), Receiver::new(suite, &key).unwrap());
        let said = [bytes("800f1234decafbadcafebabe"), vec![0xab; 16]];
        let mut packet = said.concat();
        assert!(sender.protect(&mut packet));
        assert_eq!(packet, [said[0].clone(), bytes(rtp)].concat(), "{suite:?}");
        assert_eq!(opened(&mut receiver, &packet), Some(said.concat()), "{suite:?}");

        let said = [bytes("81c8000bcafebabe"), vec![0xab; 16]];
        let mut compound = said.concat();
        assert!(sender.protect_rtcp(&mut compound));
        assert_eq!(compound, [said[0].clone(), bytes(rtcp)].concat(), "{suite:?}");
        assert_eq!(receiver.unprotect_rtcp(&mut compound.clone()), Some(24));
        assert_eq!(receiver.unprotect_rtcp(&mut compound), None, "{suite:?}: it came before");
    }
}

#[test]
fn keys_of_another_length_are_refused() {
    for suite in Suite::ALL {
        assert_eq!(Suite::named(suite.name()), Some(suite));
        let key = key(suite, 1);
        for wrong in [&key[1..], &[&key[..], &[0]].concat(), &[]] {
            assert!(Sender::new(suite, wrong).is_none() && Receiver::new(suite, wrong).is_none());
        }
    }
    assert_eq!(Suite::named("F8_128_HMAC_SHA1_80"), None);
}

#[test]
fn what_was_changed_or_came_before_is_dropped_and_harms_nothing() {
    for suite in Suite::ALL {
        let (mut sender, mut receiver) = ends(suite);
        let first = sealed(&mut sender, 10, 7);
        assert_eq!(opened(&mut receiver, &first), Some(packet(10, 7)));
        let second = sealed(&mut sender, 11, 7);
        for at in [1, 3, 5, 9, 12, 100, second.len() - 1] {
            let mut forged = second.clone();
            forged[at] ^= 1;
            assert_eq!(opened(&mut receiver, &forged), None, "{suite:?}: byte {at}");
        }
        assert_eq!(opened(&mut receiver, &second[..second.len() - 1]), None, "{suite:?}: cut off");
        assert_eq!(opened(&mut receiver, &packet(12, 7)), None, "{suite:?}: not sealed");
        assert_eq!(opened(&mut receiver, &first), None, "{suite:?}: a second time");
        assert_eq!(opened(&mut receiver, &second), Some(packet(11, 7)), "{suite:?}");
    }
}

#[test]
fn the_rollover_counter_follows_loss_and_disorder() {
    for suite in Suite::ALL {
        let (mut sender, mut receiver) = ends(suite);
        let numbers = [65_530, 65_535, 0, 65_534, 3, 30_000, 62_000, 10];
        let packets: Vec<Vec<u8>> = numbers.map(|number| sealed(&mut sender, number, 7)).into();
        for (packet, number) in packets.iter().zip(numbers) {
            assert_eq!(opened(&mut receiver, packet), Some(self::packet(number, 7)), "{suite:?}: {number}");
        }
    }
}

#[test]
fn an_heir_finds_the_rollover_counter_by_trial() {
    for suite in Suite::ALL {
        for turns in [0, 1, 9, 128] {
            let (mut sender, _) = ends(suite);
            for number in (0..turns * 4).map(|quarter| (quarter % 4) * 16_384) {
                sealed(&mut sender, number as u16, 7);
            }
            let mut heir = Receiver::new(suite, &key(suite, 1)).unwrap();
            let late: Vec<Vec<u8>> = (1..40).map(|number| sealed(&mut sender, number, 7)).collect();
            let heard: Vec<bool> = late.iter().map(|packet| opened(&mut heir, packet).is_some()).collect();
            let first = heard.iter().position(|heard| *heard);
            assert!(first.is_some_and(|first| first < 17), "{suite:?}, {turns}: {heard:?}");
            assert!(heard.iter().skip_while(|heard| !**heard).all(|heard| *heard), "{suite:?}: it stays");
        }
    }
}

#[test]
fn an_old_packet_that_comes_first_mutes_no_later_ones() {
    for suite in Suite::ALL {
        for quarter in 0..4 {
            let (mut sender, _) = ends(suite);
            let numbers = (0..9 * 4).map(|quarter| (quarter % 4) * 16_384);
            let old: Vec<Vec<u8>> = numbers.map(|number| sealed(&mut sender, number, 7)).collect();
            let late: Vec<Vec<u8>> = (1..40).map(|number| sealed(&mut sender, number, 7)).collect();
            let mut heir = Receiver::new(suite, &key(suite, 1)).unwrap();
            assert!(opened(&mut heir, &old[2 * 4 + quarter]).is_some(), "{suite:?}: somebody says it again");
            let heard: Vec<bool> = late.iter().map(|packet| opened(&mut heir, packet).is_some()).collect();
            let first = heard.iter().position(|heard| *heard);
            assert!(first.is_some_and(|first| first < 17), "{suite:?}, {quarter}: {heard:?}");
            assert!(heard.iter().skip_while(|heard| !**heard).all(|heard| *heard), "{suite:?}: it stays");
            for _ in 0..17 {
                assert!(old.iter().all(|packet| opened(&mut heir, packet).is_none()), "{suite:?}");
            }
        }
    }
}

#[test]
fn a_stream_that_was_not_heard_for_long_is_found_again() {
    for lost in 1..12 {
        let (mut sender, mut receiver) = ends(Suite::Cm80);
        let mut numbers = (0..).map(|step| (step % 4 * 16_384 + 5) as u16);
        let mut next = || sealed(&mut sender, numbers.next().unwrap(), 7);
        assert!(opened(&mut receiver, &next()).is_some());
        (0..lost).for_each(|_| drop(next()));
        assert!(opened(&mut receiver, &next()).is_some(), "{lost} quarters of the numbers were lost");
        assert!(opened(&mut receiver, &next()).is_some(), "{lost}");
    }
}

#[test]
fn streams_of_one_far_end_are_apart() {
    let (mut receiver, key) = (ends(Suite::Cm80).1, key(Suite::Cm80, 1));
    for number in [5, 6, 7] {
        for ssrc in [1, 2, 3] {
            let mut sender = Sender::new(Suite::Cm80, &key).unwrap();
            assert!(
                opened(&mut receiver, &sealed(&mut sender, number, ssrc)).is_some(),
                "{number} of {ssrc}"
            );
        }
    }
}

#[test]
fn no_number_is_sealed_twice() {
    let (mut sender, _) = ends(Suite::Gcm128);
    for number in [100, 102, 101] {
        sealed(&mut sender, number, 7);
    }
    for number in [100, 101, 102] {
        assert!(!sender.protect(&mut packet(number, 7)), "{number}");
    }
    sealed(&mut sender, 400, 7);
    assert!(!sender.protect(&mut packet(103, 7)), "too far back to tell");
    assert!(!sender.protect(&mut vec![0x80; 11]), "no RTP");
}

#[test]
fn compounds_must_be_encrypted_and_whole() {
    for suite in Suite::ALL {
        let (mut sender, mut receiver) = ends(suite);
        let said: Vec<u8> = [bytes("81c8000bcafebabe"), vec![0xab; 16]].concat();
        let mut first = said.clone();
        assert!(sender.protect_rtcp(&mut first));
        assert!(first.len() - said.len() <= MOST_ADDED);
        assert_eq!(receiver.unprotect_rtcp(&mut said.clone()), None, "{suite:?}: plain");
        for at in 0..first.len() {
            let mut forged = first.clone();
            forged[at] ^= 0x80;
            assert_eq!(receiver.unprotect_rtcp(&mut forged), None, "{suite:?}: byte {at}");
        }
        assert_eq!(receiver.unprotect_rtcp(&mut first), Some(said.len()));
        assert_eq!(first[..said.len()], said);
        assert!(!sender.protect_rtcp(&mut vec![0x80; 7]));
    }
}

#[test]
fn what_dtls_exports_is_taken_apart() {
    for (length, suite) in [(60, Suite::Cm80), (56, Suite::Gcm128), (88, Suite::Gcm256)] {
        assert_eq!(Suite::of_exported(length), Some(suite));
        let exported: Vec<u8> = (0..length as u8).collect();
        let [client, server] = suite.take_apart(&exported).unwrap();
        let (key, salt) = (suite.master_key_length(), suite.salt_length());
        assert_eq!(client, [&exported[..key], &exported[2 * key..2 * key + salt]].concat());
        assert_eq!(server, [&exported[key..2 * key], &exported[2 * key + salt..]].concat());
        assert_eq!(suite.take_apart(&exported[1..]), None);
    }
    assert_eq!(Suite::of_exported(61), None);
}

proptest! {
    #[test]
    fn any_bytes_are_taken(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..100),
        extended: bool,
    ) {
        if let Some(first) = bytes.first_mut() {
            *first = 0x80 | (*first & 0x0f) | (u8::from(extended) << 4);
        }
        for suite in Suite::ALL {
            let (mut sender, mut receiver) = ends(suite);
            prop_assert_eq!(receiver.unprotect(&mut bytes.clone()), None);
            prop_assert_eq!(receiver.unprotect_rtcp(&mut bytes.clone()), None);
            let mut packet = bytes.clone();
            if sender.protect(&mut packet) {
                prop_assert!(packet.len() > bytes.len() && packet.len() <= bytes.len() + MOST_ADDED);
                prop_assert_eq!(receiver.unprotect(&mut packet), Some(bytes.len()));
                prop_assert_eq!(&packet[..bytes.len()], &bytes[..]);
            }
            sender.protect_rtcp(&mut bytes.clone());
        }
    }
}
