//! `mangrove nodes`: the cluster's members and what each told of itself.

use std::time::Duration;

use anyhow::{Context, Result};
use mangrove_membership::NodeStatus;
use serde::Deserialize;
use serde_json::Value;

use super::Session;
use crate::output;

const HEAD: [&str; 12] = [
    "NAME", "ID", "STATE", "ROLES", "ZONE", "ADDRESS", "VERSION", "LEADS", "REPLICAS", "CALLS", "STREAMS",
    "UP",
];

pub(crate) async fn nodes(session: &Session) -> Result<()> {
    let (answer, nodes) = read(session).await?;
    output::show(session.arguments.output, &answer, || text(&nodes))
}

/// The members as the server tells, and understood.
pub(super) async fn read(session: &Session) -> Result<(Value, Vec<NodeStatus>)> {
    let answer = session.client.get(&["cluster", "nodes"]).await?;
    let nodes = Vec::<NodeStatus>::deserialize(&answer).context("the list of nodes is not understood")?;
    Ok((answer, nodes))
}

/// A table in columns, with a line below a node for each of its troubles.
fn text(nodes: &[NodeStatus]) -> String {
    let rows: Vec<_> = nodes.iter().map(row).collect();
    let head = HEAD.map(String::from);
    let width = |column: usize| {
        let cells = rows.iter().chain([&head]).map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..HEAD.len()).map(width).collect();
    let mut text = line(&head, &widths);
    for (node, row) in nodes.iter().zip(&rows) {
        text += &line(row, &widths);
        let troubles = node.report.iter().flat_map(|report| &report.trouble);
        text.extend(troubles.map(|why| format!("  ! {why}\n")));
    }
    text
}

fn line(cells: &[String; HEAD.len()], widths: &[usize]) -> String {
    let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
    format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
}

fn row(node: &NodeStatus) -> [String; HEAD.len()] {
    let told = |number: Option<String>| number.unwrap_or_else(|| "-".into());
    let report = node.report.as_ref();
    let figure = |name: &str| told(report.and_then(|report| report.figures.get(name)).map(u64::to_string));
    let up = report.map(|report| short(Duration::from_millis(report.uptime_ms)));
    [
        node.name.clone(),
        node.id.to_string(),
        state(node).into(),
        node.roles.join(","),
        if node.zone.is_empty() { "-".into() } else { node.zone.clone() },
        node.address.clone(),
        node.version.clone(),
        told(report.map(|report| report.leads.to_string())),
        told(report.map(|report| report.replicas.to_string())),
        figure("calls"),
        figure("streams"),
        told(up),
    ]
}

fn state(node: &NodeStatus) -> &'static str {
    match node {
        NodeStatus { replaced: true, .. } => "replaced",
        NodeStatus { alive: false, .. } => "lost",
        NodeStatus { draining: true, .. } => "draining",
        NodeStatus { stopping: true, .. } => "stopping",
        NodeStatus { report: None, .. } => "silent",
        NodeStatus { report: Some(report), .. } if !report.trouble.is_empty() => "trouble",
        _ => "ready",
    }
}

/// The two greatest units.
fn short(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m{}s", seconds % 60),
        (0, ..) => format!("{hours}h{minutes}m"),
        _ => format!("{days}d{hours}h"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use mangrove_membership::Told;

    use super::*;

    pub(crate) fn status(name: &str, leads: usize, replicas: usize) -> NodeStatus {
        let figures = [("calls".to_owned(), 12)].into();
        NodeStatus {
            name: name.into(),
            id: 1,
            roles: vec!["control".into(), "edge".into()],
            zone: String::new(),
            address: "127.0.0.1:7400".into(),
            version: "0.1.0".into(),
            protocol: 1,
            alive: true,
            draining: false,
            stopping: false,
            replaced: false,
            planned: replicas,
            planned_leads: leads,
            carries: vec![name.into()],
            movable: 0,
            left: 0,
            report: Some(Told {
                boot: 1,
                uptime_ms: 3_720_000,
                leads,
                replicas,
                groups: vec![],
                trouble: vec![],
                figures,
            }),
        }
    }

    #[test]
    fn a_node_is_a_line_and_each_trouble_one_below() {
        let mut troubled = status("node-b", 0, 5);
        troubled.report.iter_mut().for_each(|report| report.trouble.push("group 3 has no leader".into()));
        let text = text(&[status("a", 2, 5), troubled]);
        let lines: Vec<_> =
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            lines,
            [
                "NAME ID STATE ROLES ZONE ADDRESS VERSION LEADS REPLICAS CALLS STREAMS UP",
                "a 1 ready control,edge - 127.0.0.1:7400 0.1.0 2 5 12 - 1h2m",
                "node-b 1 trouble control,edge - 127.0.0.1:7400 0.1.0 0 5 12 - 1h2m",
                "! group 3 has no leader",
            ]
        );
    }

    #[test]
    fn the_worst_of_a_node_is_its_state() {
        let ready = || status("a", 0, 0);
        let table = [
            (ready(), "ready"),
            (NodeStatus { report: None, ..ready() }, "silent"),
            (NodeStatus { draining: true, ..ready() }, "draining"),
            (NodeStatus { draining: true, alive: false, ..ready() }, "lost"),
            (NodeStatus { alive: false, replaced: true, ..ready() }, "replaced"),
        ];
        for (node, expected) in table {
            assert_eq!(state(&node), expected);
        }
    }
}
