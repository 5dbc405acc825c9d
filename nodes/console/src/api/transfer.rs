//! Live calls that go to somebody else: what a phone asks for by REFER, a page asks for here, whatever the phone is.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use mangrove_proto::control::{Author, CallCommand};
use serde::Deserialize;
use utoipa::ToSchema;

use super::live;
use crate::{
    access::Access,
    app::App,
    body::{Body, Named},
    refusal::Refusal,
};

/// No number is longer, however it is written.
const LONGEST: usize = 64;

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Transfer {
    /// An extension of a colleague, a group or a conference, a number of the company's own, or one outside.
    to: String,
    /// Who numbers: drawn by chance once, by a page or a program; 0: does not.
    #[serde(default)]
    asker: u64,
    /// Rises with each wish of this asker for the call. A wish that is sent again with its number counts once; one that
    /// arrives when a later one was granted is refused (409).
    #[serde(default)]
    number: u64,
}

/// Sends whom you talk with to somebody else, blindly: they hear music while the target rings, you leave when it answers,
/// and talk on when it does not. In a call that you supervise it is done for the employee who talks. 422 says in words why
/// nothing came of it: nobody has the number, nobody talks, a transfer is under way, the target is busy.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/calls/{id}/transfer", tag = "live", request_body = Transfer,
    params(("tenant" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 403, body = Refusal), (status = 404, body = Refusal),
        (status = 409, body = Refusal), (status = 422, body = Refusal)))]
pub(crate) async fn transfer(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, id)): Named<(String, String)>,
    Body(wish): Body<Transfer>,
) -> Result<StatusCode, Refusal> {
    let to = wish.to.trim().to_owned();
    if to.is_empty() || to.len() > LONGEST {
        let (message, action) = ("`to` is no number", "give an extension or a phone number");
        return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", message, action));
    }
    let call = live::commanded(&app, &access, &id).await?.id.to_string();
    let employee = access.scope.own().map(ToString::to_string).unwrap_or_default();
    let author = Some(Author { asker: wish.asker, number: wish.number, ..access.author.clone() });
    let (tenant, action) = (access.tenant.to_string(), "transfer".to_owned());
    app.control.command_call(CallCommand { author, tenant, call, action, employee, to }).await?;
    Ok(StatusCode::NO_CONTENT)
}
