//! Caller, agent and supervisor: each hears whom they may hear, and so does the recording.

use mangrove_codec::Encoding;
use mangrove_proto::media::{Codec, Endpoint, SetSession};
use mangrove_rtp::{
    g711::{self, Law},
    header, tone,
};

use crate::{
    digits::press,
    phone::{Phone, packet},
    recording::{finished, sides},
    support::*,
};

/// The tones of caller, agent and supervisor.
const TONES: [f64; 3] = [440.0, 1000.0, 1700.0];
const IDS: [&str; 3] = ["caller", "agent", "supervisor"];
const LOUD: f64 = 2500.0;
const QUIET: f64 = 300.0;

/// Whom each hears, by place.
type Matrix = [&'static [usize]; 3];

const LISTENS: Matrix = [&[1], &[0], &[0, 1]];
const WHISPERS: Matrix = [&[1], &[0, 2], &[0, 1]];
const BARGED: Matrix = [&[1, 2], &[0, 2], &[0, 1]];

struct Trio {
    phones: [Phone; 3],
    endpoints: [Endpoint; 3],
}

impl Trio {
    async fn new() -> Self {
        let phones = [
            Phone::new("127.0.0.1", Law::A).await,
            Phone::new("127.0.0.1", Law::Mu).await,
            Phone::new("127.0.0.1", Law::A).await,
        ];
        let laws = [Law::A, Law::Mu, Law::A];
        let endpoints = [0, 1, 2].map(|at| endpoint(IDS[at], laws[at], phones[at].address()));
        Self { phones, endpoints }
    }

    /// All talk from now on.
    async fn talk(&mut self, node: &Node, set: SetSession) {
        let ours = node.ready(set).await;
        for ((phone, address), hertz) in self.phones.iter_mut().zip(ours).zip(TONES) {
            phone.talk(address, hertz);
        }
    }

    fn set(&self, version: u64, matrix: Matrix) -> SetSession {
        let endpoints = self.endpoints.iter().zip(matrix).map(|(endpoint, heard)| {
            let heard: Vec<&str> = heard.iter().map(|at| IDS[*at]).collect();
            match heard[..] {
                [peer] => hearing(endpoint.clone(), peer),
                _ => mixing(endpoint.clone(), &heard),
            }
        });
        session(version, endpoints.collect())
    }

    /// Waits until each hears whom they may, loud and clear, and nobody else.
    async fn hear(&self, matrix: Matrix) {
        self.phones.iter().for_each(Phone::forget);
        let hears = |listener: usize, speaker: usize| {
            let level = self.phones[listener].level(TONES[speaker]);
            if matrix[listener].contains(&speaker) { level > LOUD } else { level < QUIET }
        };
        let is_full = || self.phones.iter().all(|phone| phone.count() >= 25);
        let all = || (0..3).all(|listener| (0..3).all(|speaker| hears(listener, speaker)));
        until("each hears whom they may", || is_full() && all()).await;
    }

    /// So much more is said.
    async fn go_on(&self, packets: u64) {
        let from = self.phones[0].sent();
        until("they have talked on", || self.phones[0].sent() >= from + packets).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_listens_is_heard_by_nobody_who_whispers_by_the_agent_and_who_barges_in_by_both() {
    let (node, mut trio) = (Node::start(), Trio::new().await);
    trio.talk(&node, trio.set(1, LISTENS)).await;
    for (version, matrix) in (2..).zip([LISTENS, WHISPERS, BARGED, WHISPERS, LISTENS]) {
        node.ready(trio.set(version, matrix)).await;
        trio.hear(matrix).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_are_listened_to_are_passed_on_as_ever() {
    let (node, mut trio) = (Node::start(), Trio::new().await);
    trio.talk(&node, trio.set(1, LISTENS)).await;
    trio.hear(LISTENS).await;
    // What the agent says in mu-law is the same in A-law, byte by byte: a tone of 1000 Hz repeats itself in each frame.
    let mut said = packet(Law::Mu, TONES[1], 0, 1)[header::LENGTH..].to_vec();
    g711::transcode(Law::Mu, Law::A, &mut said);
    assert!(trio.phones[0].heard().iter().rev().take(20).all(|heard| heard.payload == said));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_goes_out_every_20_ms_in_one_unbroken_stream() {
    let (node, mut trio) = (Node::start(), Trio::new().await);
    trio.talk(&node, trio.set(1, WHISPERS)).await;
    trio.hear(WHISPERS).await;
    node.ready(trio.set(2, BARGED)).await;
    trio.hear(BARGED).await;
    for phone in &trio.phones {
        for pair in phone.heard().windows(2) {
            assert_eq!(pair[1].header.sequence, pair[0].header.sequence.wrapping_add(1));
            assert_eq!(pair[1].header.ssrc, pair[0].header.ssrc);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_with_another_codec_hears_both() {
    let (node, mut trio) = (Node::start(), Trio::new().await);
    let (encoding, name) = (Encoding::G722, "G722".to_owned());
    trio.endpoints[2].codec =
        Some(Codec { payload_type: 9, name, clock_rate: encoding.clock_rate(), ..Codec::default() });
    let ours = node.ready(trio.set(1, WHISPERS)).await;
    trio.phones[0].talk(ours[0], TONES[0]);
    trio.phones[1].talk(ours[1], TONES[1]);
    trio.phones[2].talk_in(encoding, 9, ours[2], TONES[2]);
    until("the supervisor hears both and the agent both of them", || {
        let supervisor = [0, 1].map(|speaker| trio.phones[2].level_in(encoding, TONES[speaker]));
        let agent = [0, 2].map(|speaker| trio.phones[1].level(TONES[speaker]));
        supervisor.iter().chain(&agent).all(|level| *level > 2000.0)
    })
    .await;
    assert!(trio.phones[0].hears(TONES[1], TONES[2]), "the caller hears the agent alone");
}

/// How loud each is on the left and the right of what was recorded in the last second.
async fn recorded(matrix: Matrix, right_too: &[&str]) -> [[f64; 3]; 2] {
    let (node, mut trio) = (Node::start(), Trio::new().await);
    let with = |set: SetSession| {
        let mut set = recording(set, "r", IDS[0], IDS[1]);
        if let Some(recording) = &mut set.recording {
            recording.right_too = right_too.iter().map(|id| (*id).to_owned()).collect();
        }
        set
    };
    trio.talk(&node, with(trio.set(1, matrix))).await;
    trio.hear(matrix).await;
    trio.go_on(100).await;
    assert!(node.set(close(2)).await);
    let finished = finished(&node, "r").await;
    sides(&node, &finished).await.map(|side| {
        // Not the very end, where one has gone before the other.
        let last = &side[side.len() - 10_000..side.len() - 2_000];
        TONES.map(|hertz| tone::level(last, hertz))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whisper_is_not_recorded() {
    let [left, right] = recorded(WHISPERS, &[]).await;
    assert!(left[0] > LOUD && left[1] < QUIET && left[2] < QUIET, "{left:?}");
    assert!(right[1] > LOUD && right[0] < QUIET && right[2] < QUIET, "{right:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_barged_in_is_recorded_beside_the_agent() {
    let [left, right] = recorded(BARGED, &["supervisor"]).await;
    assert!(left[0] > LOUD && left[1] < QUIET && left[2] < QUIET, "{left:?}");
    assert!(right[1] > LOUD && right[2] > LOUD && right[0] < QUIET, "{right:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_told_to_whoever_hears_their_presser_beside_others() {
    let (node, mut trio) = (Node::start(), Trio::new().await);
    let ours = node.ready(trio.set(1, WHISPERS)).await;
    trio.phones[2].talk(ours[2], TONES[2]);
    until("the agent hears the supervisor", || trio.phones[1].level(TONES[2]) > LOUD).await;
    for bytes in press('5', 101, 10, 8000) {
        trio.phones[0].send(&bytes, ours[0]).await;
    }
    until("the agent is told the key and its end", || {
        let heard = trio.phones[1].heard();
        let mut told = heard.iter().filter(|heard| heard.header.payload_type == 101);
        told.any(|heard| heard.payload[0] == 5 && heard.payload[1] & 0x80 != 0)
    })
    .await;
}
