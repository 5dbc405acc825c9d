//! Takes what edges and media nodes report and puts it into the group's log, in the sender's order.

use async_trait::async_trait;
use mangrove_domain::{Command, Reply, Sender};
use mangrove_proto::{
    common::Ack,
    edge::EdgeEvents,
    media::MediaEvents,
    service::{self, Error},
};
use tokio::sync::oneshot;

use crate::{control::Control, proposer::Outcome};

#[async_trait]
impl service::Control for Control {
    async fn deliver_edge(&self, events: EdgeEvents) -> Result<Ack, Error> {
        let sender = sender(events.sender)?;
        let proposer = self.proposer(events.group)?;
        let mut outcomes = Vec::with_capacity(events.events.len());
        for event in events.events {
            let sequence = event.sequence;
            outcomes
                .push((sequence, proposer.submit(Command::EdgeReported { sender: sender.clone(), event })));
        }
        acknowledge(events.group, outcomes).await
    }

    async fn deliver_media(&self, events: MediaEvents) -> Result<Ack, Error> {
        let sender = sender(events.sender)?;
        let proposer = self.proposer(events.group)?;
        let mut outcomes = Vec::with_capacity(events.events.len());
        for event in events.events {
            let sequence = event.sequence;
            outcomes
                .push((sequence, proposer.submit(Command::MediaReported { sender: sender.clone(), event })));
        }
        acknowledge(events.group, outcomes).await
    }
}

/// Acknowledges up to the last event before the first that failed.
async fn acknowledge(group: u64, outcomes: Vec<(u64, oneshot::Receiver<Outcome>)>) -> Result<Ack, Error> {
    let mut committed = None;
    for (sequence, outcome) in outcomes {
        match outcome.await.unwrap_or(Err(Error::NoLeader { group })).map(|done| done.reply) {
            Ok(Reply::Gap { .. }) if committed.is_none() => return Err(gap(group)),
            Ok(Reply::Gap { .. }) => break,
            Ok(_) => committed = Some(sequence),
            Err(error) if committed.is_none() => return Err(error),
            Err(_) => break,
        }
    }
    Ok(Ack { sequence: committed.unwrap_or_default() })
}

/// Events before these did not get in: the sender repeats from the first that was not acknowledged.
fn gap(group: u64) -> Error {
    Error::Unavailable { what: format!("group {group}"), why: "events before these are missing".into() }
}

fn sender(sender: Option<mangrove_proto::common::Sender>) -> Result<Sender, Error> {
    let sender = sender.ok_or_else(|| Error::Refused { why: "events without a sender".into() })?;
    Ok(Sender { node: sender.node, run: sender.run })
}
