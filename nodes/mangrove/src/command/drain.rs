//! `mangrove drain NODE`: takes leads, then replicas from a node, and waits until that is done.

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
    /// Still to go: groups led, replicas held.
    Going { leads: usize, replicas: usize },
    /// Done; so many replicas stay, for too few others can hold them.
    Done { kept: usize },
    /// It does not answer: others have taken the leads, nothing tells how far its replicas are.
    Silent,
}

/// Returns when nothing is led on the node and no replica is there that others can hold; at once unless `wait`.
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
        &json!({ "drained": node, "replicas_kept": kept }),
        || match kept {
            0 => format!("{node} is drained: it may be stopped or leave\n"),
            _ => format!(
                "{node} leads nothing and may be stopped; {kept} replicas stay, too few others can hold them\n"
            ),
        },
    )
}

pub(crate) async fn end_drain(session: &Session, node: &str) -> Result<()> {
    session.client.delete(&["cluster", "nodes", node, "drain"]).await?;
    output::show(session.arguments.output, &json!({ "undrained": node }), || {
        format!("{node} takes its share again\n")
    })
}

async fn finished(session: &Session, node: &str) -> Result<usize> {
    let mut told = Progress::Silent;
    loop {
        let nodes = read(session).await?.1;
        let Some(status) = nodes.iter().find(|status| status.name == node && status.draining) else {
            bail!("{node} does not drain any more: it has left, or somebody ended it");
        };
        let now = progress(status);
        match now {
            Progress::Done { kept } => return Ok(kept),
            Progress::Silent if !status.alive => {
                bail!("{node} does not answer; `mangrove leave {node}` lets it go")
            }
            Progress::Going { leads, replicas }
                if now != told && session.arguments.output == Format::Text =>
            {
                eprintln!("{node}: {leads} groups led, {replicas} replicas");
            }
            _ => {}
        }
        told = now;
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

fn progress(status: &NodeStatus) -> Progress {
    match &status.report {
        None => Progress::Silent,
        Some(report)
            if report.leads == 0 && status.planned_leads == 0 && report.replicas == status.planned =>
        {
            Progress::Done { kept: status.planned }
        }
        Some(report) => Progress::Going { leads: report.leads, replicas: report.replicas },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::nodes::tests::status;

    #[test]
    fn it_is_done_when_what_stays_is_planned_and_nothing_is_led() {
        let table = [
            ((2, 5, 0, 0), Progress::Going { leads: 2, replicas: 5 }),
            ((0, 5, 0, 0), Progress::Going { leads: 0, replicas: 5 }),
            ((0, 5, 5, 1), Progress::Going { leads: 0, replicas: 5 }),
            ((0, 0, 0, 0), Progress::Done { kept: 0 }),
            ((0, 5, 5, 0), Progress::Done { kept: 5 }),
        ];
        for ((leads, replicas, planned, planned_leads), expected) in table {
            let mut status = status("a", leads, replicas);
            (status.planned, status.planned_leads) = (planned, planned_leads);
            assert_eq!(progress(&status), expected);
        }
        assert_eq!(progress(&NodeStatus { report: None, ..status("a", 0, 0) }), Progress::Silent);
    }
}
