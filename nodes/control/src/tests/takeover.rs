//! What a node that was killed does when it is started again.

use super::{
    fakes::Mood,
    house::{BOLT, House, until},
    invite::invite,
};

#[tokio::test(flavor = "multi_thread")]
async fn ports_of_all_groups_calls_are_taken_before_any_group_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    house.call_in(1).await;
    house.edge_event(2, 1, invite("bolt", BOLT, 2)).await.unwrap();
    until("both calls have sessions", || house.media.heard().len() == 2).await;
    let wanted = house.media.heard();
    house.close().await;

    let house = House::open(folder.path()).await;
    house.media.set(Mood::Silent);
    let control = house.control.clone();
    let leading = tokio::spawn(async move { control.lead().await.unwrap() });
    until("both sessions are opened again", || house.media.heard().len() == 2).await;
    assert!(house.groups().iter().all(|group| !group.is_led()), "a new call could have got one of the ports");
    let mut again: Vec<_> = house.media.heard().into_iter().map(|set| set.session).collect();
    let mut before: Vec<_> = wanted.into_iter().map(|set| set.session).collect();
    again.sort();
    before.sort();
    assert_eq!(again, before);
    house.media.set(Mood::Takes);
    leading.await.unwrap();
    until("both groups are led", || house.groups().iter().all(|group| group.is_led())).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_run_sends_what_the_old_one_owed_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    house.answered().await;
    let (answer, session) = (house.edge.responses(200), house.media.heard().pop().unwrap());
    house.close().await;

    let house = House::lead(folder.path()).await;
    until("the answer is sent again", || !house.edge.responses(200).is_empty()).await;
    assert_eq!(house.edge.responses(200)[0], answer[0]);
    until("the session is wanted again", || !house.media.heard().is_empty()).await;
    let again = house.media.heard().remove(0);
    assert_eq!((&again.session, again.version), (&session.session, session.version));
    assert_eq!(again.endpoints[0].port, 20_000, "on the port that the caller was told");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stamp_of_a_quiet_group_with_calls_stays_fresh() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    house.answered().await;
    until("the caller's session is asked for anew", || house.media.heard().len() >= 2).await;
    let delivered = || house.group(2).shared.get().state.outbox_len() == 0;
    until("the other group's records are delivered", delivered).await;
    let (began, without) = (house.group(1).shared.now(), house.group(2).shared.index());
    until("time goes on in the log", || house.group(1).shared.now() >= began + 200).await;
    assert_eq!(house.group(2).shared.index(), without, "a group without calls is not written to");
    house.close().await;
}
