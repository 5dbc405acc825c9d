//! What a caller says to a 200, by how far it is when that comes.

use mangrove_proto::edge::edge_event::Fact;
use mangrove_sip::Message;

use super::{FarEnd, Life, Outside, hear};
use crate::chronicle::Chronicle;
use crate::post::Post;

const CALLER: usize = 0;

fn outside_with(life: Life) -> Outside {
    let mut outside = Outside::new(1, Post::new(1), Chronicle::default(), None);
    let mut caller = FarEnd::caller("79160000000", "74951234567", 0, CALLER).expect("an INVITE");
    caller.life = life;
    outside.phones.add(caller);
    outside
}

fn answer(outside: &mut Outside) {
    let invite = Message::parse(&outside.phones.ends[CALLER].invite()).expect("an INVITE");
    let mut answer = Message::reply_to(&invite, 200).with("Contact", "<sip:acme.leg@10.0.1.1:5060>");
    answer.set_to_tag("ours");
    hear(outside, 0, "leg", &answer);
}

/// Number and method of all that the edge has for control.
fn said(outside: &Outside) -> Vec<String> {
    let one = |fact| match fact {
        Some(Fact::Received(received)) => {
            let message = Message::parse(&received.message).expect("a message");
            message.header("CSeq").unwrap_or_default().to_owned()
        }
        other => format!("{other:?}"),
    };
    outside.edges[0].events.batch().into_iter().map(|event| one(event.fact)).collect()
}

#[test]
fn who_gave_up_before_the_answer_came_ends_the_dialog_that_it_makes() {
    let table: [(Life, &[&str], Life); 4] = [
        (Life::Early, &["1 ACK"], Life::Up),
        (Life::Up, &["1 ACK"], Life::Up),
        (Life::Leaving, &["1 ACK", "2 BYE"], Life::Leaving),
        (Life::Over, &["1 ACK", "2 BYE"], Life::Leaving),
    ];
    for (before, says, after) in table {
        let mut outside = outside_with(before);
        answer(&mut outside);
        assert_eq!(said(&outside), says, "{before:?}");
        assert_eq!(outside.phones.ends[CALLER].life, after, "{before:?}");
    }
}

#[test]
fn an_answer_that_comes_again_is_only_acknowledged() {
    let mut outside = outside_with(Life::Over);
    answer(&mut outside);
    answer(&mut outside);
    outside.phones.ends[CALLER].life = Life::Over;
    answer(&mut outside);
    assert_eq!(said(&outside), ["1 ACK", "2 BYE", "1 ACK", "1 ACK"]);
}
