//! `/api/v1`: one file a resource. Handlers translate; the gate before them decides who may.

mod agents;
mod audit;
mod backup;
mod calls;
mod cdr_query;
mod cdrs;
mod conferences;
mod configuration;
mod csv;
mod demo;
mod directory;
mod events;
mod holds;
mod live;
mod login;
mod me;
mod messages;
mod monitor;
mod names;
mod nodes;
mod objects;
mod phone;
mod pieces;
mod range;
mod recordings;
mod sight;
mod sounds;
mod status;
mod story;
mod tenants;
mod time;
mod transfer;

use std::sync::Arc;

use axum::{Json, Router, extract::DefaultBodyLimit, middleware, routing::get};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{access, app::App};

/// The largest body: a tenant of some thousand employees fits.
const LARGEST: usize = 4 << 20;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Mangrove",
        description = "The contact centre's API. Send `Authorization: Bearer` with the administrator's token or the \
            token of `POST /api/v1/login`. `-` as tenant stands for the login's own. Times are Unix milliseconds.",
        license(name = "Apache-2.0")
    ),
    security(("token" = [])),
    modifiers(&Token)
)]
struct Document;

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        document.components.get_or_insert_default().add_security_scheme("token", scheme);
    }
}

fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(login::login))
        .routes(routes!(login::logout))
        .routes(routes!(me::me))
        .routes(routes!(me::change_password))
        .routes(routes!(phone::phone))
        .routes(routes!(status::status))
        .routes(routes!(backup::backup))
        .routes(routes!(nodes::list))
        .routes(routes!(nodes::leave))
        .routes(routes!(nodes::drain, nodes::end_drain))
        .routes(routes!(nodes::replace))
        .routes(routes!(tenants::list))
        .routes(routes!(tenants::delete))
        .routes(routes!(tenants::relocate))
        .routes(routes!(configuration::read, configuration::configure))
        .routes(routes!(objects::list))
        .routes(routes!(objects::read, objects::delete))
        .routes(routes!(sounds::list))
        .routes(routes!(sounds::read, sounds::upload, sounds::delete))
        .routes(routes!(live::live))
        .routes(routes!(names::names))
        .routes(routes!(directory::directory))
        .routes(routes!(events::events))
        .routes(routes!(agents::list))
        .routes(routes!(agents::me))
        .routes(routes!(agents::read))
        .routes(routes!(agents::set_state))
        .routes(routes!(calls::list))
        .routes(routes!(calls::hang_up))
        .routes(routes!(calls::record))
        .routes(routes!(transfer::transfer))
        .routes(routes!(monitor::supervise, monitor::leave))
        .routes(routes!(conferences::list))
        .routes(routes!(conferences::conduct))
        .routes(routes!(conferences::conduct_one))
        .routes(routes!(story::story))
        .routes(routes!(cdrs::list))
        .routes(routes!(csv::export))
        .routes(routes!(cdrs::read))
        .routes(routes!(recordings::listen))
        .routes(routes!(holds::delete))
        .routes(routes!(holds::read, holds::hold, holds::release))
        .routes(routes!(messages::list))
        .routes(routes!(messages::listen, messages::delete))
        .routes(routes!(messages::hear))
        .routes(routes!(audit::list))
}

/// The API document as JSON.
pub fn openapi() -> String {
    let (_, document) = routes().split_for_parts();
    document.to_json().unwrap_or_default()
}

pub(crate) fn router(app: Arc<App>) -> Router<Arc<App>> {
    let (router, mut document) = routes().split_for_parts();
    document.info.version = app.options.version.clone();
    let document = Arc::new(document);
    let router = if app.options.demo.is_some() { router.merge(demo::router()) } else { router };
    router
        .route("/api/v1/openapi.json", get(move || async move { Json((*document).clone()) }))
        .route_layer(middleware::from_fn_with_state(app.clone(), access::authorize))
        .layer(middleware::from_fn_with_state(app, access::guard))
        .layer(DefaultBodyLimit::max(LARGEST))
}
