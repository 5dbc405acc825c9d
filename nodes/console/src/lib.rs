//! The console role: the HTTP API, its event stream, and the web pages for agents and supervisors.
//!
//! It decides nothing about calls and keeps nothing but sessions' short memory: configuration and the live picture
//! are control's (through `service::Console`), finished calls are history's, sound is the object store's. Any number
//! of consoles may run; a page that loses one goes on at another from its last event.
//!
//! ```text
//! request ─▶ headers ─▶ origin ─▶ authorize (access/rules: one table) ─▶ api/<resource> ─▶ control | history | objects
//! ```

mod access;
mod api;
mod app;
mod astray;
mod bare;
mod body;
mod console;
mod demo;
mod door;
mod headers;
pub mod metrics;
mod pages;
mod probes;
mod refusal;
mod turn;

#[cfg(test)]
mod tests;

pub use access::{hash_password, is_of_own_page};
pub use api::openapi;
pub use bare::Trouble;
pub use console::{Console, Error, Options};
pub use demo::{Act, Demo};
pub use door::Certificate;
pub use refusal::refuse;
pub use turn::Turn;
