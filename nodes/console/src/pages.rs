//! The web pages, carried in the binary. Built by npm beforehand; a binary without them says how to get them.

use std::sync::Arc;

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use rust_embed::RustEmbed;

use crate::{app::App, refusal::Refusal};

#[derive(RustEmbed, Debug)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Built;

const NOT_BUILT: &str = "<!doctype html><meta charset=utf-8><title>Mangrove</title><h1>Mangrove</h1>\
    <p>The server runs, but its pages were not built. Run <code>make web</code> (or <code>npm ci &amp;&amp; npm run \
    build</code> in <code>nodes/console/web</code>), then build the server again.</p>\
    <p>The API is at <a href=/api/v1/openapi.json>/api/v1/openapi.json</a>.</p>";

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new().route("/", get(front)).route("/{*path}", get(file))
}

async fn front(headers: HeaderMap) -> Response {
    match Built::get("index.html") {
        Some(page) => answer("index.html", page, &headers),
        None => Html(NOT_BUILT).into_response(),
    }
}

async fn file(Path(path): Path<String>, headers: HeaderMap) -> Response {
    match Built::get(&path) {
        Some(file) => answer(&path, file, &headers),
        None => Refusal::missing("such page").into_response(),
    }
}

fn answer(path: &str, file: rust_embed::EmbeddedFile, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", file.metadata.sha256_hash().iter().take(8).fold(String::new(), hex));
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|seen| seen.as_bytes() == tag.as_bytes());
    let kept = [(header::CACHE_CONTROL, caching(path)), (header::ETAG, tag.as_str())];
    if known {
        return (StatusCode::NOT_MODIFIED, kept).into_response();
    }
    let mut response = (kept, file.data.into_owned()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(path)));
    response
}

fn hex(text: String, byte: &u8) -> String {
    text + &format!("{byte:02x}")
}

/// Files below `assets/` carry a hash in their name.
fn caching(path: &str) -> &'static str {
    if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" }
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        "png" => "image/png",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
