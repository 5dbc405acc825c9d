//! Senders of numbered events: which of their incarnations is heard.

use super::{Directory, Refusal, Reply};

impl Directory {
    pub(super) fn start_sender(&mut self, sender: String, incarnation: u64) -> Result<Reply, Refusal> {
        match self.senders.get(&sender) {
            Some(known) if *known > incarnation => Err(Refusal::StaleSender { known: *known, sender }),
            _ => {
                self.senders.insert(sender, incarnation);
                Ok(Reply::Done)
            }
        }
    }

    pub(super) fn retire_sender(&mut self, sender: &str) -> Result<Reply, Refusal> {
        self.senders.remove(sender);
        Ok(Reply::Done)
    }
}
