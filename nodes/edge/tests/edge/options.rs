//! What the edge answers by itself, and what it tells of itself.

use std::sync::Arc;

use mangrove_edge::{Edge, Error, Options, Public, Transport};

use crate::{
    fake::fakes,
    far_end::request,
    house::{House, leg},
};

#[tokio::test]
async fn options_tell_what_we_can_do() {
    let house = House::start().await;
    let phone = house.phone().await;
    phone.send(phone.ping("1")).await;
    let answer = phone.receive().await;
    assert_eq!(answer.status(), Some(200));
    for header in ["Allow", "Accept", "Supported", "Server"] {
        assert!(answer.header(header).is_some(), "{header} is missing");
    }
    assert!(answer.to_tag().is_some());
    assert_eq!(house.edge.status().transactions, 0, "a probe costs no memory");
}

#[tokio::test]
async fn what_is_not_offered_is_refused_by_name() {
    let house = House::start().await;
    let phone = house.phone().await;
    for (method, status) in
        [("MESSAGE", 405), ("PUBLISH", 405), ("SUBSCRIBE", 405), ("BYE", 481), ("REFER", 481), ("DANCE", 501)]
    {
        phone.send(request(method, "sip:101@acme.example", phone.local(), "UDP", method, "")).await;
        let answer = phone.receive().await;
        assert_eq!(answer.status(), Some(status), "{method}");
        phone.send(request(method, "sip:101@acme.example", phone.local(), "UDP", method, "")).await;
        assert_eq!(phone.receive().await.to_tag(), answer.to_tag(), "a repetition gets the same answer");
    }
    assert_eq!(house.control.count(), 0);
}

#[tokio::test]
async fn a_stray_ack_is_never_answered() {
    let house = House::start().await;
    let phone = house.phone().await;
    phone.send(request("ACK", "sip:101@acme.example", phone.local(), "UDP", "1", "")).await;
    phone.send(request("ACK", &format!("sip:nobody.{}@x", leg()), phone.local(), "UDP", "2", "")).await;
    phone.hears_nothing("3").await;
}

#[tokio::test]
async fn far_ends_are_told_the_public_address() {
    let (control, routes) = fakes();
    let options = Options {
        udp: vec!["127.0.0.1:0".parse().unwrap()],
        tcp: vec!["127.0.0.1:0".parse().unwrap()],
        public: Public {
            udp: Some("203.0.113.10".into()),
            tcp: Some("203.0.113.10:5061".into()),
            websocket: None,
        },
        ..Options::new("a", 1)
    };
    let edge = Edge::start(options, control, routes).await.unwrap();
    let port = edge.addresses()[0].1.port();
    let told = vec![
        (Transport::Udp, format!("203.0.113.10:{port}")),
        (Transport::Tcp, "203.0.113.10:5061".to_owned()),
    ];
    assert_eq!(edge.contacts(), told);
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let house = House::start().await;
    for transport in [Transport::Udp, Transport::Tcp] {
        let taken = house.address(transport);
        let mut options = Options::new("b", 1);
        match transport {
            Transport::Udp => options.udp.push(taken),
            _ => options.tcp.push(taken),
        }
        let error =
            Edge::start(options, house.control.clone(), Arc::clone(&house.routes) as _).await.unwrap_err();
        assert!(matches!(&error, Error::Bind { address, .. } if *address == taken), "{error}");
        assert!(error.to_string().contains(&taken.to_string()), "{error}");
    }
}
