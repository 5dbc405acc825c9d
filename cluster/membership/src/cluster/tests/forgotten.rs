//! Members without work that are gone do not stay in the directory for ever.

use super::members::hasty;
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_is_gone_is_forgotten_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    // Who has joined counts as silent until its first sign of life, which a busy machine lets come late.
    let (grace, forget) = (Duration::from_secs(2), Duration::ZERO);
    let forgetful = |name: &str| Options { grace, forget, ..hasty(folder.path(), name) };
    let (first, _) = start(forgetful("a")).await;
    let join = vec![first.local_addr().unwrap().to_string()];
    let mut others = BTreeMap::new();
    for (name, role) in [("e", "edge"), ("w1", "console"), ("w2", "console")] {
        let options = Options { join: join.clone(), roles: [role.into()].into(), ..forgetful(name) };
        others.insert(name, start(options).await.0);
    }
    let knows = |name: &str| first.directory().member_named(name).map(|member| member.alive);
    until("all are alive", || ["e", "w1", "w2"].into_iter().all(|name| knows(name) == Some(true))).await;
    others["e"].shutdown().await;
    until("the edge is lost", || knows("e") == Some(false)).await;
    others["w1"].shutdown().await;
    until("the console is forgotten", || knows("w1").is_none()).await;
    assert_eq!((knows("e"), knows("w2")), (Some(false), Some(true)), "the edge was gone for longer");
    let again = Options { join, roles: ["console".into()].into(), ..forgetful("w1") };
    let again = Options { data_dir: folder.path().join("w1-anew"), ..again };
    let (newcomer, _) = start(again).await;
    assert!(newcomer.node() > others["w2"].node(), "its name is free, its id is not");
    for node in [&first, &others["w2"], &newcomer] {
        node.shutdown().await;
    }
}
