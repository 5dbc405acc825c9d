//! T.38: datagrams go between two that fax as they are, and from nobody else.

use std::{
    net::{SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use mangrove_proto::media::{Endpoint, SetSession, media_event::Fact};
use mangrove_rtp::g711::Law;
use object_store::memory::InMemory;

use crate::{phone::packet, support::*, talk::on_ports};

/// One that faxes: a socket.
struct Machine(UdpSocket);

impl Machine {
    fn new(ip: &str) -> Self {
        Self(UdpSocket::bind(format!("{ip}:0")).unwrap())
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    fn send(&self, datagram: &[u8], to: SocketAddr) {
        self.0.send_to(datagram, to).unwrap();
    }

    /// The next datagram, and where it comes from; none within the time.
    fn within(&self, limit: Duration) -> Option<(Vec<u8>, SocketAddr)> {
        let mut buffer = [0; 2048];
        self.0.set_read_timeout(Some(limit)).unwrap();
        let (length, from) = self.0.recv_from(&mut buffer).ok()?;
        Some((buffer[..length].to_vec(), from))
    }

    fn hears(&self) -> (Vec<u8>, SocketAddr) {
        self.within(Duration::from_secs(10)).expect("a datagram within 10 s")
    }

    /// All that has come and nobody looked at.
    fn rest(&self) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| self.within(Duration::from_millis(1))).map(|(datagram, _)| datagram).collect()
    }

    /// Says it until another has heard it: what was commanded may still be on its way.
    fn reaches(&self, ours: SocketAddr, other: &Self, said: &[u8]) {
        let heard = (0..200).any(|_| {
            self.send(said, ours);
            other.within(Duration::from_millis(50)).is_some_and(|(datagram, _)| datagram == said)
        });
        assert!(heard, "it is not passed on");
    }
}

/// A datagram of UDPTL with so many bytes of something in it.
fn datagram(number: u16, length: u16) -> Vec<u8> {
    let mut datagram = number.to_be_bytes().to_vec();
    // From 128 on a length has two bytes.
    match length {
        0..128 => datagram.push(length as u8),
        _ => datagram.extend((0x8000 | length).to_be_bytes()),
    }
    datagram.extend((0..length).map(|byte| byte as u8 ^ 0x5a));
    datagram.extend([0, 0]);
    datagram
}

fn faxing(id: &str, remote: SocketAddr) -> Endpoint {
    let (id, remote) = (id.into(), remote.to_string());
    Endpoint { id, remote, udptl: true, send: true, receive: true, ..Endpoint::default() }
}

fn both(version: u64, a: &Machine, b: &Machine) -> SetSession {
    bridged(version, faxing("a", a.address()), faxing("b", b.address()))
}

#[tokio::test(flavor = "multi_thread")]
async fn datagrams_pass_as_they_are_both_ways_and_are_counted() {
    let node = Node::start();
    let (a, b) = (Machine::new("127.0.0.1"), Machine::new("127.0.0.1"));
    let ours = node.ready(both(1, &a, &b)).await;
    // The last looks like RTP.
    for said in [datagram(0, 3), datagram(0, 3), datagram(1, 40), datagram(2, 1_355), datagram(0x8008, 160)] {
        a.send(&said, ours[0]);
        assert_eq!(b.hears(), (said.clone(), ours[1]));
        b.send(&said, ours[1]);
        assert_eq!(a.hears(), (said, ours[0]));
    }
    a.send(&[0, 9, 1], ours[0]);
    // Of the sound before the fax.
    a.send(&packet(Law::A, 440.0, 9, 7), ours[0]);
    a.send(&datagram(9, 1), ours[0]);
    assert_eq!(b.hears().0, datagram(9, 1), "what is no UDPTL is dropped");
    node.ready(close(2)).await;
    let counted = |id: &'static str| {
        move |fact: &Fact| match fact {
            Fact::Counters(c) if c.endpoint == id => Some((c.packets_received, c.packets_sent)),
            _ => None,
        }
    };
    assert_eq!(node.fact("a was counted", counted("a")).await, (6, 5));
    assert_eq!(node.fact("b was counted", counted("b")).await, (5, 6));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_never_heard_and_never_answered() {
    let node = Node::start();
    let (a, b) = (Machine::new("127.0.0.1"), Machine::new("127.0.0.1"));
    let stranger = Machine::new("127.0.0.66");
    let signalled = |e: Endpoint| Endpoint { signalled_from: "127.0.0.1".into(), ..e };
    let set = bridged(1, signalled(faxing("a", a.address())), signalled(faxing("b", b.address())));
    let ours = node.ready(set).await;
    for round in 0..2 {
        for number in 0..20 {
            for to in &ours {
                stranger.send(&datagram(number, 66), *to);
            }
        }
        let said = datagram(round, 10);
        a.send(&said, ours[0]);
        assert_eq!(b.hears().0, said);
        b.send(&said, ours[1]);
        assert_eq!(a.hears().0, said);
    }
    assert!(stranger.rest().is_empty());
    assert!(!node.facts().iter().any(|fact| matches!(fact, Fact::Latched(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_is_sent_nothing_and_not_heard() {
    let node = Node::start();
    let [a, b, c] = [(); 3].map(|()| Machine::new("127.0.0.1"));
    let ours = node.ready(both(1, &a, &b)).await;
    a.reaches(ours[0], &b, &datagram(1, 1));
    b.reaches(ours[1], &a, &datagram(1, 1));
    // The third hears what she would.
    let mut set = both(2, &a, &b);
    (set.endpoints[1].send, set.endpoints[1].receive) = (false, false);
    set.endpoints.push(hearing(faxing("c", c.address()), "a"));
    node.ready(set).await;
    a.reaches(ours[0], &c, &datagram(2, 2));
    a.rest();
    b.rest();
    b.send(&datagram(3, 3), ours[1]);
    a.reaches(ours[0], &c, &datagram(4, 4));
    assert!(a.rest().is_empty() && b.rest().is_empty());
    node.ready(both(3, &a, &b)).await;
    b.reaches(ours[1], &a, &datagram(5, 5));
    a.reaches(ours[0], &b, &datagram(5, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_passes_between_a_fax_and_sound_and_sound_comes_back() {
    let node = Node::start();
    let [a, b, c, d] = [(); 4].map(|()| Machine::new("127.0.0.1"));
    let sounding = |id: &str, machine: &Machine| endpoint(id, Law::A, machine.address());
    let mut mixed = bridged(1, faxing("a", a.address()), sounding("b", &b));
    // One of each kind, who hear what passes.
    mixed.endpoints.push(hearing(faxing("c", c.address()), "a"));
    mixed.endpoints.push(hearing(sounding("d", &d), "b"));
    let ours = node.ready(mixed).await;
    a.reaches(ours[0], &c, &datagram(1, 1));
    b.send(&packet(Law::A, 440.0, 1, 7), ours[1]);
    assert_eq!(d.hears().0.len(), 172, "a packet of sound");
    assert_eq!((a.rest().len(), b.rest().len()), (0, 0));

    node.ready(bridged(2, sounding("a", &a), sounding("b", &b))).await;
    let said = (0..200).find_map(|number| {
        a.send(&packet(Law::A, 440.0, number, 7), ours[0]);
        b.within(Duration::from_millis(50))
    });
    assert_eq!(said.expect("sound").0.len(), 172);
    a.send(&datagram(3, 3), ours[0]);
    a.send(&packet(Law::A, 440.0, 500, 7), ours[0]);
    let heard = [vec![b.hears().0], b.rest()].concat();
    assert!(heard.iter().all(|one| one.len() == 172), "a late datagram is dropped");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_sent_a_page_may_be_silent_but_not_both() {
    let node = Node::start_with(Arc::new(InMemory::new()), |options| {
        options.silence = Duration::from_secs(2);
    });
    let [a, b, c] = [(); 3].map(|()| Machine::new("127.0.0.1"));
    let mut set = both(1, &a, &b);
    set.endpoints.push(endpoint("c", Law::A, c.address()));
    let ours = node.ready(set).await;
    let (socket, to) = (a.0.try_clone().unwrap(), ours[0]);
    let page = tokio::spawn(async move {
        let mut pause = tokio::time::interval(Duration::from_millis(30));
        for number in 0.. {
            pause.tick().await;
            socket.send_to(&datagram(number, 40), to).unwrap();
        }
    });
    let silent = |id: &str| {
        let facts = node.facts();
        facts.iter().filter(|fact| matches!(fact, Fact::Silent(silent) if silent.endpoint == id)).count()
    };
    until("a phone that says nothing is reported twice", || silent("c") >= 2).await;
    assert_eq!([silent("a"), silent("b")], [0, 0]);
    page.abort();
    until("nothing comes from either any more", || silent("a") > 0 && silent("b") > 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fax_behind_translation_is_followed_though_it_says_everything_twice() {
    let node = Node::start();
    let (behind, b) = (Machine::new("127.0.0.2"), Machine::new("127.0.0.1"));
    let private = "10.0.0.5:4000".parse().unwrap();
    let translated = Endpoint { signalled_from: "127.0.0.2".into(), ..faxing("a", private) };
    let ours = node.ready(bridged(1, translated, faxing("b", b.address()))).await;
    for number in [0, 0, 1, 1, 2] {
        behind.send(&datagram(number, 5), ours[0]);
    }
    assert_eq!(b.hears().0, datagram(2, 5), "the third proves where it is");
    b.send(&datagram(0, 9), ours[1]);
    assert_eq!(behind.hears().0, datagram(0, 9));
    let latched = node.fact("the address is reported", |fact| match fact {
        Fact::Latched(latched) => Some(latched.address.clone()),
        _ => None,
    });
    assert_eq!(latched.await, behind.address().to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_heir_goes_on_with_it_on_the_same_ports() {
    let first = Node::start();
    let (a, b) = (Machine::new("127.0.0.1"), Machine::new("127.0.0.1"));
    let ours = first.ready(both(1, &a, &b)).await;
    a.send(&datagram(1, 1), ours[0]);
    assert_eq!(b.hears().0, datagram(1, 1));
    first.media.stop().await;
    drop(first);

    let second = Node::start_with(Arc::new(InMemory::new()), |options| options.run = 2);
    assert_eq!(second.ready(on_ports(both(1, &a, &b), &ours)).await, ours);
    b.send(&datagram(2, 2), ours[1]);
    assert_eq!(a.hears(), (datagram(2, 2), ours[0]));
}
