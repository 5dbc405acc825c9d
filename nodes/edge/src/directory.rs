//! The edge's copy of the directory, for edges of a cluster: fed by streams of control nodes, one of this process
//! included. It answers from memory, and goes on with what it knows while no control node can be reached.
//!
//! | module | what it is |
//! |---|---|
//! | `copy` | the handle: sources in, answers out |
//! | `follow` | one source's stream: opened, read, opened again |
//! | `merge` | pure: what several sources said, the newest of each group |
//! | `lookup` | pure: whose a name, number or address is |
//! | `tenant` | one tenant's routes, read from the message |
//! | `remote` | a control node in another process |

mod copy;
mod follow;
mod lookup;
mod merge;
mod remote;
mod tenant;

pub use copy::DirectoryCopy;
pub use remote::Remote;
