//! A cluster under load loses nodes by kill -9: whoever talked talks on, whoever waited keeps the place, and in the end
//! each call has one record.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result};
use mangrove_loadtest::{Profile, Report, Swarm, Target, company, compare::compare, profile::Span};
use mangrove_tests::{
    api::Api,
    cluster::{ALIKE, APART, Cluster, Seat},
    floor::Floor,
    ports, wait,
};

const AGENTS: usize = 12;
pub(super) const CALLERS: usize = 18;
/// The longest silence that the death of a node may cause which carries no sound.
pub(super) const UNHEARD_MS: u64 = 200;
/// The longest silence when an heir takes a media node's addresses.
const CARRIED_MS: u64 = 2_000;

/// A company on a cluster, all its agents in talk and more callers in line.
pub(super) struct Office {
    pub(super) cluster: Cluster,
    swarm: Swarm,
    profile: Profile,
    pub(super) group: u64,
}

fn profile(talk: f64) -> Profile {
    Profile {
        name: "cluster".into(),
        calls_per_second: 10.0,
        seconds: 20,
        at_once: CALLERS,
        patience: Span(3_600.0, 3_600.0),
        talk: Span(talk, talk + 3.0),
        pickup: Span(0.2, 0.6),
        agent_hangs_up: 1.0,
        rejects: 0.0,
        ignores: 0.0,
        sound: true,
        heard: 0.5,
        ..Profile::default()
    }
}

impl Office {
    /// Callers and agents are at the SIP of the node named `edge`.
    pub(super) async fn open(seats: &[Seat], edge: &str, talk: f64) -> Result<Self> {
        let cluster = Cluster::start(seats).await?;
        let carrier = SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()));
        let (document, agents) = company::document(AGENTS, carrier, 1);
        cluster.console()?.apply(&serde_json::to_string_pretty(&document)?)?;
        let api = cluster.api()?.tenant(company::TENANT);
        for account in &agents {
            api.agent(&account.agent, "available").await?;
        }
        let group = group(&api).await?;
        let profile = profile(talk);
        let target = Target {
            server: cluster.node(edge)?.sip_address(),
            carrier,
            domain: company::DOMAIN.into(),
            called: company::NUMBER.into(),
            agents,
        };
        let swarm = Swarm::start(profile.clone(), target).await?;
        let office = Self { cluster, swarm, profile, group };
        office.fills().await?;
        Ok(office)
    }

    async fn fills(&self) -> Result<()> {
        let full = |floor: &Floor| floor.talks.len() == AGENTS && floor.calls() == CALLERS;
        let limit = Duration::from_secs(30);
        let filled = wait::within(limit, "all agents in talk and the others in line", async || {
            self.floor().await.filter(full)
        });
        filled
            .await
            .map(drop)
            .with_context(|| format!("{:?}\n{}", self.swarm.ledger().tally(), self.cluster.logs()))
    }

    /// As any living console shows it.
    pub(super) async fn floor(&self) -> Option<Floor> {
        Floor::now(&self.cluster.api().ok()?.tenant(company::TENANT)).await
    }

    /// kill -9 of the node that leads the company's group; it comes back when another leads.
    async fn loses_its_leader(&mut self) -> Result<()> {
        let before = self.floor().await.context("the floor is not to be seen")?;
        let leader = self.cluster.leader(self.group).await.context("nobody leads")?;
        self.cluster.node_mut(&leader)?.kill()?;
        let (next, took) = self.cluster.leader_but(self.group, &leader).await?;
        println!("{leader} killed, {next} leads after {took:.2?}");
        let after = wait::until("the calls to be seen", async || self.floor().await).await?;
        assert_eq!(after, before, "{leader} killed, {next} leads\n{}", self.cluster.logs());
        self.cluster.node_mut(&leader)?.revive().await
    }

    /// kill -9 of any node; it comes back once its addresses have been carried by another for a while.
    async fn loses(&mut self, name: &str) -> Result<()> {
        let before = self.floor().await.context("the floor is not to be seen")?;
        self.cluster.node_mut(name)?.kill()?;
        let since = std::time::Instant::now();
        let state = wait::until("the death to be known", async || {
            self.cluster.member(name).await.filter(|one| one["alive"] == false)
        });
        state.await.with_context(|| self.cluster.logs())?;
        println!("{name} killed, known after {:.2?}", since.elapsed());
        tokio::time::sleep(Duration::from_secs(3)).await;
        let after = wait::until("the calls to be seen", async || self.floor().await).await?;
        assert_eq!(after, before, "{name} killed\n{}", self.cluster.logs());
        self.cluster.node_mut(name)?.revive().await
    }

    /// Lets all calls come to their end and holds what everybody lived against the records.
    pub(super) async fn closes(self) -> Result<Report> {
        let Self { cluster, swarm, profile, .. } = self;
        swarm.finish(Duration::from_secs_f64(profile.talk.1 * 2.0 + 30.0)).await;
        let ledger = swarm.ledger();
        let api = cluster.api()?.tenant(company::TENANT);
        let records = api.cdrs(CALLERS).await.with_context(|| cluster.logs())?;
        let differences = compare(&ledger.calls(), &ledger.offers(), &records, true);
        let report = Report::of(profile, ledger, Some(differences));
        let text =
            || format!("{}\n{}", serde_json::to_string_pretty(&report).unwrap_or_default(), cluster.logs());
        assert_eq!((report.talked, report.dropped, records.len()), (CALLERS, 0, CALLERS), "{}", text());
        assert!(report.is_clean(), "{}", text());
        Ok(report)
    }
}

/// The group that holds the company.
pub(super) async fn group(api: &Api) -> Result<u64> {
    let status = api.node("/status").await?;
    let groups = status["groups"].as_array().cloned().unwrap_or_default();
    let holds = groups.iter().find(|group| group["tenants"] == 1).with_context(|| status.to_string())?;
    holds["group"].as_u64().context("a group without a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leads_may_die_again_and_again() -> Result<()> {
    let mut office = Office::open(APART, "edge-1", 25.0).await?;
    for _ in 0..3 {
        office.loses_its_leader().await?;
    }
    let report = office.closes().await?;
    assert!(report.gap.max <= UNHEARD_MS, "a silence of {} ms", report.gap.max);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_carries_sound_may_die() -> Result<()> {
    let mut office = Office::open(APART, "edge-1", 25.0).await?;
    for name in ["media-1", "media-2"] {
        office.loses(name).await?;
    }
    let report = office.closes().await?;
    assert!(report.gap.max <= CARRIED_MS, "a silence of {} ms", report.gap.max);
    println!("silence of {:?} ms", report.gap);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_carries_signalling_may_die() -> Result<()> {
    let mut office = Office::open(APART, "edge-1", 25.0).await?;
    office.loses("edge-1").await?;
    let report = office.closes().await?;
    assert!(report.gap.max <= UNHEARD_MS, "a silence of {} ms", report.gap.max);
    Ok(())
}

/// A node with every role: its group's leader, the edge that all phones know, and some of the sound, all at once.
#[tokio::test(flavor = "multi_thread")]
async fn any_of_three_alike_may_die() -> Result<()> {
    let mut office = Office::open(ALIKE, "a", 40.0).await?;
    for name in ["a", "b", "c"] {
        office.loses(name).await?;
    }
    let report = office.closes().await?;
    println!("silence of {:?} ms", report.gap);
    Ok(())
}
