//! Groups that end and start again on a node while its role begins: what has become of them is seen, and harms nothing.

use std::sync::Arc;

use mangrove_history::History;
use mangrove_membership::Cluster;

use super::house::{cluster, pace, until};
use crate::{Control, Options, Prepared, machine::to_bytes};

async fn control(folder: &std::path::Path, cluster: &Cluster, prepared: &Prepared) -> Control {
    let history = History::open(&format!("sqlite:{}/history.db", folder.display())).await.unwrap();
    let options = Options { pace: pace(), ..Options::new(history) };
    Control::new(cluster.clone(), prepared.clone(), options).unwrap()
}

/// A node that was away for long is left out of its groups in its first moments. One that is being stopped is counted until it
/// has ended; stopping the whole node keeps it so.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_ends_while_the_role_begins_has_no_part_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, prepared) = cluster(folder.path()).await;
    let before = control(folder.path(), &cluster, &prepared).await;
    let again = Prepared::default();
    drop([again.machine(1), again.machine(2)]);
    cluster.shutdown().await;
    assert_eq!((cluster.groups(), cluster.group(1).is_none()), (vec![1, 2], true));

    before.lead().await.unwrap();
    assert!(before.groups().iter().all(|group| !group.is_led()));
    let after = control(folder.path(), &cluster, &again).await;
    assert!(after.groups().is_empty());
    after.lead().await.unwrap();
    assert!(cluster.watch_failure().borrow().is_none(), "nothing has failed");
}

/// The parts that were made for the first start would show its last state for ever, and carry out the second one's effects.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_starts_again_before_it_is_led_gets_parts_of_its_new_start() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, prepared) = cluster(folder.path()).await;
    let control = control(folder.path(), &cluster, &prepared).await;
    let (first, other) = (control.group(1).unwrap(), control.group(2).unwrap());
    // What the cluster does when it starts a group.
    let mut machine = prepared.machine(1);
    control.lead().await.unwrap();
    let is_new = || control.group(1).is_some_and(|now| !Arc::ptr_eq(&now, &first));
    until("the group is opened anew", is_new).await;
    assert!(Arc::ptr_eq(&control.group(2).unwrap(), &other), "the other one goes on");
    let mut current = first.shared.get();
    current.index = 77;
    machine.restore(&to_bytes(&current).unwrap()).unwrap();
    assert_eq!(control.group(1).unwrap().shared.index(), 77, "it shows what the new machine applies");
    control.stop().await;
    cluster.shutdown().await;
}
