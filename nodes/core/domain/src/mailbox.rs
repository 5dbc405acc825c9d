//! Messages that callers have left, by box. They lie in the state until somebody deletes them, for phones show that there
//! are new ones and each is mailed once; their sound lies in the object store. A message is there from the moment at which
//! its caller has ended it; when its sound is in the store it may be heard and is mailed. What is deleted is not shown any
//! more and stays until its sound is gone.

use std::sync::Arc;

use imbl::OrdMap;
use mangrove_proto::{
    id::{CallId, TenantId},
    live::CdrRecording,
    voicemail,
};
use serde::{Deserialize, Serialize};

use crate::{
    config::{self, Owner},
    state::State,
    tenant::Tenant,
};

/// Messages in one box, deleted ones included, at most.
const MOST: usize = 500;

/// A box's messages by number; the numbers rise in the order in which they were left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Messages(OrdMap<u64, Arc<Message>>);

/// What one caller has left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// In which call.
    pub call: CallId,
    /// The caller's number or extension.
    pub caller: String,
    /// When it was begun, Unix milliseconds.
    pub at: u64,
    /// Its recording's name.
    pub recording: String,
    /// Key of its sound in the object store.
    pub object: String,
    /// How long it is.
    pub duration_ms: u64,
    /// Names its sound's bytes; none while they are on their way into the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Somebody has heard it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub heard: bool,
    /// It is still to be mailed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mail_due: bool,
    /// Its sound is still to be deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

/// Where a message lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The box's name.
    pub mailbox: Arc<str>,
    /// Its number there.
    pub number: u64,
}

/// Something that is to be done outside about a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// Whose.
    pub tenant: TenantId,
    /// Which one.
    pub place: Place,
    /// It.
    pub message: Arc<Message>,
}

impl Messages {
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() >= MOST
    }

    pub(crate) fn add(&mut self, number: u64, message: Message) {
        self.0.insert(number, Arc::new(message));
    }

    fn change(&mut self, number: u64) -> Option<&mut Message> {
        self.0.get_mut(&number).map(Arc::make_mut)
    }

    fn forget(&mut self, number: u64) {
        self.0.remove(&number);
    }

    /// Those that are not deleted, the oldest first.
    pub fn shown(&self) -> impl Iterator<Item = (u64, &Message)> {
        self.all().map(|(number, message)| (number, message.as_ref())).filter(|(_, message)| !message.deleted)
    }

    fn all(&self) -> impl Iterator<Item = (u64, &Arc<Message>)> {
        self.0.iter().map(|(number, message)| (*number, message))
    }
}

impl Message {
    /// The sound is in the store.
    pub(crate) fn store(&mut self, sound: &CdrRecording) {
        self.duration_ms = sound.duration_ms;
        self.object.clone_from(&sound.object);
        self.sha256 = Some(sound.sha256.clone());
    }
}

impl Tenant {
    /// A box's messages; none where nobody has left one yet.
    pub fn messages(&self, mailbox: &str) -> Option<&Messages> {
        self.mailboxes.get(mailbox).map(Arc::as_ref)
    }

    pub(crate) fn messages_mut(&mut self, mailbox: &Arc<str>) -> &mut Messages {
        Arc::make_mut(self.mailboxes.entry(mailbox.clone()).or_default())
    }

    /// A message that is there.
    pub(crate) fn message_mut(&mut self, place: &Place) -> Option<&mut Message> {
        Arc::make_mut(self.mailboxes.get_mut(&place.mailbox)?).change(place.number)
    }

    /// A message's sound is gone, and with the last message of a box what was kept of that.
    pub(crate) fn forget_message(&mut self, place: &Place) {
        let Some(messages) = self.mailboxes.get_mut(&place.mailbox).map(Arc::make_mut) else { return };
        messages.forget(place.number);
        if messages.0.is_empty() {
            self.mailboxes.remove(&place.mailbox);
        }
    }

    /// Sound whose call is forgotten is in the store. False: it is no message's.
    pub(crate) fn store_late(&mut self, call: CallId, sound: &CdrRecording) -> bool {
        let is_it = |message: &Message| message.call == call && message.recording == sound.id;
        let found = self.mailboxes.iter().find_map(|(mailbox, messages)| {
            let (number, _) = messages.all().find(|(_, message)| is_it(message))?;
            Some((mailbox.clone(), number))
        });
        let Some((mailbox, number)) = found else { return false };
        if let Some(message) = self.message_mut(&Place { mailbox, number }) {
            message.store(sound);
        }
        true
    }

    /// All boxes as pages show them, those that are not configured any more while they have messages.
    pub fn voicemail(&self) -> Vec<voicemail::Mailbox> {
        let empty = self.config.voicemail.keys().filter(|name| !self.mailboxes.contains_key(*name));
        let mut names: Vec<&Arc<str>> = empty.chain(self.mailboxes.keys()).collect();
        names.sort_unstable();
        let boxes = names.into_iter().map(|name| shown(name, self.config.voicemail.get(name), self));
        boxes
            .filter(|(is_configured, shown)| *is_configured || !shown.messages.is_empty())
            .map(|it| it.1)
            .collect()
    }
}

fn shown(name: &str, config: Option<&config::Mailbox>, tenant: &Tenant) -> (bool, voicemail::Mailbox) {
    let (employee, group) = match config.map(|config| &config.owner) {
        Some(Owner::Employee(id)) => (Some(id.clone()), None),
        Some(Owner::Group(id)) => (None, Some(id.clone())),
        None => (None, None),
    };
    let messages = tenant.messages(name).into_iter().flat_map(Messages::shown);
    let messages = messages.map(|(id, message)| voicemail::Message {
        id,
        call: message.call,
        caller: message.caller.clone(),
        at: message.at,
        duration_ms: message.duration_ms,
        heard: message.heard,
        stored: message.sha256.is_some(),
        recording: message.recording.clone(),
        object: message.object.clone(),
        sha256: message.sha256.clone().unwrap_or_default(),
    });
    let mut messages: Vec<_> = messages.collect();
    messages.reverse();
    (config.is_some(), voicemail::Mailbox { name: name.to_owned(), employee, group, messages })
}

impl State {
    /// Messages that are still to be mailed and whose sound can be read.
    pub fn mail_due(&self) -> Vec<Errand> {
        self.errands(|message, _| message.mail_due && !message.deleted && message.sha256.is_some())
    }

    /// Messages whose sound is still to be deleted. What is on its way into the store is waited for: it would lie there for
    /// ever.
    pub fn deletion_due(&self) -> Vec<Errand> {
        self.errands(|message, tenant| {
            message.deleted && (message.sha256.is_some() || tenant.call(message.call).is_none())
        })
    }

    /// Messages that were left before `before`, and are not deleted.
    pub fn messages_before(&self, tenant: &TenantId, before: u64) -> Vec<Errand> {
        self.errands(|message, of| of.config.id == *tenant && !message.deleted && message.at < before)
    }

    /// Those of tenants that are about to leave are their next home's: what is done about them could not be noted here.
    fn errands(&self, is_due: impl Fn(&Message, &Tenant) -> bool) -> Vec<Errand> {
        let mut errands = Vec::new();
        for (id, tenant) in self.tenants.iter().filter(|(id, _)| !self.is_leaving(id)) {
            for (mailbox, messages) in &tenant.mailboxes {
                let due = messages.all().filter(|(_, message)| is_due(message, tenant));
                errands.extend(due.map(|(number, message)| Errand {
                    tenant: id.clone(),
                    place: Place { mailbox: mailbox.clone(), number },
                    message: message.clone(),
                }));
            }
        }
        errands
    }
}
