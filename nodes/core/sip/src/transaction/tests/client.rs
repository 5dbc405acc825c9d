use super::*;

const BRANCH: &str = "z9hG4bKmine";

fn answer(status: u16, method: Method) -> Message {
    let mut request = request(method);
    request.push_front("Via", format!("SIP/2.0/UDP 192.0.2.1:5060;branch={BRANCH};rport"));
    reply(&request, status)
}

#[test]
fn requests_without_answer_are_repeated_and_time_out() {
    for (method, transport, sent_at) in [
        (Method::INVITE, Transport::Udp, &DOUBLING[..]),
        (Method::OPTIONS, Transport::Udp, &CAPPED[..]),
        (Method::INVITE, Transport::Tcp, &[0]),
        (Method::OPTIONS, Transport::Wss, &[0]),
    ] {
        let mut bench = Bench::default();
        bench.send(BRANCH, &request(method.clone()), transport);
        bench.run_until(100_000);
        assert_eq!(bench.sent_at(), sent_at, "{method} over {transport}");
        assert_eq!(bench.told(), [format!("32000 {method} timed out")]);
        assert!(bench.layer.is_empty());
    }
}

#[test]
fn our_via_is_put_on_top() {
    let mut bench = Bench::default();
    bench.send(BRANCH, &request(Method::OPTIONS), Transport::Tcp);
    let sent = bench.last_sent();
    assert_eq!(sent.header("Via"), Some("SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bKmine;rport"));
    assert_eq!(sent.headers[0].0.as_str(), "Via");
}

#[test]
fn a_provisional_answer_ends_the_repetition_of_invite_and_slows_others() {
    for (method, sent_at) in [
        (Method::INVITE, vec![0, 500]),
        (Method::OPTIONS, vec![0, 500, 5000, 9000, 13_000, 17_000, 21_000, 25_000, 29_000]),
    ] {
        let mut bench = Bench::default();
        bench.send(BRANCH, &request(method.clone()), Transport::Udp);
        bench.run_until(1000);
        bench.receive(answer(100, method), Transport::Udp);
        bench.run_until(40_000);
        assert_eq!(bench.sent_at(), sent_at);
    }
}

#[test]
fn a_failure_is_acknowledged_each_time_and_told_once() {
    let mut bench = Bench::default();
    bench.send(BRANCH, &request(Method::INVITE).with("Route", "<sip:p;lr>"), Transport::Udp);
    bench.receive(answer(486, Method::INVITE), Transport::Udp);
    let ack = bench.last_sent();
    assert_eq!((ack.method(), ack.branch().as_deref(), ack.to_tag()), (Method::ACK, Some(BRANCH), Some("b")));
    assert_eq!((ack.header("Route"), ack.cseq().unwrap().0), (Some("<sip:p;lr>"), 1));
    bench.run_until(31_999);
    bench.receive(answer(486, Method::INVITE), Transport::Udp);
    assert_eq!((bench.sent_at(), bench.told()), (vec![0, 0, 31_999], vec!["0 486".to_owned()]));
    bench.run_until(32_000);
    assert!(bench.layer.is_empty(), "timer D");
}

#[test]
fn every_success_of_an_invite_is_told_for_64_t1() {
    let mut bench = Bench::default();
    bench.send(BRANCH, &request(Method::INVITE), Transport::Udp);
    bench.receive(answer(200, Method::INVITE), Transport::Udp);
    bench.run_until(31_000);
    bench.receive(answer(200, Method::INVITE), Transport::Udp);
    bench.receive(answer(486, Method::INVITE), Transport::Udp);
    bench.run_until(33_000);
    bench.receive(answer(200, Method::INVITE), Transport::Udp);
    assert_eq!(bench.told(), ["0 200", "31000 200", "33000 stray 200"], "timer M");
}

#[test]
fn repeated_answers_to_other_requests_are_absorbed() {
    let mut bench = Bench::default();
    bench.send(BRANCH, &request(Method::BYE), Transport::Udp);
    bench.receive(answer(200, Method::BYE), Transport::Udp);
    bench.receive(answer(200, Method::BYE), Transport::Udp);
    bench.run_until(5000);
    assert_eq!(bench.told(), ["0 200"]);
    assert!(bench.layer.is_empty(), "timer K");
}

#[test]
fn a_branch_already_held_is_sent_again_only_while_unanswered() {
    let mut bench = Bench::default();
    let invite = request(Method::INVITE);
    bench.send(BRANCH, &invite, Transport::Udp);
    bench.send(BRANCH, &invite, Transport::Udp);
    assert_eq!(bench.sent_at(), [0, 0]);
    bench.receive(answer(180, Method::INVITE), Transport::Udp);
    bench.send(BRANCH, &invite, Transport::Udp);
    assert_eq!((bench.sent_at(), bench.layer.len()), (vec![0, 0], 1));
}

#[test]
fn a_cancelled_invite_ends_without_an_answer() {
    let mut bench = Bench::default();
    bench.send(BRANCH, &request(Method::INVITE), Transport::Tcp);
    bench.receive(answer(180, Method::INVITE), Transport::Tcp);
    bench.run_until(60_000);
    bench.send(BRANCH, &request(Method::CANCEL), Transport::Tcp);
    bench.receive(answer(200, Method::CANCEL), Transport::Tcp);
    bench.run_until(100_000);
    assert_eq!(bench.told(), ["0 180", "60000 200", "92000 INVITE timed out"]);
}

#[test]
fn the_ack_of_a_success_is_forgotten() {
    let mut bench = Bench::default();
    bench.send("z9hG4bKack", &request(Method::ACK), Transport::Udp);
    assert_eq!((bench.sent_at(), bench.layer.len()), (vec![0], 0));
}

#[test]
fn a_dead_destination_fails_what_was_never_answered() {
    let mut bench = Bench::default();
    bench.send(BRANCH, &request(Method::INVITE), Transport::Tcp);
    bench.send("z9hG4bKother", &request(Method::OPTIONS), Transport::Tcp);
    bench.receive(answer(180, Method::INVITE), Transport::Tcp);
    bench.feed(Input::TransportFailed { destination: source(Transport::Tcp).destination() });
    assert_eq!(bench.told(), ["0 180", "0 OPTIONS failed"]);
    assert_eq!(bench.layer.len(), 1);
}

#[test]
fn a_connection_that_ends_for_good_fails_what_rings_over_it_too() {
    let mut bench = Bench::default();
    let destination = Destination { flow: Some("f1".into()), ..source(Transport::Ws).destination() };
    for (branch, method) in [(BRANCH, Method::INVITE), ("z9hG4bKother", Method::OPTIONS)] {
        bench.feed(Input::Send {
            branch: branch.to_owned(),
            method: method.clone(),
            destination: destination.clone(),
            sent_by: "192.0.2.1:8080".to_owned(),
            message: request(method).to_bytes().into(),
            now: 0,
        });
    }
    assert_eq!(bench.last_sent().header("Via"), Some("SIP/2.0/WS 192.0.2.1:8080;branch=z9hG4bKother;rport"));
    bench.receive(answer(180, Method::INVITE), Transport::Ws);
    bench.feed(Input::FlowClosed { flow: "f2".into() });
    assert_eq!(bench.told(), ["0 180"]);
    bench.feed(Input::FlowClosed { flow: "f1".into() });
    assert_eq!(bench.told(), ["0 180", "0 INVITE failed", "0 OPTIONS failed"]);
    assert!(bench.layer.is_empty());
}

#[test]
fn malformed_responses_and_those_of_others_change_nothing() {
    let mut bench = Bench::default();
    bench.send(BRANCH, &request(Method::OPTIONS), Transport::Udp);
    let mut two_vias = answer(200, Method::OPTIONS);
    two_vias.push("Via", "SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1");
    bench.receive(two_vias, Transport::Udp);
    bench.receive(answer(200, Method::INFO), Transport::Udp);
    assert_eq!(bench.told(), ["0 stray 200"]);
}
