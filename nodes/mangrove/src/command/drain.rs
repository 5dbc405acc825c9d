//! `mangrove drain NODE`: takes leads, addresses with their calls, and replicas from a node, and waits until that is done.
//! Where addresses stay, the calls' sound leaves them.

use std::time::Duration;

use anyhow::{Result, bail};
use mangrove_membership::NodeStatus;
use serde_json::json;

use super::{Session, nodes::read};
use crate::{arguments::Format, output};

const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// How far a draining is.
#[derive(Debug, PartialEq, Eq)]
enum Progress {
    /// Still to go: groups led, members' addresses carried, replicas held, streams of calls that leave addresses which stay.
    Going { leads: usize, addresses: usize, replicas: usize, streams: usize },
    /// Done; what stays nobody else can take.
    Done(Kept),
    /// It does not answer: others have taken the leads, nothing tells how far its replicas are.
    Silent,
}

/// What stays on a drained node.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    replicas: usize,
    /// Members whose addresses, and what is signalled there, it carries to their end.
    addresses: Vec<String>,
}

/// Returns when nothing is led on the node and nothing is there that others can take; at once unless `wait`.
pub(crate) async fn drain(session: &Session, node: &str, wait: bool) -> Result<()> {
    session.client.post(&["cluster", "nodes", node, "drain"]).await?;
    if !wait {
        return output::show(session.arguments.output, &json!({ "draining": node }), || {
            format!("{node} drains; `mangrove nodes` shows how far it is\n")
        });
    }
    let kept = finished(session, node).await?;
    output::show(
        session.arguments.output,
        &json!({ "drained": node, "replicas_kept": kept.replicas, "addresses_kept": kept.addresses }),
        || said(node, &kept),
    )
}

fn said(node: &str, kept: &Kept) -> String {
    let replicas = match kept.replicas {
        0 => format!("{node} is drained: it may be stopped or leave\n"),
        some => format!(
            "{node} leads nothing and may be stopped; {some} replicas stay, too few others can hold them\n"
        ),
    };
    match kept.addresses.join(", ") {
        none if none.is_empty() => replicas,
        some => {
            format!(
                "{replicas}the addresses of {some} can't move: calls that are signalled there end, or move when it stops\n"
            )
        }
    }
}

pub(crate) async fn end_drain(session: &Session, node: &str) -> Result<()> {
    session.client.delete(&["cluster", "nodes", node, "drain"]).await?;
    output::show(session.arguments.output, &json!({ "undrained": node }), || {
        format!("{node} takes its share again\n")
    })
}

async fn finished(session: &Session, node: &str) -> Result<Kept> {
    let mut told = Progress::Silent;
    loop {
        let nodes = read(session).await?.1;
        let Some(status) = nodes.iter().find(|status| status.name == node && status.draining) else {
            bail!("{node} does not drain any more: it has left, or somebody ended it");
        };
        let now = progress(status);
        match now {
            Progress::Done(kept) => return Ok(kept),
            Progress::Silent if !status.alive => {
                bail!("{node} does not answer; `mangrove leave {node}` lets it go")
            }
            Progress::Going { leads, addresses, replicas, streams }
                if now != told && session.arguments.output == Format::Text =>
            {
                eprintln!(
                    "{node}: {leads} groups led, {addresses} nodes' addresses, {replicas} replicas, {streams} streams"
                );
            }
            _ => {}
        }
        told = now;
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

fn progress(status: &NodeStatus) -> Progress {
    let Some(report) = &status.report else { return Progress::Silent };
    let figure = |name: &str| report.figures.get(name).map_or(0, |count| *count as usize);
    let carried = figure("carried");
    // What others can't take, and nothing leaves, is not waited for.
    let streams = if status.left > 0 { figure("streams") } else { 0 };
    let is_idle = report.leads == 0 && status.planned_leads == 0 && status.movable == 0;
    if is_idle && streams == 0 && report.replicas == status.planned && carried <= status.carries.len() {
        return Progress::Done(Kept { replicas: status.planned, addresses: status.carries.clone() });
    }
    Progress::Going { leads: report.leads, addresses: carried, replicas: report.replicas, streams }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::nodes::tests::status;

    fn going(leads: usize, addresses: usize, replicas: usize) -> Progress {
        Progress::Going { leads, addresses, replicas, streams: 0 }
    }

    /// It carries its own addresses to their end.
    fn done(replicas: usize) -> Progress {
        Progress::Done(Kept { replicas, addresses: vec!["a".into()] })
    }

    #[test]
    fn what_stays_is_said() {
        let text = |replicas, addresses: &[&str]| {
            said(
                "b",
                &Kept { replicas, addresses: addresses.iter().map(|name| (*name).to_owned()).collect() },
            )
        };
        assert_eq!(text(0, &[]), "b is drained: it may be stopped or leave\n");
        assert!(text(5, &[]).contains("5 replicas stay"));
        assert!(text(0, &["b", "c"]).contains("the addresses of b, c can't move"));
    }

    #[test]
    fn sound_that_leaves_is_waited_for() {
        let progress_of = |left, streams| {
            let mut status = NodeStatus { left, ..status("a", 0, 0) };
            status.report.iter_mut().for_each(|told| told.figures.extend([("streams".into(), streams)]));
            progress(&status)
        };
        let leaving = Progress::Going { leads: 0, addresses: 0, replicas: 0, streams: 2 };
        assert_eq!(progress_of(1, 2), leaving);
        assert_eq!(progress_of(1, 0), done(0));
        assert_eq!(progress_of(0, 2), done(0), "it has nowhere to go");
    }

    #[test]
    fn it_is_done_when_what_stays_is_planned_and_nothing_is_led() {
        let table = [
            ((2, 5, 0, 0, 0), going(2, 0, 5)),
            ((0, 5, 0, 0, 0), going(0, 0, 5)),
            ((0, 5, 5, 1, 0), going(0, 0, 5)),
            ((0, 5, 5, 0, 2), going(0, 2, 5)),
            ((0, 0, 0, 0, 0), done(0)),
            ((0, 5, 5, 0, 1), done(5)),
        ];
        for ((leads, replicas, planned, planned_leads, carried), expected) in table {
            let mut status = status("a", leads, replicas);
            (status.planned, status.planned_leads) = (planned, planned_leads);
            status.report.iter_mut().for_each(|told| told.figures.extend([("carried".into(), carried)]));
            assert_eq!(progress(&status), expected);
        }
        assert_eq!(progress(&NodeStatus { report: None, ..status("a", 0, 0) }), Progress::Silent);
    }
}
