//! A console beside control that has no replica of the company's group: another node answers, as for one without control.

use mangrove_proto::control::{AgentCommand, ConfigureRequest, DeleteRequest};
use serde_json::Value;

use super::{
    super::{
        house::{BOLT, until},
        town::APART,
    },
    *,
};

/// The desks of the node that has acme's group and of the one that has not.
fn desks(town: &Town) -> (Desk, Desk) {
    let (near, far) = town.order(1);
    let desk = |seat: &Seat| Desk::new(seat.cluster.clone(), seat.control.clone());
    assert!(near.group(1).is_some() && far.group(1).is_none());
    (desk(near), desk(far))
}

async fn make(desk: &Desk, tenant: &str, number: &str) {
    let document = serde_json::to_vec(&company(tenant, number)).unwrap().into();
    let request = ConfigureRequest { tenant: tenant.into(), document, ..ConfigureRequest::default() };
    let reply = desk.configure(request).await.unwrap();
    assert!(reply.problems.is_empty(), "{:?}", reply.problems);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_node_has_not_another_answers_and_what_it_has_it_answers_itself() {
    let town = Town::open(&APART).await;
    let (near, far) = desks(&town);
    town.configure(&near, &company("acme", ACME)).await;
    let (first, second) = town.order(1);
    assert_eq!((reads(&near).await, asked(first, second)), (Ok(()), (0, 0)));
    assert_eq!((reads(&far).await, asked(first, second)), (Ok(()), (1, 0)));
    let available = AgentCommand {
        tenant: "acme".into(),
        employee: "anna".into(),
        state: "available".into(),
        ..AgentCommand::default()
    };
    far.command_agent(available).await.unwrap();
    let agents = serde_json::to_string(&far.live("acme").await.unwrap().agents).unwrap();
    assert!(agents.contains("available"), "{agents}");
    assert_eq!(asked(first, second), (3, 0));
    let none = far.configuration("nobody").await.err();
    assert_eq!(none, Some(Error::NotFound { what: "tenant `nobody`".into() }));
    assert_eq!(asked(first, second), (3, 0), "that it is nobody's, each member knows");
    first.consoles.set(Mood::Fails(away()));
    assert_eq!(reads(&far).await, Err(away()));
    town.close().await;
}

/// A new company's home is chosen while it is made: where that is elsewhere, it is made there.
#[tokio::test(flavor = "multi_thread")]
async fn companies_are_made_listed_and_deleted_wherever_their_home_is() {
    let town = Town::open(&APART).await;
    let (_, far) = desks(&town);
    let (first, second) = town.order(1);
    town.configure(&far, &company("acme", ACME)).await;
    assert_eq!(asked(first, second), (1, 0));
    let mut here = 0;
    for (tenant, number) in [("bolt", BOLT), ("core", "73431234567")] {
        let before = asked(first, second);
        make(&far, tenant, number).await;
        let home = second.cluster.directory().home(tenant).unwrap();
        let is_here = second.group(home.group).is_some();
        here += usize::from(is_here);
        let sent_on = usize::from(!is_here);
        assert_eq!(asked(first, second), (before.0 + sent_on, before.1), "{tenant} in {home:?}");
    }
    assert!(here > 0, "this node has two of four groups, and not acme's");
    let list: Vec<Value> = serde_json::from_slice(&far.tenants().await.unwrap().json).unwrap();
    let homes: Vec<_> = list.iter().map(|tenant| (tenant["id"].as_str(), tenant["group"].as_u64())).collect();
    assert_eq!(homes, [(Some("acme"), Some(1)), (Some("bolt"), Some(2)), (Some("core"), Some(3))]);

    let whole = DeleteRequest { tenant: "acme".into(), ..DeleteRequest::default() };
    far.delete(whole).await.unwrap();
    until("it is forgotten", || second.cluster.directory().home("acme").is_none()).await;
    assert!(matches!(reads(&far).await, Err(Error::NotFound { .. })));
    town.close().await;
}
