//! The cluster's nodes, for its operator.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State, http::StatusCode};
use mangrove_proto::control::NodeCommand;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{access::Access, app::App, body::Named, refusal::Refusal};

/// A member of the cluster.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Node {
    name: String,
    id: u64,
    /// `control`, `edge`, `media`, `console`. Only nodes with `control` hold replicas of groups.
    roles: Vec<String>,
    /// What fails together.
    zone: String,
    /// Of its gRPC.
    address: String,
    version: String,
    /// Nodes of a protocol and the next one work together.
    protocol: u32,
    /// It answers the leader of the directory.
    alive: bool,
    draining: bool,
    /// It is about to end and be started again.
    #[serde(default)]
    stopping: bool,
    /// It is given up and leaves when no group counts on it.
    replaced: bool,
    /// Replicas that it should hold.
    planned: u64,
    /// Groups that it should lead.
    planned_leads: u64,
    /// Members whose SIP and RTP addresses it carries: its own, and those of the lost whose heir it is.
    #[serde(default)]
    carries: Vec<String>,
    /// How many of these others could carry: what a draining node still has to hand over.
    #[serde(default)]
    movable: u64,
    /// Of how many of these the calls leave, for the node is about to go and the addresses stay.
    #[serde(default)]
    left: u64,
    /// Null if it did not answer within a second.
    report: Option<Told>,
}

/// What a node told of itself.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = NodeReport)]
pub(crate) struct Told {
    /// How often it was started.
    boot: u64,
    uptime_ms: u64,
    /// Groups that it leads.
    leads: u64,
    /// Groups that run on it.
    replicas: u64,
    /// Its replicas, in order of the groups.
    #[serde(default)]
    groups: Vec<Group>,
    /// Why it should get no work now; empty: it is ready.
    trouble: Vec<String>,
    /// `calls` of the groups that it leads, `streams` of sound, and others.
    figures: BTreeMap<String, u64>,
}

/// A replica as its node sees the group: of several who say that they lead it, the one in the latest term does.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = NodeGroup)]
pub(crate) struct Group {
    group: u32,
    leads: bool,
    term: u64,
    /// Nodes that vote, by id.
    voters: Vec<u64>,
    /// A change of voters is under way: let it end before the next node is stopped.
    #[serde(default)]
    changing: bool,
}

/// The cluster's nodes, each asked for its numbers.
#[utoipa::path(get, path = "/api/v1/cluster/nodes", tag = "operation",
    responses((status = 200, body = Vec<Node>), (status = 403, body = Refusal)))]
pub(crate) async fn list(State(app): State<Arc<App>>) -> Result<Json<Vec<Node>>, Refusal> {
    let nodes = app.control.nodes().await?;
    Ok(Json(serde_json::from_slice(&nodes.json).map_err(|e| Refusal::fault(&e))?))
}

/// Begins to drain a node: its leads and its addresses, calls and all, move away, then the replicas that others can hold. `GET` the nodes to follow it.
#[utoipa::path(post, path = "/api/v1/cluster/nodes/{node}/drain", tag = "operation", params(("node" = String, Path)),
    responses((status = 204), (status = 404, body = Refusal), (status = 422, body = Refusal)))]
pub(crate) async fn drain(
    State(app): State<Arc<App>>,
    access: Access,
    Named(node): Named<String>,
) -> Result<StatusCode, Refusal> {
    command(&app, access, node, "drain").await
}

/// Ends the draining: the node takes its share again.
#[utoipa::path(delete, path = "/api/v1/cluster/nodes/{node}/drain", tag = "operation", params(("node" = String, Path)),
    responses((status = 204), (status = 404, body = Refusal)))]
pub(crate) async fn end_drain(
    State(app): State<Arc<App>>,
    access: Access,
    Named(node): Named<String>,
) -> Result<StatusCode, Refusal> {
    command(&app, access, node, "undrain").await
}

/// Lets a drained or dead node go for good. Refused while a group counts on it alone.
#[utoipa::path(delete, path = "/api/v1/cluster/nodes/{node}", tag = "operation", params(("node" = String, Path)),
    responses((status = 204), (status = 404, body = Refusal), (status = 422, body = Refusal)))]
pub(crate) async fn leave(
    State(app): State<Arc<App>>,
    access: Access,
    Named(node): Named<String>,
) -> Result<StatusCode, Refusal> {
    command(&app, access, node, "leave").await
}

/// Gives up a dead node: others take its replicas at once, and it leaves when no group counts on it any more. A new
/// node may join under its name.
#[utoipa::path(post, path = "/api/v1/cluster/nodes/{node}/replace", tag = "operation", params(("node" = String, Path)),
    responses((status = 204), (status = 404, body = Refusal), (status = 422, body = Refusal)))]
pub(crate) async fn replace(
    State(app): State<Arc<App>>,
    access: Access,
    Named(node): Named<String>,
) -> Result<StatusCode, Refusal> {
    command(&app, access, node, "replace").await
}

async fn command(app: &App, access: Access, node: String, action: &str) -> Result<StatusCode, Refusal> {
    let command = NodeCommand { author: Some(access.author), node, action: action.into() };
    app.control.command_node(command).await?;
    Ok(StatusCode::NO_CONTENT)
}
