//! Who talks with whom, and who waits in which place: what a death must not change.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::Api;

/// The floor as the live picture shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Floor {
    /// Agents by their callers.
    pub talks: BTreeMap<String, String>,
    /// Those who wait, first in line first.
    pub line: Vec<String>,
}

impl Floor {
    /// As it is now; none while nobody tells.
    pub async fn now(api: &Api) -> Option<Self> {
        let live = api.get("/live").await.ok()?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let talking = live["calls"].as_array()?.iter().filter(|call| call["state"] == "talking");
        let talks =
            talking.filter_map(|call| Some((text(&call["caller"])?, text(&call["employee"])?))).collect();
        let line =
            live["queues"][0]["waiting"].as_array()?.iter().filter_map(|one| text(&one["caller"])).collect();
        Some(Self { talks, line })
    }

    /// How many there are.
    pub fn calls(&self) -> usize {
        self.talks.len() + self.line.len()
    }
}
