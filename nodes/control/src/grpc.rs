//! The control role between processes: its own node serves it, others send it what it is to commit, and ask it for their
//! consoles.

mod console;
mod remote;
mod server;

use mangrove_proto::service::Error;
use tonic::{Response, Status};

pub use console::{Server as ConsoleServer, server as console_server};
pub use remote::Remote;
pub use server::{Server, server};

fn answer<T>(outcome: Result<T, Error>) -> Result<Response<T>, Status> {
    outcome.map(Response::new).map_err(|error| Status::from(&error))
}
