//! A process may carry the edge or media node of others beside its own: which one a call is for stands in its metadata.

use std::sync::Arc;

use tonic::{Request, Status, metadata::MetadataValue};

const NODE: &str = "mangrove-node";

/// Finds what a process carries, by the name of the node whose it is.
pub type Carried<T> = Arc<dyn Fn(&str) -> Option<Arc<T>> + Send + Sync>;

/// Says whose edge or media node the call is for.
pub fn address<T>(request: &mut Request<T>, node: &str) {
    // Node names are plain letters, digits and hyphens; anything else finds nobody.
    if let Ok(name) = MetadataValue::try_from(node) {
        request.metadata_mut().insert(NODE, name);
    }
}

/// Whose it is for. The answer to a call for somebody whom this process does not carry is "not now": whoever does is
/// soon known everywhere.
pub fn addressed<R, T: ?Sized>(request: &Request<R>, carried: &Carried<T>) -> Result<Arc<T>, Status> {
    let name = request.metadata().get(NODE).and_then(|name| name.to_str().ok()).unwrap_or_default();
    carried(name).ok_or_else(|| Status::unavailable(format!("node `{name}` is not carried here now")))
}
