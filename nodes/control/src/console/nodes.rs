//! The cluster's nodes, for operators; and what this role tells of itself to the other members.

use std::time::Instant;

use mangrove_membership::{self as membership, Cluster, DIRECTORY, OwnReport};
use mangrove_proto::{control::NodeCommand, service::Error};

use super::{author, status::is_idle};
use crate::control::Control;

pub(crate) async fn command(cluster: &Cluster, command: NodeCommand) -> Result<(), Error> {
    let NodeCommand { author: who, node, action } = command;
    let done = match action.as_str() {
        "drain" => cluster.drain_node(&node, true).await,
        "undrain" => cluster.drain_node(&node, false).await,
        "leave" => cluster.leave_node(&node).await,
        "replace" => cluster.replace_node(&node).await,
        other => {
            let why = format!("`{other}` can't be done to a node: drain, undrain, leave, replace");
            return Err(Error::Refused { why });
        }
    };
    done.map_err(refusal)?;
    tracing::info!(node, action, author = author(who).name, "an operator changed the cluster");
    Ok(())
}

fn refusal(error: membership::Error) -> Error {
    match error {
        membership::Error::Refused(refusal) => Error::Refused { why: refusal.to_string() },
        membership::Error::UnknownNode(name) => Error::NotFound { what: format!("node `{name}`") },
        membership::Error::Raft(_) => Error::NoLeader { group: DIRECTORY.into() },
        other => Error::Unavailable { what: "the directory".into(), why: other.to_string() },
    }
}

impl Control {
    /// What this role tells of itself, for `Cluster::report_with`: the calls of the groups led here, and groups whose
    /// commands nobody carries out. The binary adds what the other roles know.
    pub fn own_report(&self) -> OwnReport {
        let groups = self.groups();
        let led = groups.iter().filter(|group| group.is_led());
        let calls: usize = led.map(|group| crate::shard::call_count(&group.shared.get().state)).sum();
        let idle = groups.iter().filter(|group| is_idle(self.cluster(), group));
        let trouble = idle
            .map(|group| format!("group {} is led here and nobody carries its commands out", group.id))
            .collect();
        let alarms = self.waits().alarm(Instant::now()).into_iter().collect();
        OwnReport { figures: vec![("calls".into(), calls as u64)], trouble, alarms }
    }
}
