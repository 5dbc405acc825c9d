//! Decides, event by event, what one stream may see. An object that leaves the scope is told as gone.

use std::collections::BTreeSet;

use mangrove_proto::{
    control::LiveEvent,
    id::EmployeeId,
    live::{Agent, Call, Live, Queue},
};
use serde_json::{Value, json};

use crate::access::{Agents, Scope};

#[derive(Debug)]
pub(crate) struct Sight {
    scope: Scope,
    agents: Agents,
    /// Ids of calls that the client has seen.
    calls: BTreeSet<String>,
}

impl Sight {
    /// `live` and `agents` as `Scope::narrow` left them.
    pub(crate) fn new(scope: Scope, live: &Live, agents: Agents) -> Self {
        let calls = live.calls.iter().map(|call| call.id.to_string()).collect();
        Self { scope, agents, calls }
    }

    /// What to send of an event; None: nothing.
    pub(crate) fn look(&mut self, event: &LiveEvent) -> Option<String> {
        // A machine sees all as it is.
        if self.scope.own().is_none() {
            return String::from_utf8(event.json.to_vec()).ok();
        }
        let seen = match event.kind.as_str() {
            "call" => self.call(&event.json),
            "agent" => self.agent(&event.json),
            "queue" => self.queue(&event.json),
            "config" => serde_json::from_slice(&event.json).ok(),
            _ if self.scope.is_whole() => serde_json::from_slice(&event.json).ok(),
            _ => None,
        };
        seen.map(|value| value.to_string())
    }

    fn call(&mut self, json: &[u8]) -> Option<Value> {
        let mut value: Value = serde_json::from_slice(json).ok()?;
        let id = value.get("id")?.as_str()?.to_owned();
        let call = serde_json::from_value::<Call>(value.clone()).ok();
        if let Some(mut call) = call.filter(|call| self.scope.sees_call(call, &self.agents)) {
            self.calls.insert(id);
            self.scope.hide_monitors(&mut call, &self.agents);
            value["monitors"] = json!(call.monitors);
            return Some(value);
        }
        (self.calls.remove(&id) || self.scope.is_whole()).then(|| json!({"id": id, "gone": true}))
    }

    fn agent(&mut self, json: &[u8]) -> Option<Value> {
        let value: Value = serde_json::from_slice(json).ok()?;
        let id = EmployeeId::from(value.get("id")?.as_str()?);
        let agent = serde_json::from_value::<Agent>(value.clone()).ok();
        if let Some(agent) = agent.filter(|agent| self.scope.sees_agent(agent)) {
            self.agents.insert(id, agent.call);
            return Some(value);
        }
        let was_seen = self.agents.remove(&id).is_some();
        (was_seen || self.scope.is_whole()).then(|| json!({"id": id, "gone": true}))
    }

    fn queue(&self, json: &[u8]) -> Option<Value> {
        let value: Value = serde_json::from_slice(json).ok()?;
        let group = serde_json::from_value::<Queue>(value.clone()).map(|queue| queue.id);
        let group = group.or_else(|_| serde_json::from_value(value.get("id").cloned().unwrap_or_default()));
        group.is_ok_and(|group| self.scope.sees_group(&group)).then_some(value)
    }
}
