//! A wish to move a tenant, and how it ended.

use std::{sync::Arc, time::Duration};

use mangrove_membership::{self as membership, Cluster, Directory, Stage};
use mangrove_proto::{control::MoveRequest, service::Error};
use tokio::time::timeout;

use crate::console::{author, direct, no_tenant};

/// How long the asker waits. The move goes on all the same.
const PATIENCE: Duration = Duration::from_secs(30);

/// Begins the move, and returns when the tenant is in its new home or stays in the old one for good.
pub(crate) async fn request(cluster: &Cluster, request: MoveRequest) -> Result<(), Error> {
    let MoveRequest { author: who, tenant, group } = request;
    if cluster.directory().home(&tenant).is_none() {
        return Err(no_tenant(&tenant));
    }
    let mut directory = cluster.watch_directory();
    let command = membership::Command::MoveTenant { tenant: tenant.clone(), to: group };
    let membership::Reply::Moving { epoch } = direct(cluster, command).await? else {
        return Err(Error::Refused { why: "the directory answered something else".into() });
    };
    tracing::info!(tenant, group, epoch, author = author(who).name, "an operator moves a tenant");
    let mut ended = None;
    let over = directory.wait_for(|directory| {
        ended = end_of(directory, &tenant, epoch);
        ended.is_some()
    });
    let over = timeout(PATIENCE, over).await.is_ok_and(|known| known.is_ok());
    match ended.filter(|_| over) {
        Some(Ok(())) => Ok(()),
        Some(Err(why)) => Err(Error::Refused { why: format!("tenant `{tenant}` stays where it is: {why}") }),
        None => Err(Error::Unavailable {
            what: format!("the end of tenant `{tenant}`'s move"),
            why: format!("it is still under way after {} s", PATIENCE.as_secs()),
        }),
    }
}

/// How a move ended, if it has; why the tenant stayed.
fn end_of(directory: &Arc<Directory>, tenant: &str, epoch: u64) -> Option<Result<(), String>> {
    match directory.move_of(tenant) {
        Some(going) if going.epoch == epoch => match &going.stage {
            Stage::Failed { why } => Some(Err(why.clone())),
            _ => None,
        },
        // A later move began: this one had ended.
        Some(_) => Some(Ok(())),
        None if directory.version > epoch => Some(Ok(())),
        None => None,
    }
}
