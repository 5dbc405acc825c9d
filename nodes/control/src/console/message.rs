//! What becomes of messages in boxes, by people and by those who do something about them outside.

use mangrove_domain::{
    Author, Command, MessageWish, State,
    mailbox::{Errand, Place},
};
use mangrove_proto::{control::MessageCommand, id::TenantId, service::Error};

use super::{author, settle};
use crate::control::Control;

/// A message's sound is gone: said by whoever has deleted it, and asked for by nobody.
const GONE: &str = "gone";

pub(super) async fn command(control: &Control, command: MessageCommand) -> Result<(), Error> {
    let wish = wish(&command.action)?;
    let place = Place { mailbox: command.mailbox.as_str().into(), number: command.message };
    carry_out(control, &command.tenant, place, wish, author(command.author)).await
}

fn wish(action: &str) -> Result<MessageWish, Error> {
    let mut asked = MessageWish::ASKED.into_iter();
    let known = asked.find(|wish| wish.action() == Some(action));
    let known = known.or((action == GONE).then_some(MessageWish::Gone));
    known.ok_or_else(|| Error::Refused {
        why: format!("`{action}` can't be done to a message: use one of hear, delete, gone"),
    })
}

async fn carry_out(
    control: &Control,
    tenant: &str,
    place: Place,
    wish: MessageWish,
    author: Author,
) -> Result<(), Error> {
    let (group, tenant) = control.home(tenant)?;
    // Only who has the message asks, so that nothing is written that an earlier build can't read.
    let state = group.shared.get().state;
    let known = state.tenant(&tenant).and_then(|tenant| tenant.messages(&place.mailbox));
    if known.is_none() {
        return Err(Error::NotFound { what: "such message".into() });
    }
    settle(group.proposer.ask(Command::CommandMessage { tenant, place, wish, author }).await?)
}

/// A message that is to be mailed.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Which one.
    pub errand: Errand,
    /// Where to; none: its box has no address any more.
    pub to: Option<String>,
    /// The company's.
    pub language: String,
}

fn mail(state: &State, errand: Errand) -> Option<Mail> {
    let config = state.tenant(&errand.tenant)?.config();
    let mailbox = config.voicemail.get(&errand.place.mailbox);
    let to = mailbox.and_then(|mailbox| mailbox.email.as_deref()).map(str::to_owned);
    Some(Mail { errand, to, language: config.language.to_string() })
}

impl Control {
    /// Messages whose sound is to be deleted, of the groups that this node leads.
    pub fn messages_to_delete(&self) -> Vec<Errand> {
        self.states_led().iter().flat_map(|state| state.deletion_due()).collect()
    }

    /// Messages of a tenant of this node's that were left before `before`, Unix milliseconds.
    pub fn messages_before(&self, tenant: &TenantId, before: u64) -> Vec<Errand> {
        self.states_led().iter().flat_map(|state| state.messages_before(tenant, before)).collect()
    }

    /// Messages that are to be mailed, of the groups that this node leads.
    pub fn messages_to_mail(&self) -> Vec<Mail> {
        let states = self.states_led();
        let due = states.iter().flat_map(|state| {
            let due = state.mail_due().into_iter();
            due.filter_map(move |errand| mail(state, errand))
        });
        due.collect()
    }

    /// Something was done about a message, or is to be done, by this node itself.
    pub async fn note_message(&self, errand: &Errand, wish: MessageWish) -> Result<(), Error> {
        let author = Author { name: "mangrove".into(), address: String::new() };
        carry_out(self, errand.tenant.as_str(), errand.place.clone(), wish, author).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_known_by_their_words() {
        for (word, expected) in
            [("hear", MessageWish::Hear), ("delete", MessageWish::Delete), ("gone", MessageWish::Gone)]
        {
            assert!(wish(word).is_ok_and(|found| found == expected), "{word}");
        }
        for word in ["mailed", "", "erase"] {
            assert!(matches!(wish(word), Err(Error::Refused { why }) if why.contains("delete")), "{word}");
        }
    }
}
