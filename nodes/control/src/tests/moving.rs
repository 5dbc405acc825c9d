//! Acme moves from group 1 to group 2 under a call, with a real directory and real logs.

use mangrove_domain::Command;
use mangrove_membership as membership;
use mangrove_proto::{
    control::{MoveRequest, StoryRequest},
    service::{Console, Error, Routes},
};

use super::house::{ACME, House, until};

async fn move_to(house: &House, tenant: &str, group: u32) -> Result<(), Error> {
    house.control.move_tenant(MoveRequest { author: None, tenant: tenant.into(), group }).await
}

fn homes(house: &House) -> Vec<u32> {
    let lives = |group: &u32| house.group(*group).shared.get().state.tenant(&"acme".into()).is_some();
    [1, 2].into_iter().filter(lives).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_moves_under_a_call_and_its_media_follow() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    house.answered().await;
    let session = house.media.heard().pop().unwrap();
    let before = house.control.cluster().directory().home("acme").unwrap();
    move_to(&house, "acme", 2).await.unwrap();

    let home = house.control.cluster().directory().home("acme").unwrap();
    assert_eq!((home.group, homes(&house)), (2, vec![2]));
    assert!(home.epoch > before.epoch);
    assert_eq!(house.control.cluster().directory().move_of("acme"), None);
    assert_eq!((house.calls(1), house.calls(2)), (0, 1));
    until("the session is asked for again", || house.media.heard().len() > 1).await;
    let again = house.media.heard().pop().unwrap();
    assert_eq!((again.session, again.version >= session.version), (session.session, true));
    assert_eq!(house.media.late(), 0);
    assert_eq!(Routes::tenant(&house.control, "acme").unwrap().group, 2);
    let tenants = house.control.tenants().await.unwrap();
    let tenants: serde_json::Value = serde_json::from_slice(&tenants.json).unwrap();
    assert_eq!((tenants.as_array().unwrap().len(), &tenants[0]["group"]), (2, &2.into()));
    house.close().await;
}

/// Nodes with a replica of the new group alone were told nothing of what came before.
#[tokio::test(flavor = "multi_thread")]
async fn a_calls_story_from_before_the_move_is_in_the_database_for_its_new_home() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    house.answered().await;
    let call = house.group(1).shared.get().state.tenant(&"acme".into()).unwrap().calls().next().unwrap().id;
    move_to(&house, "acme", 2).await.unwrap();

    let story = async || house.history.story(&"acme".into(), call).await.unwrap();
    while story().await.is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    assert!(story().await.unwrap()[0].title.starts_with("INVITE"));
    house.control.stories().drop_story(&("acme".into(), call));
    let request = StoryRequest { tenant: "acme".into(), call: call.to_string() };
    let told = house.control.story(request).await.unwrap();
    assert!(told[0].title.starts_with("INVITE"), "the live call's story is told from there");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_late_to_the_old_group_is_handed_on() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    move_to(&house, "acme", 2).await.unwrap();
    house.call_in(1).await;
    until("the call is in the new group", || house.calls(2) == 1).await;
    house.cancel(1).await;
    until("it has ended there", || house.calls(2) == 0).await;
    assert_eq!(house.calls(1), 0);
    let kept = || house.group(1).shared.get().state.hold(&"acme".into()).unwrap().reports().count();
    until("nothing is kept", || kept() == 0).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_moved_is_refused_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    let before = house.control.cluster().directory().tenants.clone();
    for (tenant, group, why) in [
        ("nobody", 2, "there is no tenant `nobody`"),
        ("acme", 1, "in group 1 already"),
        ("acme", 0, "they are 1 to 2"),
        ("acme", 3, "they are 1 to 2"),
    ] {
        let error = move_to(&house, tenant, group).await.unwrap_err();
        assert!(error.to_string().contains(why) && !error.is_retryable(), "{error}");
    }
    assert_eq!(house.control.cluster().directory().tenants, before);
    house.close().await;
}

/// The orders of a move that one leader has obeyed before it was killed.
const ORDERS: usize = 6;

/// Obeys the first orders of a move, as a leader does that is killed then.
async fn begin(house: &House, orders: usize) -> u64 {
    let cluster = house.control.cluster();
    let begin = membership::Command::MoveTenant { tenant: "acme".into(), to: 2 };
    let membership::Reply::Moving { epoch } = cluster.propose_directory(begin).await.unwrap() else {
        panic!("no epoch");
    };
    let tenant = || mangrove_proto::id::TenantId::from("acme");
    for order in 0..orders {
        let (group, command) = match order {
            0 => (1, Command::FreezeTenant { tenant: tenant(), epoch, group: 1 }),
            1 => {
                let copy = house.group(1).shared.get().state.departure(&tenant()).unwrap();
                (2, Command::TakeInTenant { arrival: copy.into() })
            }
            2 => {
                let flip = membership::Command::FlipTenant { tenant: "acme".into(), epoch };
                cluster.propose_directory(flip).await.unwrap();
                continue;
            }
            3 => (2, Command::AdmitTenant { tenant: tenant(), epoch }),
            4 => (1, Command::LetGoTenant { tenant: tenant(), epoch }),
            _ => (2, Command::SettleTenant { tenant: tenant(), epoch }),
        };
        house.group(group).proposer.propose(command).await.unwrap();
    }
    epoch
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_order_was_the_last_before_a_kill_the_move_is_finished_after_it() {
    for orders in 0..=ORDERS {
        let folder = tempfile::tempdir().unwrap();
        let house = House::with_companies(folder.path()).await;
        house.answered().await;
        house.control.stop_moving();
        let epoch = begin(&house, orders).await;
        house.close().await;

        let house = House::lead(folder.path()).await;
        let directory = house.control.cluster().watch_directory();
        until("the move has ended", || directory.borrow().move_of("acme").is_none()).await;
        let home = house.control.cluster().directory().home("acme").unwrap();
        assert_eq!((home.group, home.epoch, homes(&house)), (2, epoch, vec![2]), "after {orders} orders");
        assert_eq!(house.calls(2), 1, "after {orders} orders");
        until("the answer is sent again", || !house.edge.responses(200).is_empty()).await;
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_is_given_up_leaves_the_tenant_at_home_and_free() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    house.answered().await;
    house.control.stop_moving();
    let epoch = begin(&house, 2).await;
    let give_up = membership::Command::GiveUpMove { tenant: "acme".into(), epoch, why: "no room".into() };
    house.control.cluster().propose_directory(give_up).await.unwrap();
    house.close().await;

    let house = House::lead(folder.path()).await;
    let free = || house.group(1).shared.get().state.hold(&"acme".into()).is_none();
    until("the tenant is free again", free).await;
    let thrown_away = || house.group(2).shared.get().state.arrivals().count() == 0;
    until("the copy is thrown away", thrown_away).await;
    assert_eq!((homes(&house), house.calls(1)), (vec![1], 1));
    let document = house.control.configuration("acme").await.unwrap();
    assert!(String::from_utf8_lossy(&document.json).contains(ACME));
    move_to(&house, "acme", 2).await.unwrap();
    house.close().await;
}
