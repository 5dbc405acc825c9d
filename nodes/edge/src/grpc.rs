//! The edge service between processes: streams of commands, answered in their order.

mod client;
mod server;

pub use client::Client;
pub use server::{Server, server};
