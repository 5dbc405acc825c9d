//! The HTTP API as a user of it sees it.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::wait;

/// How long an answer may take: a node that hangs is as good as none.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client with a token, for the company `acme` unless told otherwise.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    tenant: String,
    token: String,
    client: reqwest::Client,
}

impl Api {
    /// `base` without a slash at its end.
    pub fn new(base: String, token: &str) -> Result<Self> {
        // No connection is kept: it would be one to the process that was killed.
        let client = reqwest::Client::builder().timeout(PATIENCE).pool_max_idle_per_host(0).build()?;
        Ok(Self { base, tenant: "acme".into(), token: token.to_owned(), client })
    }

    /// The same for another company.
    pub fn tenant(self, tenant: &str) -> Self {
        Self { tenant: tenant.to_owned(), ..self }
    }

    /// JSON of a path below `/api/v1/tenants/<tenant>`.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.json(self.url(path)).await
    }

    /// JSON of a path below `/api/v1`: what is the node's, not a company's.
    pub async fn node(&self, path: &str) -> Result<Value> {
        self.json(format!("{}/api/v1{path}", self.base)).await
    }

    async fn json(&self, url: String) -> Result<Value> {
        let answer = self.client.get(&url).bearer_auth(&self.token).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        anyhow::ensure!(status.is_success(), "{url}: {status} {text}");
        serde_json::from_str(&text).with_context(|| text)
    }

    /// Tries to log somebody in, and gives the answer's status.
    pub async fn log_in(&self, email: &str, password: &str) -> Result<u16> {
        let body = serde_json::json!({ "email": email, "password": password });
        let answer = self.client.post(format!("{}/api/v1/login", self.base)).json(&body).send().await?;
        Ok(answer.status().as_u16())
    }

    /// The same as a person sees it, who logs in.
    pub async fn as_person(&self, email: &str, password: &str) -> Result<Self> {
        let body = serde_json::json!({ "email": email, "password": password });
        let answer = self.client.post(format!("{}/api/v1/login", self.base)).json(&body).send().await?;
        let answer: Value = answer.error_for_status()?.json().await?;
        let token = answer["token"].as_str().context("a login without a token")?.to_owned();
        Ok(Self { token, ..self.clone() })
    }

    /// What the phone in this person's page connects with.
    pub async fn page_phone(&self) -> Result<Value> {
        let url = format!("{}/api/v1/me/phone", self.base);
        let answer = self.client.post(&url).bearer_auth(&self.token).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// Text of a path of the node itself, such as `/metrics`.
    pub async fn text(&self, path: &str) -> Result<String> {
        let url = format!("{}{path}", self.base);
        let answer = self.client.get(&url).bearer_auth(&self.token).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }

    /// POSTs JSON to a path below `/api/v1/tenants/<tenant>`.
    pub async fn post(&self, path: &str, body: &Value) -> Result<()> {
        let url = self.url(path);
        let answer = self.client.post(&url).bearer_auth(&self.token).json(body).send().await?;
        let status = answer.status();
        anyhow::ensure!(status.is_success(), "{url}: {status} {}", answer.text().await?);
        Ok(())
    }

    /// Deletes a path below `/api/v1/tenants/<tenant>`.
    pub async fn delete(&self, path: &str) -> Result<()> {
        let url = self.url(path);
        let answer = self.client.delete(&url).bearer_auth(&self.token).send().await?;
        let status = answer.status();
        anyhow::ensure!(status.is_success(), "{url}: {status} {}", answer.text().await?);
        Ok(())
    }

    /// PUTs a file at a path below `/api/v1/tenants/<tenant>`, and gives the answer.
    pub async fn put(&self, path: &str, file: Vec<u8>) -> Result<Value> {
        let url = self.url(path);
        let answer = self.client.put(&url).bearer_auth(&self.token).body(file).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        anyhow::ensure!(status.is_success(), "{url}: {status} {text}");
        serde_json::from_str(&text).with_context(|| text)
    }

    /// Bytes of a path below `/api/v1/tenants/<tenant>`.
    pub async fn bytes(&self, path: &str) -> Result<Vec<u8>> {
        let url = self.url(path);
        let answer = self.client.get(&url).bearer_auth(&self.token).send().await?.error_for_status()?;
        Ok(answer.bytes().await?.to_vec())
    }

    /// Puts an agent into a state.
    pub async fn agent(&self, id: &str, state: &str) -> Result<()> {
        self.post(&format!("/agents/{id}/state"), &serde_json::json!({ "state": state })).await
    }

    /// Waits until an agent's state in the live picture is this.
    pub async fn agent_is(&self, id: &str, state: &str) -> Result<()> {
        wait::until(&format!("agent {id} to be {state}"), async || {
            let live = self.get("/live").await.ok()?;
            let agent = live["agents"].as_array()?.iter().find(|agent| agent["id"] == id)?.clone();
            (agent["state"] == state && (state != "available" || agent["reachable"] == true)).then_some(())
        })
        .await
    }

    /// Waits until there is one call in the live picture, in this state, and gives it.
    pub async fn call_is(&self, state: &str) -> Result<Value> {
        wait::until(&format!("the call to be {state}"), async || {
            let live = self.get("/live").await.ok()?;
            let [call] = live["calls"].as_array()?.as_slice() else { return None };
            (call["state"] == state).then(|| call.clone())
        })
        .await
    }

    /// Waits until nothing of any call is left in the live picture.
    pub async fn quiet(&self) -> Result<()> {
        wait::until("the end of all calls", async || {
            self.get("/live").await.ok()?["calls"].as_array()?.is_empty().then_some(())
        })
        .await
    }

    /// Waits for this many records of finished calls, at most 500; newest first.
    pub async fn cdrs(&self, count: usize) -> Result<Vec<Value>> {
        wait::until(&format!("{count} call records"), async || {
            let list = self.get("/cdrs?limit=500").await.ok()?["items"].as_array()?.clone();
            (list.len() >= count).then_some(list)
        })
        .await
    }

    /// All records of finished calls, newest first.
    pub async fn all_cdrs(&self) -> Result<Vec<Value>> {
        let (mut records, mut path) = (Vec::new(), "/cdrs?limit=500".to_owned());
        loop {
            let page = self.get(&path).await?;
            records.extend(page["items"].as_array().context("the records are no list")?.iter().cloned());
            let Some(next) = page["next"].as_str() else { return Ok(records) };
            path = format!("/cdrs?limit=500&after={next}");
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/v1/tenants/{}{path}", self.base, self.tenant)
    }
}
