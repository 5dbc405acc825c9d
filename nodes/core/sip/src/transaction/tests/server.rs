use super::*;

const BRANCH: &str = "z9hG4bKtheirs";

fn incoming(method: Method) -> Message {
    with_via(request(method), BRANCH)
}

fn ack(branch: &str) -> Message {
    let mut ack = with_via(request(Method::ACK), branch);
    ack.set_to_tag("b");
    ack
}

/// A bench that has got an INVITE and answered it so.
fn answered(status: u16, transport: Transport) -> Bench {
    let mut bench = Bench::default();
    bench.receive(incoming(Method::INVITE), transport);
    bench.respond(&reply(&incoming(Method::INVITE), status), transport);
    bench
}

#[test]
fn answers_to_invite_are_repeated_until_the_ack_is_missed() {
    for (status, transport, sent_at) in [
        (486, Transport::Udp, &CAPPED[..]),
        (200, Transport::Udp, &CAPPED[..]),
        (486, Transport::Tcp, &[0]),
        (200, Transport::Tcp, &CAPPED[..]),
    ] {
        let mut bench = answered(status, transport);
        bench.run_until(100_000);
        assert_eq!(bench.sent_at(), sent_at, "{status} over {transport}");
        assert_eq!(bench.told(), ["0 INVITE", "32000 no ACK"]);
        assert!(bench.layer.is_empty());
    }
}

#[test]
fn the_ack_of_a_failure_ends_the_repetition() {
    let mut bench = answered(486, Transport::Udp);
    bench.run_until(1000);
    bench.receive(ack(BRANCH), Transport::Udp);
    bench.receive(ack(BRANCH), Transport::Udp);
    bench.run_until(5999);
    assert_eq!(
        (bench.sent_at(), bench.told(), bench.layer.len()),
        (vec![0, 500], vec!["0 INVITE".into()], 1)
    );
    bench.run_until(6000);
    assert!(bench.layer.is_empty(), "timer I");
}

#[test]
fn the_ack_of_a_success_is_told_once_whatever_its_branch() {
    for branch in ["z9hG4bKown", BRANCH] {
        let mut bench = answered(200, Transport::Udp);
        bench.run_until(600);
        bench.receive(ack(branch), Transport::Udp);
        bench.receive(ack(branch), Transport::Udp);
        bench.run_until(40_000);
        assert_eq!(bench.told(), ["0 INVITE", "600 ACK known=true"]);
        assert_eq!(bench.sent_at(), [0, 500]);
    }
}

#[test]
fn repeated_requests_are_absorbed_or_answered_again() {
    let mut bench = Bench::default();
    bench.receive(incoming(Method::INVITE), Transport::Udp);
    bench.receive(incoming(Method::INVITE), Transport::Udp);
    bench.respond(&reply(&incoming(Method::INVITE), 180), Transport::Udp);
    bench.receive(incoming(Method::INVITE), Transport::Udp);
    assert_eq!((bench.sent_at(), bench.last_sent().status()), (vec![0, 0], Some(180)));
    bench.respond(&reply(&incoming(Method::INVITE), 200), Transport::Udp);
    bench.receive(incoming(Method::INVITE), Transport::Udp);
    assert_eq!(bench.sent_at().len(), 3, "RFC 6026: a success keeps its own rhythm");
    assert_eq!(bench.told(), ["0 INVITE"]);
}

#[test]
fn other_requests_are_answered_again_for_64_t1() {
    let mut bench = Bench::default();
    bench.receive(incoming(Method::BYE), Transport::Udp);
    bench.respond(&reply(&incoming(Method::BYE), 200), Transport::Udp);
    bench.run_until(31_999);
    bench.receive(incoming(Method::BYE), Transport::Udp);
    assert_eq!((bench.sent_at(), bench.told()), (vec![0, 31_999], vec!["0 BYE".into()]));
    bench.run_until(32_000);
    bench.receive(incoming(Method::BYE), Transport::Udp);
    assert_eq!(bench.told(), ["0 BYE", "32000 BYE"], "timer J");
}

#[test]
fn a_request_that_its_user_never_answers_is_forgotten() {
    let mut bench = Bench::default();
    bench.receive(incoming(Method::INVITE), Transport::Udp);
    bench.run_until(32_000);
    assert!(bench.layer.is_empty() && bench.sent_at().is_empty());
    let mut bench = answered(180, Transport::Udp);
    bench.run_until(3_599_999);
    assert_eq!(bench.layer.len(), 1);
    bench.run_until(3_600_000);
    assert!(bench.layer.is_empty());
}

#[test]
fn a_reliable_provisional_answer_is_repeated_until_its_prack() {
    let ringing = reply(&incoming(Method::INVITE), 180).with("RSeq", 7).with("Require", "100rel");
    let mut bench = Bench::default();
    bench.receive(incoming(Method::INVITE), Transport::Tcp);
    bench.respond(&ringing, Transport::Tcp);
    bench.run_until(2000);
    let prack = |rack: &str| {
        let mut prack =
            with_via(request(Method::PRACK).with("RAck", rack), &format!("z9hG4bK{}", rack.len()));
        prack.set("CSeq", "2 PRACK");
        prack
    };
    bench.receive(prack("61 1 INVITE"), Transport::Tcp);
    bench.run_until(4000);
    assert_eq!(bench.sent_at(), [0, 500, 1500, 3500], "it named another answer");
    bench.receive(prack("7 1 INVITE"), Transport::Tcp);
    bench.run_until(40_000);
    assert_eq!(bench.sent_at(), [0, 500, 1500, 3500]);
    let mut bench = Bench::default();
    bench.receive(incoming(Method::INVITE), Transport::Udp);
    bench.respond(&ringing, Transport::Udp);
    bench.run_until(40_000);
    assert_eq!(
        (bench.sent_at(), bench.told()),
        (DOUBLING.to_vec(), vec!["0 INVITE".into(), "32000 no PRACK".into()])
    );
}

#[test]
fn a_cancel_goes_up_with_the_invite_it_means() {
    let mut bench = Bench::default();
    bench.receive(incoming(Method::CANCEL), Transport::Udp);
    let mut bench_with_invite = Bench::default();
    bench_with_invite.receive(incoming(Method::INVITE), Transport::Udp);
    bench_with_invite.receive(incoming(Method::CANCEL), Transport::Udp);
    bench_with_invite.receive(incoming(Method::CANCEL), Transport::Udp);
    assert_eq!(bench.told(), ["0 CANCEL known=false"]);
    assert_eq!(bench_with_invite.told(), ["0 INVITE", "0 CANCEL known=true"]);
}

#[test]
fn a_new_layer_goes_on_from_the_answer_alone() {
    for (status, told) in [(200, vec!["100 ACK known=true"]), (486, vec![])] {
        let mut heir = Bench::default();
        heir.respond(&reply(&incoming(Method::INVITE), status), Transport::Udp);
        heir.receive(incoming(Method::INVITE), Transport::Udp);
        heir.run_until(100);
        heir.receive(ack(if status == 200 { "z9hG4bKown" } else { BRANCH }), Transport::Udp);
        heir.run_until(40_000);
        assert_eq!(heir.told(), told, "no second INVITE, no missing ACK");
        assert!(heir.layer.is_empty());
    }
    let mut stranger = Bench::default();
    stranger.receive(ack("z9hG4bKown"), Transport::Udp);
    assert_eq!(stranger.told(), ["0 ACK known=false"]);
}

#[test]
fn the_same_invite_by_two_ways_is_merged() {
    let mut bench = Bench::default();
    bench.receive(incoming(Method::INVITE), Transport::Udp);
    bench.receive(with_via(request(Method::INVITE), "z9hG4bKsecond"), Transport::Udp);
    assert_eq!((bench.told(), bench.last_sent().status()), (vec!["0 INVITE".into()], Some(482)));
}

#[test]
fn clients_before_rfc_3261_are_matched_without_a_branch() {
    for via in ["SIP/2.0/UDP 198.51.100.7:5060", "SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK"] {
        let old = |method: Method| {
            let mut message = request(method);
            message.push_front("Via", via);
            message
        };
        let mut bench = Bench::default();
        bench.receive(old(Method::INVITE), Transport::Udp);
        bench.receive(old(Method::INVITE), Transport::Udp);
        bench.respond(&reply(&old(Method::INVITE), 404), Transport::Udp);
        bench.receive(old(Method::ACK), Transport::Udp);
        bench.run_until(40_000);
        assert_eq!((bench.told(), bench.sent_at()), (vec!["0 INVITE".into()], vec![0]), "{via}");
    }
}

#[test]
fn a_malformed_request_is_answered_and_not_kept() {
    let mut bench = Bench::default();
    let mut malformed = incoming(Method::INVITE);
    malformed.set("CSeq", "1 BYE");
    bench.receive(malformed, Transport::Udp);
    let mut unanswerable = incoming(Method::INVITE);
    unanswerable.remove("Via");
    bench.receive(unanswerable, Transport::Udp);
    let mut malformed_ack = ack(BRANCH);
    malformed_ack.remove("From");
    bench.receive(malformed_ack, Transport::Udp);
    assert_eq!((bench.sent_at(), bench.last_sent().status(), bench.layer.len()), (vec![0], Some(400), 0));
}

#[test]
fn the_source_is_noted_before_the_user_sees_the_request() {
    let mut bench = Bench::default();
    let mut message = request(Method::OPTIONS);
    message.push_front("Via", "SIP/2.0/UDP pc.example.com;rport;branch=z9hG4bK1");
    bench.receive(message, Transport::Udp);
    let (_, Output::Request { message, .. }) = &bench.seen[0] else { panic!("no request") };
    let via = message.top_via().unwrap();
    assert_eq!((via.received(), via.rport()), ("198.51.100.7".parse().ok(), Some(5060)));
}
