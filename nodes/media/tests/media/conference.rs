//! A conference of several calls at one node: each hears all others, whatever threads their sessions began on.

use std::{net::SocketAddr, sync::Arc};

use mangrove_proto::media::{Conference, Endpoint, SetSession, endpoint::Hears, media_event::Fact};
use mangrove_rtp::{
    g711::{self, Law},
    tone,
};
use object_store::memory::InMemory;

use crate::{phone::Phone, support::*};

const TONES: [f64; 4] = [440.0, 1000.0, 1700.0, 2300.0];
const LAWS: [Law; 4] = [Law::A, Law::Mu, Law::A, Law::A];
const LOUD: f64 = 2500.0;
const QUIET: f64 = 300.0;

/// Somebody with a call of their own.
struct Person {
    phone: Phone,
    call: String,
    endpoint: Endpoint,
    version: u64,
}

impl Person {
    async fn new(at: usize) -> Self {
        let phone = Phone::new("127.0.0.1", LAWS[at]).await;
        let endpoint = endpoint(&format!("leg_{at}"), LAWS[at], phone.address());
        Self { phone, call: format!("call_{at}"), endpoint, version: 0 }
    }

    fn set(&mut self, conference: &str, hears: Option<Hears>) -> SetSession {
        self.version += 1;
        let endpoints = vec![Endpoint { hears, ..self.endpoint.clone() }];
        let rest = session(self.version, endpoints);
        SetSession { session: self.call.clone(), conference: conference.to_owned(), ..rest }
    }

    /// Is there, as a caller who hears nothing yet; where they are to send.
    async fn arrive(&mut self, node: &Node, conference: &str) -> SocketAddr {
        let set = self.set(conference, None);
        node.ready(set).await[0]
    }

    /// Is in the conference from now on.
    async fn enter(&mut self, node: &Node, muted: bool) {
        let set = self.set("weekly", Some(Hears::Conference(Conference { muted, chimes: true })));
        node.ready(set).await;
    }

    async fn hang_up(&mut self, node: &Node) {
        self.version += 1;
        let set = SetSession { session: self.call.clone(), ..close(self.version) };
        node.ready(set).await;
    }
}

/// People who are there for a conference, and talk.
async fn people<const N: usize>(node: &Node) -> [Person; N] {
    let mut people = Vec::new();
    for (at, hertz) in TONES.into_iter().enumerate().take(N) {
        let mut person = Person::new(at).await;
        let ours = person.arrive(node, "weekly").await;
        person.phone.talk(ours, hertz);
        people.push(person);
    }
    people.try_into().unwrap_or_else(|_| panic!("fewer than {N}"))
}

/// Waits until each hears these, by place, and nobody else.
async fn hear(people: &[Person], matrix: &[&[usize]]) {
    people.iter().for_each(|person| person.phone.forget());
    let hears = |listener: usize, speaker: usize| {
        let level = people[listener].phone.level(TONES[speaker]);
        if matrix[listener].contains(&speaker) { level > LOUD } else { level < QUIET }
    };
    let is_full = || people.iter().all(|person| person.phone.count() >= 25);
    let all = || (0..people.len()).all(|to| (0..people.len()).all(|from| hears(to, from)));
    until("each hears whom they may", || is_full() && all()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_four_hears_all_others_and_who_is_muted_is_heard_by_nobody() {
    let node = Node::start();
    let mut people = people::<4>(&node).await;
    for person in &mut people {
        person.enter(&node, false).await;
    }
    hear(&people, &[&[1, 2, 3], &[0, 2, 3], &[0, 1, 3], &[0, 1, 2]]).await;
    people[1].enter(&node, true).await;
    hear(&people, &[&[2, 3], &[0, 2, 3], &[0, 3], &[0, 2]]).await;
    people[3].hang_up(&node).await;
    people[1].enter(&node, false).await;
    hear(&people[..3], &[&[1, 2], &[0, 2], &[0, 1]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_came_for_something_else_join_on_the_threads_of_the_conference() {
    let node = Node::start_with(Arc::new(InMemory::new()), |options| options.threads = 3);
    let mut people = Vec::new();
    for at in 0..3 {
        let mut person = Person::new(at).await;
        person.arrive(&node, "").await;
        people.push(person);
    }
    for (person, hertz) in people.iter_mut().zip(TONES) {
        let before = node.facts().len();
        person.enter(&node, false).await;
        // Told again, with another port where it went to another thread.
        let told = eventually("the address is told", || told_since(&node, before)).await;
        person.phone.talk(told, hertz);
    }
    hear(&people, &[&[1, 2], &[0, 2], &[0, 1]]).await;
}

fn told_since(node: &Node, before: usize) -> Option<SocketAddr> {
    node.facts().into_iter().skip(before).find_map(|fact| match fact {
        Fact::Ready(ready) => ready.addresses.first()?.address.parse().ok(),
        _ => None,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_hears_a_chime_when_somebody_comes_and_when_they_leave() {
    let node = Node::start();
    let [mut first, mut second] = people::<2>(&node).await;
    first.enter(&node, true).await;
    // As long as a conference is new, its people may come from another node.
    until("it is a second old", || first.phone.count() >= 60).await;
    let chimes = |phone: &Phone| {
        let heard = phone.heard();
        let bytes: Vec<u8> = heard.iter().flat_map(|packet| packet.payload.clone()).collect();
        let samples: Vec<i16> = bytes.iter().map(|byte| g711::decode(Law::A, *byte)).collect();
        samples.chunks(480).any(|piece| tone::level(piece, 523.25) > 1500.0)
    };
    assert!(!chimes(&first.phone));
    second.enter(&node, true).await;
    until("it is heard", || chimes(&first.phone)).await;
    until("it is over", || !chimes_lately(&first.phone)).await;
    first.phone.forget();
    second.hang_up(&node).await;
    until("it is heard that they leave", || chimes(&first.phone)).await;
}

/// Whether anything was heard in the last frames.
fn chimes_lately(phone: &Phone) -> bool {
    let heard = phone.heard();
    let last = heard.iter().rev().take(5).flat_map(|packet| packet.payload.clone());
    last.map(|byte| g711::decode(Law::A, byte)).any(|sample| sample.abs() > 200)
}
