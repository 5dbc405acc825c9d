//! A call's story: what this node was told, and what the database has of it from nodes that knew more.

use mangrove_proto::{
    control::StoryRequest,
    id::{CallId, TenantId},
    service::Error,
    story::Entry,
};

use crate::control::Control;

pub(super) async fn read(control: &Control, request: &StoryRequest) -> Result<Vec<Entry>, Error> {
    let missing = || Error::NotFound { what: format!("call `{}`", request.call) };
    let call: CallId = request.call.parse().map_err(|_| missing())?;
    let tenant = TenantId::from(request.tenant.as_str());
    let present = control.stories().of(&tenant, call);
    match control.history().story(&tenant, call).await {
        Ok(Some(kept)) => Ok(mangrove_history::merge(kept, &present)),
        // A live call's story is told without the database too.
        Ok(None) | Err(_) if !present.is_empty() => Ok(present),
        Ok(None) => Err(missing()),
        Err(error) => Err(Error::Unavailable { what: "history".into(), why: error.to_string() }),
    }
}
