use super::*;
use crate::Transport;
use crate::message::Method;

fn register(cseq: u32) -> Message {
    Message::request(Method::REGISTER, "sip:acme.example")
        .with("Via", "SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK1;rport")
        .with("From", "<sip:101@acme.example>;tag=f")
        .with("To", "<sip:101@acme.example>")
        .with("Call-ID", "c1")
        .with("CSeq", format!("{cseq} REGISTER"))
}

fn source() -> Source {
    Source {
        transport: Transport::Udp,
        remote: "203.0.113.9:40000".parse().unwrap(),
        local: "192.0.2.1:5060".parse().unwrap(),
        flow: None,
    }
}

fn contacts(bindings: &Bindings, now: u64) -> Vec<String> {
    bindings.live(now).map(|binding| binding.contact.to_string()).collect()
}

#[test]
fn contacts_are_added_refreshed_and_removed() {
    let mut bindings = Bindings::default();
    let first = register(1).with("Contact", "<sip:a@10.0.0.5>;expires=120");
    let registered = bindings.register(&first, &source(), 0).unwrap();
    assert!(registered.changed);
    assert_eq!(registered.response.header("Contact"), Some("<sip:a@10.0.0.5>;expires=120"));
    let refresh = register(2).with("Contact", "<sip:%61@10.0.0.5>").with("Expires", "9999");
    assert!(bindings.register(&refresh, &source(), 1000).unwrap().changed, "its spelling is new");
    let again = register(3).with("Contact", "<sip:%61@10.0.0.5>").with("Expires", "9999");
    let registered = bindings.register(&again, &source(), 2000).unwrap();
    assert!(!registered.changed);
    assert_eq!(registered.response.header("Contact"), Some("<sip:%61@10.0.0.5>;expires=3600"));
    assert_eq!(bindings.next_expiry(), Some(3_602_000));
    let gone = register(4).with("Contact", "<sip:a@10.0.0.5>;expires=0");
    assert!(bindings.register(&gone, &source(), 3000).unwrap().changed);
    assert!(bindings.is_empty());
}

#[test]
fn a_question_is_answered_with_what_is_live() {
    let mut bindings = Bindings::default();
    let two = register(1).with("Contact", "<sip:a@h>;q=0.5").with("Contact", "<sip:b@h>;expires=60");
    bindings.register(&two, &source(), 0).unwrap();
    let answer = bindings.register(&register(2), &source(), 59_001).unwrap();
    let found: Vec<_> = answer.response.headers("Contact").collect();
    assert_eq!(found, ["<sip:b@h>;expires=1", "<sip:a@h>;q=0.500;expires=3541"]);
    assert_eq!(bindings.expire(60_000).len(), 1);
    assert_eq!(contacts(&bindings, 60_000), ["sip:a@h"]);
}

#[test]
fn a_star_removes_all_only_with_expires_0() {
    let mut bindings = Bindings::default();
    bindings.register(&register(1).with("Contact", "<sip:a@h>"), &source(), 0).unwrap();
    for wrong in [
        register(2).with("Contact", "*"),
        register(2).with("Contact", "*").with("Expires", "60"),
        register(2).with("Contact", "*").with("Contact", "<sip:a@h>").with("Expires", "0"),
    ] {
        assert_eq!(bindings.register(&wrong, &source(), 0).unwrap_err().status, 400);
    }
    let star = register(2).with("Contact", "*").with("Expires", "0");
    assert!(bindings.register(&star, &source(), 0).unwrap().changed);
    assert!(bindings.is_empty());
}

#[test]
fn older_requests_change_nothing_and_repeated_ones_no_more() {
    let mut bindings = Bindings::default();
    let latest = register(5).with("Contact", "<sip:a@h>");
    bindings.register(&latest, &source(), 0).unwrap();
    let late = register(4).with("Contact", "<sip:a@h>;expires=0");
    assert_eq!(bindings.register(&late, &source(), 1).unwrap_err().status, 500);
    assert_eq!(
        bindings
            .register(&register(1).with("Contact", "*").with("Expires", "0"), &source(), 1)
            .unwrap_err()
            .status,
        500
    );
    assert!(!bindings.register(&latest, &source(), 0).unwrap().changed);
    let mut restarted = register(1).with("Contact", "<sip:a@h>;expires=0");
    restarted.set("Call-ID", "c2");
    assert!(bindings.register(&restarted, &source(), 1).unwrap().changed);
}

#[test]
fn a_wish_is_carried_out_whole_or_not_at_all() {
    let mut bindings = Bindings::default();
    let mixed = register(1).with("Contact", "<sip:a@h>").with("Contact", "<sip:b@h>;expires=59");
    let refused = bindings.register(&mixed, &source(), 0).unwrap_err();
    assert_eq!((refused.status, refused.answer(&mixed).header("Min-Expires")), (423, Some("60")));
    assert!(bindings.is_empty());
    let many = |from: usize, to: usize| {
        (from..to).fold(register(1), |all, n| all.with("Contact", format!("<sip:{n}@h>")))
    };
    assert_eq!(bindings.register(&many(0, MAX_BINDINGS + 1), &source(), 0).unwrap_err().status, 403);
    assert!(bindings.is_empty());
    bindings.register(&many(0, MAX_BINDINGS), &source(), 0).unwrap();
    assert_eq!(
        bindings.register(&many(MAX_BINDINGS, MAX_BINDINGS + 1), &source(), 0).unwrap_err().status,
        403
    );
    let malformed = many(0, MAX_BINDINGS).with("Contact", "<mailto:a@b>");
    assert_eq!(bindings.register(&malformed, &source(), 0).unwrap_err().status, 403, "not even read");
}

#[test]
fn only_sip_addresses_are_registered() {
    for (to, contact) in
        [("<isbn:2983792873>", "<sip:a@h>"), ("<sip:a@h>", "<name:John_Smith>"), ("<sip:a@h>", "<tel:+1>")]
    {
        let mut request = register(1).with("Contact", contact);
        request.set("To", to);
        assert_eq!(Bindings::default().register(&request, &source(), 0).unwrap_err().status, 400);
    }
}

#[test]
fn a_registered_uri_smuggles_no_route() {
    let mut bindings = Bindings::default();
    let request = register(1).with("Contact", "<sip:a@h;x=1?Route=%3Csip:evil.example%3E>");
    bindings.register(&request, &source(), 0).unwrap();
    assert_eq!(contacts(&bindings, 0), ["sip:a@h;x=1"]);
}

#[test]
fn flows_of_one_device_stand_beside_each_other() {
    let mut bindings = Bindings::default();
    let flow = |cseq, id, port| {
        register(cseq)
            .with("Supported", "outbound")
            .with("Contact", format!("<sip:a@h:{port}>;reg-id={id};+sip.instance=\"<urn:uuid:1>\""))
    };
    let answer = bindings.register(&flow(1, 1, 5060), &source(), 0).unwrap().response;
    assert_eq!(answer.header("Require"), Some("outbound"));
    bindings.register(&flow(2, 2, 5060), &source(), 0).unwrap();
    bindings.register(&flow(3, 1, 6000), &source(), 1).unwrap();
    assert_eq!(contacts(&bindings, 1), ["sip:a@h:6000", "sip:a@h:5060"]);
    let binding = bindings.live(1).next().unwrap();
    assert_eq!(
        (binding.instance.as_deref(), binding.reg_id, binding.outbound),
        (Some("<urn:uuid:1>"), Some(1), true)
    );
}

#[test]
fn a_lost_connection_takes_its_bindings_along() {
    let mut bindings = Bindings::default();
    let over_tcp = Source { transport: Transport::Tcp, flow: Some("f1".into()), ..source() };
    bindings.register(&register(1).with("Contact", "<sip:a@h>"), &over_tcp, 0).unwrap();
    bindings.register(&register(2).with("Contact", "<sip:b@h>"), &source(), 0).unwrap();
    assert_eq!(bindings.drop_flow("f1").len(), 1);
    assert_eq!(contacts(&bindings, 0), ["sip:b@h"]);
}

#[test]
fn requests_go_where_the_contact_listens() {
    let destination = |contact: &str, path: Option<&str>| {
        let mut bindings = Bindings::default();
        let mut request = register(1).with("Contact", contact);
        if let Some(path) = path {
            request.push("Path", path);
        }
        bindings.register(&request, &source(), 0).unwrap();
        let destination = bindings.live(0).next().unwrap().destination();
        format!("{}/{}", destination.address, destination.transport)
    };
    assert_eq!(destination("<sip:a@10.0.0.5:5060>", None), "203.0.113.9:40000/udp");
    assert_eq!(destination("<sip:a@203.0.113.9:5070>", None), "203.0.113.9:5070/udp");
    assert_eq!(
        destination("<sip:a@10.0.0.5>", Some("<sip:203.0.113.9:5080;transport=tcp;lr>")),
        "203.0.113.9:5080/tcp"
    );
    assert_eq!(destination("<sip:a@10.0.0.5>", Some("<sip:edge.example;lr>")), "203.0.113.9:40000/udp");
}

#[test]
fn a_connection_is_kept_and_the_contact_is_where_to_connect_again() {
    let over_tcp = Source { transport: Transport::Tcp, flow: Some("f1".into()), ..source() };
    for (contact, address) in [
        ("<sip:a@203.0.113.9:5070;transport=tcp>", "203.0.113.9:5070"),
        ("<sip:a@203.0.113.9:5070>", "203.0.113.9:40000"),
        ("<sip:a@10.0.0.5:5070;transport=tcp>", "203.0.113.9:40000"),
    ] {
        let mut bindings = Bindings::default();
        bindings.register(&register(1).with("Contact", contact), &over_tcp, 0).unwrap();
        let destination = bindings.live(0).next().unwrap().destination();
        assert_eq!(
            (destination.address.to_string().as_str(), destination.flow.as_deref()),
            (address, Some("f1"))
        );
    }
}

#[test]
fn who_registered_over_a_websocket_is_reached_by_it_alone() {
    for (transport, contact, path) in [
        (Transport::Ws, "<sip:a@df7jal23ls0d.invalid;transport=ws>", None),
        (Transport::Wss, "<sip:a@df7jal23ls0d.invalid;transport=ws>", None),
        (Transport::Ws, "<sip:a@203.0.113.9:5070;transport=ws>", None),
        (Transport::Ws, "<sip:a@203.0.113.9:5070>", Some("<sip:203.0.113.9:5080;transport=tcp;lr>")),
    ] {
        let websocket = Source { transport, flow: Some("f1".into()), ..source() };
        let mut request = register(1).with("Contact", contact);
        if let Some(path) = path {
            request.push("Path", path);
        }
        let mut bindings = Bindings::default();
        bindings.register(&request, &websocket, 0).unwrap();
        assert_eq!(bindings.live(0).next().unwrap().destination(), websocket.destination(), "{contact}");
        assert_eq!(bindings.drop_flow("f1").len(), 1);
    }
}

#[test]
fn a_path_leads_nowhere_but_back_to_its_sender() {
    for path in ["<sip:192.0.2.77:5060;lr>", "<sip:[::1]:5060;lr>", "<sip:127.0.0.1;transport=tcp;lr>"] {
        let mut bindings = Bindings::default();
        let request = register(1).with("Contact", "<sip:74950000000@192.0.2.77>").with("Path", path);
        bindings.register(&request, &source(), 0).unwrap();
        assert_eq!(bindings.live(0).next().unwrap().destination(), source().destination(), "{path}");
    }
}

#[test]
fn bindings_are_plain_data() {
    let mut bindings = Bindings::default();
    bindings.register(&register(1).with("Contact", "<sip:a@h>"), &source(), 0).unwrap();
    let text = serde_json::to_string(&bindings).unwrap();
    assert_eq!(serde_json::from_str::<Bindings>(&text).unwrap(), bindings);
}
