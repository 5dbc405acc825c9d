//! The media role between processes: commands travel on one stream per connection, answers come back in order.

mod client;
mod server;
mod status;

pub use client::Client;
pub use server::{Service, server};
