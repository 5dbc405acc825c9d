//! The media role between processes: commands travel on one stream per connection, answers come back in order.

mod client;
mod server;

pub use client::Client;
pub use server::{Service, server};
