//! Where requests go: route sets, remote targets, NAT. And how an INVITE is checked.

use super::far::{Far, described, invite, request, source};
use super::pair::{Callee, Caller, media};
use crate::sdp::{Direction, Security, g711};
use crate::ua::{Ctx, Fact, Leg, Outgoing, Output, State};
use crate::{Local, Message, Method, Replacing, Seed};

fn destination_of_bye(far: &mut Far) -> String {
    far.act(|leg, ctx| leg.answer(media(Callee), ctx));
    far.say(&request(far, Method::ACK, 5));
    far.act(|leg, ctx| leg.hang_up(None, ctx));
    far.destinations.last().unwrap().address.to_string()
}

#[test]
fn requests_go_to_route_contact_or_source() {
    for (contact, routes, from, goes_to) in [
        ("sip:c@203.0.113.9:5080", &[][..], "203.0.113.9:5060", "203.0.113.9:5080"),
        ("sip:c@203.0.113.77:5080", &[], "203.0.113.9:5060", "203.0.113.77:5080"),
        ("sip:c@pbx.example.com", &[], "203.0.113.9:5062", "203.0.113.9:5062"),
        ("sip:c@10.0.0.5:5060", &[], "203.0.113.9:33000", "203.0.113.9:33000"),
        ("sip:c@10.0.0.5", &["<sip:203.0.113.8:5090;lr>"], "203.0.113.9:5060", "203.0.113.8:5090"),
        ("sip:c@10.0.0.5", &["<sip:proxy.example.com;lr>"], "203.0.113.9:5060", "203.0.113.9:5060"),
        ("sip:c@[2001:db8::5]:5070", &[], "[2001:db8::5]:5060", "[2001:db8::5]:5070"),
    ] {
        let mut invite = invite();
        invite.set("Contact", format!("<{contact}>"));
        for route in routes {
            invite.push("Record-Route", route);
        }
        let mut far = Far::calling(&invite, source(from));
        assert_eq!(destination_of_bye(&mut far), goes_to, "{contact} {routes:?}");
        let bye = far.requests.last().unwrap();
        assert_eq!(bye.request_uri().unwrap().to_string(), contact);
        assert_eq!(bye.headers("Route").collect::<Vec<_>>(), routes);
    }
}

#[test]
fn record_route_is_answered_and_a_strict_router_obeyed() {
    let mut invite = invite();
    invite.push("Record-Route", "<sip:203.0.113.8>");
    invite.push("Record-Route", "<sip:203.0.113.7;lr>");
    let mut far = Far::calling(&invite, source("203.0.113.9:5060"));
    destination_of_bye(&mut far);
    let ok = far.responses.iter().find(|response| response.status() == Some(200)).unwrap();
    assert_eq!(ok.headers("Record-Route").count(), 2);
    let bye = far.requests.last().unwrap();
    assert_eq!(bye.request_uri().unwrap().to_string(), "sip:203.0.113.8");
    let routes: Vec<_> = bye.headers("Route").collect();
    assert_eq!(routes, ["<sip:203.0.113.7;lr>", "<sip:caller@203.0.113.9:5060>"]);
}

#[test]
fn the_route_set_of_a_call_of_ours_is_reversed_and_its_target_refreshed() {
    let mut far = Far::called("sip:101@203.0.113.9", "203.0.113.9:5060");
    let ok = described(far.answer_to(0, 200, "a"));
    far.say(&ok.with("Record-Route", "<sip:203.0.113.1;lr>").with("Record-Route", "<sip:203.0.113.2;lr>"));
    let ack = &far.requests[1];
    assert_eq!(ack.headers("Route").collect::<Vec<_>>(), ["<sip:203.0.113.2;lr>", "<sip:203.0.113.1;lr>"]);
    assert_eq!(ack.request_uri().unwrap().to_string(), "sip:a@203.0.113.9:5070");
    assert_eq!((ack.cseq().unwrap().0, ack.header("Contact")), (1, None));
}

#[test]
fn a_registered_phone_behind_nat_stays_where_it_registered() {
    let mut far = Far::called("sip:101@192.168.0.7:5060", "203.0.113.9:40000");
    let mut ok = described(far.answer_to(0, 200, "a"));
    ok.set("Contact", "<sip:101@192.168.0.7:5060>");
    far.say(&ok);
    assert_eq!(far.destinations[1].address.to_string(), "203.0.113.9:40000");
}

#[test]
fn an_invite_that_makes_no_dialog_is_refused() {
    let change = |edit: fn(&mut Message)| {
        let mut invite = invite();
        edit(&mut invite);
        invite
    };
    for (invite, status) in [
        (change(|m| m.remove("Contact")), 400),
        (change(|m| m.set("Contact", "<mailto:a@b>")), 400),
        (change(|m| m.set("From", "<sip:a@b>")), 400),
        (change(|m| m.remove("Call-ID")), 400),
        (change(|m| m.set("To", "<sip:a@b>;tag=stale")), 481),
        (change(|m| m.push("Require", "replaces")), 420),
        (change(|m| m.set("Content-Type", "text/html")), 415),
        (change(|m| m.body = b"rubbish".to_vec()), 400),
        (
            change(|m| {
                m.body = b"v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nt=0 0\r\nm=video 9 RTP/AVP 96\r\n".to_vec()
            }),
            488,
        ),
        (
            change(|m| {
                m.push("Supported", "timer");
                m.push("Session-Expires", "60");
            }),
            422,
        ),
    ] {
        let local = Local {
            contact_host: "h".into(),
            contact_user: "u".into(),
            user_agent: "x".into(),
            domain: "d".into(),
            replaces: Replacing::Unknown,
            fax: false,
        };
        let mut seed = Seed::new(1);
        let mut ctx = Ctx { now: 0, seed: &mut seed, local: &local };
        let reject = Leg::incoming(&invite, &source("203.0.113.9:5060"), &g711(), Security::Off, &mut ctx)
            .unwrap_err();
        assert_eq!(reject.status, status, "{invite:?}");
    }
}

#[test]
fn an_invite_that_comes_again_gets_the_same_answer() {
    let mut far = Far::calling(&invite(), source("203.0.113.9:5060"));
    far.say(&invite());
    assert!(far.responses.is_empty());
    far.act(|leg, ctx| leg.ring(None, ctx));
    far.say(&invite());
    far.act(|leg, ctx| leg.answer(media(Callee), ctx));
    far.say(&invite());
    assert_eq!(far.responses[0], far.responses[1]);
    assert_eq!(far.responses[2], far.responses[3]);
    let mut merged = invite();
    merged.set("Via", "SIP/2.0/UDP 203.0.113.5;branch=z9hG4bKother");
    far.say(&merged);
    assert_eq!(far.responses[4].status(), Some(482));
}

#[test]
fn other_dialogs_are_not_ours() {
    let mut far = Far::calling(&invite(), source("203.0.113.9:5060"));
    let mut bye = request(&far, Method::BYE, 6);
    assert!(far.leg.matches(&bye) && far.leg.matches(&invite()));
    bye.set("From", "<sip:x@y>;tag=wrong");
    assert!(!far.leg.matches(&bye));
    far.say(&bye);
    assert_eq!(far.responses[0].status(), Some(481));
    assert_eq!(far.leg.state(), State::Received);
    far.say(&request(&far, Method::BYE, 6));
    let statuses: Vec<_> = far.responses.iter().filter_map(Message::status).collect();
    assert_eq!(statuses, [481, 200, 487]);
    assert!(matches!(far.facts[..], [_, Fact::HungUp { .. }]));
}

#[test]
fn branches_tags_and_contact_name_the_leg() {
    let far = Far::called("sip:101@203.0.113.9", "203.0.113.9:5060");
    let invite = &far.requests[0];
    assert!(invite.branch().unwrap().starts_with("z9hG4bK-acme.leg_1-"));
    assert!(invite.from_tag().unwrap().starts_with("acme.leg_1-"));
    assert_eq!(invite.header("Contact"), Some("<sip:acme.leg_1@192.0.2.1:5060>"));
}

#[test]
fn a_connection_is_used_again_until_the_far_end_comes_by_another() {
    let mut from = source("203.0.113.9:50000");
    (from.transport, from.flow) = (crate::Transport::Tcp, Some("flow-1".into()));
    let mut far = Far::calling(&invite(), from);
    far.act(|leg, ctx| leg.answer(media(Callee), ctx));
    assert_eq!(far.responses[0].header("Contact"), Some("<sip:acme.leg_1@192.0.2.1:5060;transport=tcp>"));
    far.source.flow = Some("flow-2".into());
    far.say(&request(&far, Method::ACK, 5));
    far.say(&request(&far, Method::INFO, 6));
    assert_eq!(far.leg.destination().unwrap().flow.as_deref(), Some("flow-2"));
    let mut again = far.source.destination();
    again.flow = Some("flow-3".into());
    far.act(|leg, _| {
        leg.reached_at(again);
        Vec::new()
    });
    far.act(|leg, ctx| leg.hang_up(None, ctx));
    assert_eq!(far.destinations.last().unwrap().flow.as_deref(), Some("flow-3"));
}

#[test]
fn a_dialog_over_a_connection_knows_where_to_connect_when_that_is_gone() {
    for (contact, routes, goes_to) in [
        ("sip:c@203.0.113.9:5080;transport=tcp", &[][..], "203.0.113.9:5080"),
        ("sip:c@203.0.113.9", &[], "203.0.113.9:5060"),
        ("sip:c@203.0.113.9:5080;transport=udp", &[], "203.0.113.9:50000"),
        ("sip:c@pbx.example.com", &[], "203.0.113.9:50000"),
        ("sip:c@10.0.0.5:5060", &[], "203.0.113.9:50000"),
        ("sip:c@10.0.0.5:5060", &["<sip:203.0.113.8:5090;transport=tcp;lr>"], "203.0.113.8:5090"),
    ] {
        let mut from = source("203.0.113.9:50000");
        (from.transport, from.flow) = (crate::Transport::Tcp, Some("flow-1".into()));
        let mut invite = invite();
        invite.set("Contact", format!("<{contact}>"));
        for route in routes {
            invite.push("Record-Route", route);
        }
        let mut far = Far::calling(&invite, from);
        assert_eq!(destination_of_bye(&mut far), goes_to, "{contact} {routes:?}");
        assert_eq!(far.destinations.last().unwrap().flow.as_deref(), Some("flow-1"));
    }
}

#[test]
fn over_a_websocket_there_is_no_way_but_back() {
    for (transport, contact) in [
        (crate::Transport::Ws, "sip:c@df7jal23ls0d.invalid;transport=ws"),
        (crate::Transport::Wss, "sip:c@df7jal23ls0d.invalid;transport=ws"),
        (crate::Transport::Ws, "sip:c@203.0.113.9:5080;transport=ws"),
        (crate::Transport::Ws, "sip:c@203.0.113.9:5080;transport=udp"),
    ] {
        let mut from = source("203.0.113.9:50000");
        (from.transport, from.flow) = (transport, Some("flow-1".into()));
        let mut invite = invite();
        invite.set("Contact", format!("<{contact}>"));
        let mut far = Far::calling(&invite, from.clone());
        far.act(|leg, ctx| leg.answer(media(Callee), ctx));
        let told = far.responses[0].header("Contact");
        assert_eq!(told, Some("<sip:acme.leg_1@192.0.2.1:5060;transport=ws>"), "{transport}");
        assert_eq!(far.leg.destination(), Some(&from.destination()), "{contact}");
        from.flow = Some("flow-2".into());
        far.source = from.clone();
        far.say(&request(&far, Method::ACK, 5));
        far.say(&request(&far, Method::INFO, 6));
        assert_eq!(far.leg.destination(), Some(&from.destination()), "it came by another one");
    }
}

#[test]
fn an_invite_whose_only_way_is_gone_has_failed_and_an_answered_one_has_not() {
    let mut far = Far::called("sip:101@df7jal23ls0d.invalid;transport=ws", "203.0.113.9:50000");
    far.say(&far.answer_to(0, 180, "a"));
    far.act(|leg, ctx| leg.unreachable(ctx));
    assert!(matches!(far.facts.last(), Some(Fact::Failed { status: 430, .. })), "{:?}", far.facts);
    assert_eq!(far.leg.state(), State::Ended);

    let mut far = Far::called("sip:101@df7jal23ls0d.invalid;transport=ws", "203.0.113.9:50000");
    far.say(&described(far.answer_to(0, 200, "a")));
    far.act(|leg, ctx| leg.unreachable(ctx));
    assert_eq!(far.leg.state(), State::Confirmed);
}

#[test]
fn a_new_target_over_a_connection_is_taken_with_the_connection_it_came_by() {
    let mut from = source("203.0.113.9:50000");
    (from.transport, from.flow) = (crate::Transport::Tcp, Some("flow-1".into()));
    let mut far = Far::calling(&invite(), from);
    far.act(|leg, ctx| leg.answer(media(Callee), ctx));
    far.say(&request(&far, Method::ACK, 5));
    far.source.remote = "203.0.113.9:50001".parse().unwrap();
    far.source.flow = Some("flow-2".into());
    far.say(&request(&far, Method::UPDATE, 6).with("Contact", "<sip:c@203.0.113.9:5090;transport=tcp>"));
    let destination = far.leg.destination().unwrap();
    assert_eq!((destination.address.port(), destination.flow.as_deref()), (5090, Some("flow-2")));
}

#[test]
fn the_ack_of_our_change_goes_where_its_2xx_says() {
    let mut far = Far::called("sip:101@203.0.113.9", "203.0.113.9:5060");
    far.say(&described(far.answer_to(0, 200, "a")));
    far.act(|leg, ctx| leg.offer(media(Caller), Direction::SendOnly, ctx));
    let mut ok = described(far.answer_to(2, 200, "a"));
    ok.set("Contact", "<sip:a@203.0.113.9:5099>");
    far.say(&ok);
    assert_eq!(far.said(), ["INVITE", "ACK", "INVITE", "ACK"]);
    assert_eq!(far.requests[3].request_uri().unwrap().to_string(), "sip:a@203.0.113.9:5099");
    assert_eq!(far.destinations[3].address.port(), 5099);
}

#[test]
fn a_strange_body_is_passed_over_where_that_is_allowed() {
    let strange = |message: Message, handling: &str| {
        message
            .with("Content-Disposition", format!("render;handling={handling}"))
            .with_body("application/pidf+xml", b"<presence/>".to_vec())
    };
    let mut bare = invite();
    bare.body.clear();
    bare.remove("Content-Type");
    let mut far = Far::calling(&strange(bare, "optional"), source("203.0.113.9:5060"));
    assert_eq!(far.facts, [], "an INVITE without offer");
    far.act(|leg, ctx| leg.answer(media(Callee), ctx));
    assert!(!far.responses[0].body.is_empty(), "so we make one");
    far.say(&described(request(&far, Method::ACK, 5)));
    far.say(&strange(request(&far, Method::UPDATE, 6), "optional"));
    far.say(&strange(request(&far, Method::UPDATE, 7), "required"));
    let statuses: Vec<_> = far.responses.iter().filter_map(Message::status).collect();
    assert_eq!(statuses, [200, 200, 415]);
}

#[test]
fn an_offer_in_prack_is_answered_as_the_one_before() {
    let mut invite = invite();
    invite.push("Supported", "100rel");
    let mut far = Far::calling(&invite, source("203.0.113.9:5060"));
    far.act(|leg, ctx| leg.ring(Some(media(Callee)), ctx));
    let rseq = far.responses[0].u32_of("RSeq").unwrap();
    let wrong = request(&far, Method::PRACK, 6).with("RAck", format!("{} 5 INVITE", rseq + 1));
    far.say(&wrong);
    let prack = described(request(&far, Method::PRACK, 7)).with("RAck", format!("{rseq} 5 INVITE"));
    far.say(&prack);
    far.say(&prack);
    let statuses: Vec<_> = far.responses.iter().filter_map(Message::status).collect();
    assert_eq!(statuses, [183, 481, 200, 200]);
    assert_eq!(far.responses[2].body, far.responses[0].body, "same session, same version");
    assert!(matches!(far.facts[..], [_, Fact::OfferAccepted { .. }]));
}

#[test]
fn replaces_is_taken_and_said_where_it_is_on() {
    let mut invite = invite();
    invite.push("Require", "replaces");
    let local = Local {
        contact_host: "h".into(),
        contact_user: "u".into(),
        user_agent: "x".into(),
        domain: "d".into(),
        replaces: Replacing::Unknown,
        fax: false,
    };
    for (replaces, is_said) in
        [(Replacing::Unknown, None), (Replacing::Known, Some(false)), (Replacing::Offered, Some(true))]
    {
        let (local, mut seed) = (Local { replaces, ..local.clone() }, Seed::new(1));
        let mut ctx = Ctx { now: 0, seed: &mut seed, local: &local };
        let taken = Leg::incoming(&invite, &source("203.0.113.9:5060"), &g711(), Security::Off, &mut ctx);
        let said = match taken {
            Err(reject) => {
                assert_eq!(reject.status, 420, "{replaces:?}");
                None
            }
            Ok((mut leg, _)) => {
                let out = leg.answer(media(Callee), &mut ctx);
                let [Output::Send(Outgoing::Response { message, .. })] = &out[..] else { panic!("{out:?}") };
                Some(Message::parse(message).unwrap().has_token("Supported", "replaces"))
            }
        };
        assert_eq!(said, is_said, "{replaces:?}");
    }
}
