//! Newer rules: each group goes on under them once its leader hears that all nodes know them.

use mangrove_domain::rules::NEWEST;

use super::house::{House, until};
use crate::Guidance;

fn rules(house: &House) -> Vec<u32> {
    house.groups().iter().map(|group| group.shared.get().state.rules()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_groups_go_on_under_what_all_nodes_know_and_keep_it() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::lead(folder.path()).await;
    assert_eq!(rules(&house), [0, 0], "nobody has said that all know more");
    house.control.guide(Guidance { rules: NEWEST, ..Guidance::default() });
    until("both groups are told", || rules(&house) == [NEWEST, NEWEST]).await;
    house.close().await;

    let house = House::lead(folder.path()).await;
    until("both groups know it from their logs", || rules(&house) == [NEWEST, NEWEST]).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_before_a_group_is_led_counts_from_its_first_moment() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path()).await;
    house.control.guide(Guidance { rules: NEWEST, ..Guidance::default() });
    house.control.lead().await.unwrap();
    until("both groups are told", || rules(&house) == [NEWEST, NEWEST]).await;
    house.close().await;
}
