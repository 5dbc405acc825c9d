//! Effects that nodes do not take, and faces that fall over them.

use std::{collections::BTreeSet, sync::Arc};

use mangrove_domain::NodeInfo;

use super::{
    fakes::{FakeMedia, Mood},
    house::{House, until},
};

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_that_failed_goes_out_again_while_it_is_owed() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    house.media.set(Mood::Fails);
    house.call_in(1).await;
    until("it is tried again", || house.media.asked() >= 3).await;
    house.media.set(Mood::Takes);
    until("the session is taken", || !house.media.heard().is_empty()).await;
    let taken = house.media.heard();
    assert_eq!((taken[0].version, taken[0].close), (1, false));
    assert_eq!(house.media.late(), 0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_that_is_owed_no_more_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    house.media.set(Mood::Fails);
    house.call_in(1).await;
    until("it is tried", || house.media.asked() >= 1).await;
    house.cancel(1).await;
    until("the caller is told", || !house.edge.responses(487).is_empty()).await;
    house.media.set(Mood::Takes);
    until("the media node hears of it", || !house.media.heard().is_empty()).await;
    assert!(house.media.heard().iter().all(|set| set.close), "{:?}", house.media.heard());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_face_made_again_sends_what_is_owed_and_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    house.call_in(1).await;
    until("the session is asked for", || !house.media.heard().is_empty()).await;
    let first = house.media.heard().remove(0);
    house.media.set(Mood::Panics);
    let asked = house.media.asked();
    house.ready(&first).await;
    until("the face falls", || house.media.asked() > asked).await;
    house.media.set(Mood::Takes);
    until("the newer session is asked for", || house.media.heard().len() >= 2).await;
    assert!(house.media.heard()[1].version > first.version);
    assert_eq!(house.media.late(), 0, "the new face has the right of the entry that it speaks of");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_face_that_falls_again_and_again_is_given_up_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    house.media.set(Mood::Panics);
    house.call_in(1).await;
    until("the last fall", || house.media.asked() == 5).await;
    house.media.set(Mood::Takes);
    house.call_in(2).await;
    until("the other call's session", || !house.media.heard().is_empty()).await;
    house.cancel(1).await;
    house.call_in(3).await;
    until("a third call's session", || house.media.heard().len() == 2).await;
    let state = house.group(1).shared.get().state;
    let (_, acme) = state.tenants().next().unwrap();
    let first = acme.calls().min_by_key(|call| call.started.now).unwrap().id.to_string();
    assert!(house.media.heard().iter().all(|set| set.session != first), "who was given up gets nothing");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_back_ends_the_sessions_of_calls_that_went_on_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    let cut_off = Arc::<FakeMedia>::default();
    let announce = || {
        let info = NodeInfo { name: "m".into(), contacts: Vec::new(), media: true };
        house.control.announce(info, None, Some(cut_off.clone()));
    };
    announce();
    house.call_in(1).await;
    house.call_in(2).await;
    until("a session each", || house.media.heard().len() == 1 && cut_off.heard().len() == 1).await;
    house.control.set_alive(BTreeSet::from(["n".to_owned()]));
    until("the call goes on", || house.media.heard().len() == 2).await;
    cut_off.set(Mood::Fails);
    announce();
    until("it is asked", || cut_off.asked_what_it_holds() > 1).await;
    cut_off.set(Mood::Takes);
    until("its session ends", || cut_off.heard().len() == 2).await;
    let (first, last) = (cut_off.heard().remove(0), cut_off.heard().remove(1));
    assert_eq!((&last.session, last.close, last.goes_on), (&first.session, true, true));
    assert_eq!(house.media.heard().iter().filter(|set| set.close).count(), 0);
    house.close().await;
}
