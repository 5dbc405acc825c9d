//! What a node says against itself.

use super::house::{House, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_node_has_no_trouble() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::lead(folder.path()).await;
    assert_eq!(house.status().await["trouble"], serde_json::json!([]));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_falls_is_made_again_and_the_fifth_fall_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::lead(folder.path()).await;
    let failure = house.control.cluster().watch_failure();
    for _ in 0..4 {
        let fallen = house.control.shards()[0].get_id();
        house.control.shards()[0].kill();
        let stands = || house.control.shards()[0].get_id() != fallen && house.group(1).is_led();
        until("another shard leads", stands).await;
        assert_eq!(*failure.borrow(), None);
    }
    house.control.shards()[0].kill();
    until("the failure is raised", || failure.borrow().is_some()).await;
    let status = house.status().await;
    assert!(status["trouble"][0].as_str().is_some_and(|why| why.contains("group 1's shard")), "{status:#}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_without_a_leader_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::lead(folder.path()).await;
    house.control.cluster().shutdown().await;
    let status = house.status().await;
    let trouble = status["trouble"].to_string();
    assert!(trouble.contains("group 1 has no leader"), "{status:#}");
    assert!(trouble.contains("group 2 has no leader"), "{status:#}");
    house.close().await;
}
