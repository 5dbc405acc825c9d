//! `mangrove status`: how the node is doing, in its own words.

use anyhow::Result;

use super::Session;
use crate::output;

pub(crate) async fn status(session: &Session) -> Result<()> {
    let answer = session.client.get(&["status"]).await?;
    output::show(session.arguments.output, &answer, || output::yaml(&answer))
}
