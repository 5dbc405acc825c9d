//! Carries tenants from one shard group to another while their calls go on. Whoever leads a group does what the
//! directory's moves and the group's own state ask of it ([`plan`]); whoever leads it next goes on from there. Every
//! order may be repeated, late or twice: where a tenant's home is, the directory says at any time.

mod courier;
mod plan;
mod request;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mangrove_membership as membership;
use mangrove_proto::{id::TenantId, service::Error};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout_at},
};

use crate::{clock::Clock, console, control::Control, machine::Shared, proposer::Proposer};
use plan::{Order, Task};

pub(crate) use request::request;

/// How long a tenant may stay frozen on its way before it stays where it is.
const PATIENCE: Duration = Duration::from_secs(10);
/// Before what failed is tried again.
const RETRY: Duration = Duration::from_millis(100);

/// What one group's mover works with.
#[derive(Debug)]
pub(crate) struct Mover {
    pub control: Control,
    pub group: u32,
    pub shared: Shared,
    pub proposer: Proposer,
    pub leading: watch::Receiver<Option<Clock>>,
    /// Woken when there are reports to hand on.
    pub work: Arc<Notify>,
}

/// Since when this leader tries to do what a tenant's move asks for next, by tenant and epoch.
type Since = BTreeMap<(TenantId, u64), Instant>;

/// Runs until the group's role ends.
pub(crate) async fn keep(mut mover: Mover) {
    let mut directory = mover.control.cluster().watch_directory();
    let mut since = Since::new();
    while mover.leading.wait_for(Option::is_some).await.is_ok() {
        directory.mark_unchanged();
        let pause = match mover.round(&mut since).await {
            Ok(0) => None,
            Ok(_) => continue,
            Err(error) => {
                tracing::warn!(group = mover.group, %error, "a tenant's move waits");
                Some(RETRY)
            }
        };
        tokio::select! {
            () = rest(pause) => {}
            () = mover.work.notified() => {}
            changed = directory.changed() => if changed.is_err() { return },
            changed = mover.leading.changed() => if changed.is_err() { return },
        }
    }
}

async fn rest(pause: Option<Duration>) {
    match pause {
        Some(pause) => sleep(pause).await,
        None => std::future::pending().await,
    }
}

/// What is asked of a tenant on its way.
pub(crate) fn under_way(tenant: &str) -> Error {
    Error::Unavailable {
        what: format!("tenant `{tenant}`"),
        why: "it moves to another group, try again in a moment".into(),
    }
}

impl Mover {
    /// Does all that is to be done now; how many tasks that was. One that fails does not keep the others.
    async fn round(&self, since: &mut Since) -> Result<usize, Error> {
        let directory = self.control.cluster().directory();
        let tasks = plan::tasks(self.group, &directory, &self.shared.get().state);
        since.retain(|key, _| tasks.iter().any(|task| task.key() == *key));
        let mut outcome = Ok(tasks.len());
        for task in tasks {
            let began = *since.entry(task.key()).or_insert_with(Instant::now);
            if let Err(error) = self.carry_out(task, began).await {
                outcome = Err(error);
            }
        }
        outcome
    }

    async fn carry_out(&self, task: Task, began: Instant) -> Result<(), Error> {
        let (tenant, epoch) = task.key();
        match task {
            Task::Carry { orders, .. } => match timeout_at(began + PATIENCE, self.obey(orders)).await {
                Ok(Err(error)) if !error.is_retryable() => {
                    self.give_up(tenant, epoch, error.to_string()).await
                }
                Ok(done) => done,
                Err(_) => self.give_up(tenant, epoch, format!("not done in {} s", PATIENCE.as_secs())).await,
            },
            Task::Settle { orders, .. } => self.obey(orders).await,
            Task::HandOn { to, series, reports, .. } => self.hand_on(tenant, to, series, reports).await,
        }
    }

    /// One after the other; the first that fails ends it.
    async fn obey(&self, orders: Vec<Order>) -> Result<(), Error> {
        for order in orders {
            match order {
                Order::Directory(command) => {
                    console::direct(self.control.cluster(), command).await?;
                }
                Order::Group(group, command) => {
                    let reply = self.control.proposer(group.into())?.propose(command).await?;
                    console::settle(reply)?;
                }
            }
        }
        Ok(())
    }

    /// The tenant stays, unless the directory has given it its new home after all.
    async fn give_up(&self, tenant: TenantId, epoch: u64, why: String) -> Result<(), Error> {
        tracing::warn!(group = self.group, %tenant, why, "a tenant's move is given up");
        let command = membership::Command::GiveUpMove { tenant: tenant.to_string(), epoch, why };
        match console::direct(self.control.cluster(), command).await {
            Ok(_) | Err(Error::Refused { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
