//! The control role between processes: its own node serves it, others send it what it is to commit.

mod remote;
mod server;

pub use remote::Remote;
pub use server::{Server, server};
