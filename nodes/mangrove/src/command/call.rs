//! `mangrove call ID`: one call's story.

use anyhow::{Context, Result, bail};
use mangrove_proto::story::Entry;
use serde::Deserialize;
use serde_json::Value;

use super::Session;
use crate::{client::Error, ladder::ladder, output};

pub(crate) async fn call(session: &Session, id: &str) -> Result<()> {
    let tenants = match &session.arguments.tenant {
        Some(tenant) => vec![tenant.clone()],
        None => session.tenants().await?,
    };
    for tenant in &tenants {
        if let Some(story) = story(session, tenant, id).await? {
            let entries = Vec::<Entry>::deserialize(&story).context("the story is not understood")?;
            return output::show(session.arguments.output, &story, || ladder(&entries));
        }
    }
    bail!("there is no call {id}: it is unknown or its story is no longer kept")
}

async fn story(session: &Session, tenant: &str, id: &str) -> Result<Option<Value>, Error> {
    match session.client.get(&["tenants", tenant, "calls", id, "story"]).await {
        Ok(story) => Ok(Some(story)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}
