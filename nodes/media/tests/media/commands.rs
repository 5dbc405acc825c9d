//! Which commands count, and what is answered to those that can't be carried out.

use std::net::{SocketAddr, UdpSocket};

use mangrove_proto::{
    common::Fence,
    media::{self, Endpoint, Holding, HoldingsRequest, media_event::Fact},
    service::Media as _,
};
use mangrove_rtp::g711::Law;

use crate::{phone::Phone, support::*};

#[tokio::test(flavor = "multi_thread")]
async fn late_commands_are_refused_by_version_and_by_fence() {
    let node = Node::start();
    let a = Phone::new("127.0.0.1", Law::A).await;
    let set = |version| session(version, vec![endpoint("a", Law::A, a.address())]);
    let fence = |term, index| Fence { incarnation: 1, tenant_epoch: 1, term, index };
    assert!(node.set_fenced(set(5), fence(2, 1)).await);
    assert!(!node.set_fenced(set(4), fence(2, 2)).await, "an older version");
    assert!(!node.set_fenced(set(6), fence(1, 9)).await, "an older leader");
    assert!(node.set_fenced(set(5), fence(2, 2)).await, "a repeat");
    assert!(node.set_fenced(close(6), fence(2, 3)).await);
    assert!(!node.set_fenced(set(5), fence(2, 4)).await, "what is closed stays closed");
    assert!(node.set_fenced(close(6), fence(2, 5)).await, "closing again is harmless");
    let versions = || -> Vec<_> {
        let facts = node.facts();
        facts
            .iter()
            .filter_map(|f| if let Fact::Ready(ready) = f { Some(ready.version) } else { None })
            .collect()
    };
    until("the node is empty", || node.media.load() == 0).await;
    until("the address was told", || !versions().is_empty()).await;
    assert_eq!(versions(), [5], "once: the repeat told nothing new");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_knows_what_it_holds() {
    let node = Node::start();
    let a = Phone::new("127.0.0.1", Law::A).await;
    node.ready(session(7, vec![endpoint("a", Law::A, a.address())])).await;
    let held = async |group| node.media.hold(HoldingsRequest { group }).await.unwrap().sessions;
    let holding = Holding { tenant: TENANT.into(), session: CALL.into(), version: 7 };
    assert_eq!(held(GROUP).await, [holding]);
    assert!(held(GROUP + 1).await.is_empty());
    node.ready(close(8)).await;
    assert!(held(GROUP).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_had_is_refused_with_its_reason() {
    let node = Node::start();
    let a = Phone::new("127.0.0.1", Law::A).await;
    let good = endpoint("a", Law::A, a.address());
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port() & !1;
    let _held = std::net::UdpSocket::bind(("127.0.0.1", taken));
    let cases: [(&str, Endpoint); 4] = [
        ("is not free", Endpoint { port: taken.into(), ..good.clone() }),
        ("must be even", Endpoint { port: 5001, ..good.clone() }),
        ("is no address", Endpoint { remote: "a phone".into(), ..good.clone() }),
        ("is not supported", {
            let mut endpoint = good;
            endpoint.codec.as_mut().unwrap().name = "opus".into();
            endpoint
        }),
    ];
    for (index, (reason, endpoint)) in cases.into_iter().enumerate() {
        let version = index as u64 + 1;
        assert!(node.set(session(version, vec![endpoint])).await);
        let why = node.fact(reason, |fact| match fact {
            Fact::Refused(refused) if refused.version == version => Some(refused.why.clone()),
            _ => None,
        });
        assert!(why.await.contains(reason));
    }
    assert_eq!(node.media.load(), 0, "nothing is left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_address_is_what_far_ends_are_told() {
    let objects = std::sync::Arc::new(object_store::memory::InMemory::new());
    let node = Node::start_with(objects, |options| options.public = Some("203.0.113.10".parse().unwrap()));
    let a = Phone::new("127.0.0.1", Law::A).await;
    let ours = node.ready(session(1, vec![endpoint("a", Law::A, a.address())])).await;
    assert_eq!(ours[0].ip().to_string(), "203.0.113.10");
}

/// A session that was begun here while another host had it: that one told far ends its port.
#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_far_ends_know_takes_the_place_of_another() {
    let node = Node::start();
    let far = SocketAddr::from(([127, 0, 0, 1], 9));
    let at = |port: u16| Endpoint { port: port.into(), ..endpoint("a", Law::A, far) };
    let spare = node.ready(session(1, vec![endpoint("b", Law::A, far)])).await[0];
    let first = node.ready(session(2, vec![at(0)])).await[0];
    until("the other one is free", || UdpSocket::bind(spare).is_ok()).await;
    node.set(session(3, vec![at(spare.port())])).await;
    until("the port is told that was wanted", || {
        let told = |ready: &media::Ready| ready.addresses.iter().any(|one| one.address == spare.to_string());
        node.facts()
            .iter()
            .any(|fact| matches!(fact, Fact::Ready(ready) if ready.version == 3 && told(ready)))
    })
    .await;
    until("the first one is free", || UdpSocket::bind(first).is_ok()).await;
    assert!(UdpSocket::bind(spare).is_err(), "it is bound");
}
