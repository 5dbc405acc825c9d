use proptest::prelude::*;

use super::*;

#[test]
fn uris_are_read_and_written_back() {
    for text in [
        "sip:alice@example.com",
        "sips:alice:secret@example.com:5061;transport=tcp;lr?subject=x&priority=urgent",
        "sip:[2001:db8::10]:5070",
        "sip:user@[2001:db8::192.0.2.1]",
        "sip:user;par=u%40example.net@example.com",
        "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
        "sip:+13035551111@gw.example.net;user=phone",
        "tel:+1-201-555-0123;phone-context=example.com",
        "urn:service:sos",
        "soap.beep://192.0.2.103:3002",
    ] {
        assert_eq!(Uri::parse(text).map(|uri| uri.to_string()).as_deref(), Ok(text));
    }
}

#[test]
fn malformed_uris_say_why() {
    for (text, error) in [
        ("alan@jasomi.com", Error::Scheme),
        ("<sip:user@example.com>", Error::Scheme),
        ("sip:user@example.com; lr", Error::Character),
        (" sip:a@b", Error::Scheme),
        ("sip:2001:db8::10", Error::Port),
        ("sip:user@[2001:db8:::192.0.2.1]", Error::Host),
        ("sip:user@", Error::Host),
        ("sip:@example.com", Error::User),
        ("sip:a@b:99999", Error::Port),
        ("sip:a@b:+80", Error::Port),
        ("sip:a@b;;x", Error::Parameter),
        ("tel:abc-xyz", Error::User),
        ("mailto:", Error::Host),
    ] {
        assert_eq!(Uri::parse(text), Err(error), "{text}");
    }
}

#[test]
fn parts_of_a_uri_are_found() {
    let uri = Uri::parse("sip:sips%3Auser%40example.com@192.0.2.7;transport=TCP").unwrap();
    assert_eq!(uri.user().as_deref(), Some("sips:user@example.com"));
    assert_eq!(uri.transport(), Some(Transport::Tcp));
    assert_eq!(uri.address(), "192.0.2.7:5060".parse().ok());
    let semicolon = Uri::parse("sip:user;par=u%40example.net@example.com").unwrap();
    assert_eq!(semicolon.user.as_deref(), Some("user;par=u%40example.net"));
    assert_eq!(Uri::parse("sips:[2001:db8::10]").unwrap().address(), "[2001:db8::10]:5061".parse().ok());
}

#[test]
fn numbers_lose_their_separators() {
    for (text, number) in [
        ("tel:+1-201-555-0123", Some("+12015550123")),
        ("sip:+7(495)123.45.67;npdi@example.com", Some("+74951234567")),
        ("sip:*21%23@example.com", Some("*21#")),
        ("sip:alice@example.com", None),
        ("sip:example.com", None),
    ] {
        assert_eq!(Uri::parse(text).unwrap().number().as_deref(), number, "{text}");
    }
}

#[test]
fn equivalence_follows_the_examples_of_rfc_3261() {
    for (left, right, same) in [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on", true),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            true,
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            true,
        ),
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false),
        ("sip:%00@host5.example.com", "sip:%00%00@host5.example.com", false),
        ("tel:+1-201-555-0123", "tel:+12015550123", true),
    ] {
        let (a, b) = (Uri::parse(left).unwrap(), Uri::parse(right).unwrap());
        assert_eq!((a.equivalent(&b), b.equivalent(&a)), (same, same), "{left} and {right}");
    }
}

#[test]
fn addresses_are_read_in_every_form() {
    let read = |text: &str| {
        let address = NameAddr::parse(text).unwrap();
        (address.display.clone(), address.uri.to_string(), address.params.to_string())
    };
    let of = |display: Option<&str>, uri: &str, params: &str| {
        (display.map(str::to_owned), uri.to_owned(), params.to_owned())
    };
    assert_eq!(read("sip:a@b;tag=1"), of(None, "sip:a@b", ";tag=1"));
    assert_eq!(read("<sip:a@b;lr>;tag=1"), of(None, "sip:a@b;lr", ";tag=1"));
    assert_eq!(read("caller<sip:a@b>;tag=323"), of(Some("caller"), "sip:a@b", ";tag=323"));
    assert_eq!(
        read("\"J Rosenberg \\\\\\\"\"       <sip:a@b> ; tag = 98asjd8"),
        of(Some("J Rosenberg \\\""), "sip:a@b", ";tag=98asjd8")
    );
    assert_eq!(read("\"<not:this>;\" <sip:a@b>;p=\"x;y\""), of(Some("<not:this>;"), "sip:a@b", ";p=\"x;y\""));
}

#[test]
fn malformed_addresses_say_why() {
    for (text, error) in [
        ("\"Mr. J. User <sip:j.user@example.com>", Error::Quote),
        ("\"Watson\" < sip:t.watson@example.org >", Error::Scheme),
        ("sip:user@example.com?Route=%3Csip:sip.example.com%3E", Error::NeedsBrackets),
        ("\"Joe\" <sip:joe@example.org>;;;;", Error::Parameter),
        ("<sip:joe@example.org", Error::Bracket),
        ("<sip:joe@example.org> x", Error::Bracket),
    ] {
        assert_eq!(NameAddr::parse(text), Err(error), "{text}");
    }
}

#[test]
fn a_tag_is_found_without_reading_the_address() {
    assert_eq!(tag_of("\";tag=no\" <sip:a@b;tag=no> ; x ; Tag = yes"), Some("yes"));
    assert_eq!(tag_of("sip:a@b"), None);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        let _ = Uri::parse(&text);
        let _ = NameAddr::parse(&text);
    }

    #[test]
    fn what_was_read_is_written_so_that_it_reads_the_same(
        text in "(\"[a-z\\\\\" ]{0,6}\" )?<sips?:[a-z%0-9;?]{0,5}@?[a-z.\\[\\]:0-9]{1,8}(;[a-z]{1,3}(=[a-z\"]{1,3})?){0,3}>(;[a-z]{1,3}=[a-z\"]{0,4}){0,3}"
    ) {
        if let Ok(address) = NameAddr::parse(&text) {
            prop_assert_eq!(NameAddr::parse(&address.to_string()), Ok(address));
        }
    }
}
