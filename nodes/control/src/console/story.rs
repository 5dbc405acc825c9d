//! A call's story: of a live or lately finished call from memory, of an older one from the database.

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
    if !present.is_empty() {
        return Ok(present);
    }
    let kept = control
        .history()
        .story(&tenant, call)
        .await
        .map_err(|error| Error::Unavailable { what: "history".into(), why: error.to_string() })?;
    kept.ok_or_else(missing)
}
