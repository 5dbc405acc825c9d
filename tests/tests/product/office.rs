//! A company on a cluster, its agents in talk and more callers in line: what a node's death must not change.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use mangrove_loadtest::{Profile, Report, Swarm, Target, company, compare::compare, profile::Span};
use mangrove_tests::{
    api::Api,
    cluster::{Cluster, Seat},
    floor::Floor,
    ports, wait,
};

const AGENTS: usize = 12;
pub(crate) const CALLERS: usize = 18;

/// A company on a cluster, all its agents in talk and more callers in line.
pub(crate) struct Office {
    pub(crate) cluster: Cluster,
    swarm: Swarm,
    profile: Profile,
    pub(crate) group: u64,
}

fn profile() -> Profile {
    Profile {
        name: "cluster".into(),
        calls_per_second: 10.0,
        // Until talks are released.
        seconds: 0,
        at_once: CALLERS,
        patience: Span(3_600.0, 3_600.0),
        // Counted from `closes`.
        talk: Span(3.0, 6.0),
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
    pub(crate) async fn open(seats: &[Seat], edge: &str) -> Result<Self> {
        Self::open_on(Cluster::start(seats).await?, edge).await
    }

    /// As `open`, on a cluster that runs.
    pub(crate) async fn open_on(cluster: Cluster, edge: &str) -> Result<Self> {
        Self::on(cluster, edge, Ipv4Addr::LOCALHOST.into()).await
    }

    /// As `open_on`; callers and phones have this address.
    pub(crate) async fn on(cluster: Cluster, edge: &str, own: IpAddr) -> Result<Self> {
        let carrier = SocketAddr::new(own, ports::free());
        let (document, agents) = company::document(AGENTS, carrier, 1);
        cluster.console()?.apply(&serde_json::to_string_pretty(&document)?)?;
        let api = cluster.api()?.tenant(company::TENANT);
        for account in &agents {
            api.agent(&account.agent, "available").await?;
        }
        let group = group(&api).await?;
        let profile = profile();
        let target = Target {
            server: cluster.node(edge)?.sip_address(),
            carrier,
            domain: company::DOMAIN.into(),
            called: company::NUMBER.into(),
            agents,
        };
        let swarm = Swarm::start(profile.clone(), target).await?;
        swarm.hold();
        let office = Self { cluster, swarm, profile, group };
        office.fills().await?;
        Ok(office)
    }

    async fn fills(&self) -> Result<()> {
        let full = |floor: &Floor| floor.talks.len() == AGENTS && floor.calls() == CALLERS;
        let limit = Duration::from_secs(60);
        let filled = wait::within(limit, "all agents in talk and the others in line", async || {
            self.floor().await.filter(full)
        });
        filled
            .await
            .map(drop)
            .with_context(|| format!("{:?}\n{}", self.swarm.ledger().tally(), self.cluster.logs()))
    }

    /// As any living console shows it.
    pub(crate) async fn floor(&self) -> Option<Floor> {
        Floor::now(&self.cluster.api().ok()?.tenant(company::TENANT)).await
    }

    /// As `floor`, once somebody tells: nobody does while the lead moves.
    pub(crate) async fn sees(&self) -> Result<Floor> {
        let seen = wait::until("the floor to be seen", async || self.floor().await);
        seen.await.with_context(|| self.cluster.logs())
    }

    /// kill -9 of the node that leads the company's group; it comes back when another leads.
    pub(crate) async fn loses_its_leader(&mut self) -> Result<()> {
        let before = self.sees().await?;
        let leader = self.cluster.led_by(self.group).await?;
        self.cluster.node_mut(&leader)?.kill()?;
        let (next, took) = self.cluster.leader_but(self.group, &leader).await?;
        println!("{leader} killed, {next} leads after {took:.2?}");
        let after = self.sees().await?;
        assert_eq!(after, before, "{leader} killed, {next} leads\n{}", self.cluster.logs());
        self.cluster.node_mut(&leader)?.revive().await
    }

    /// kill -9 of a node with addresses, which an heir carries then. It comes back, has them again, and all groups are led.
    pub(crate) async fn loses(&mut self, name: &str) -> Result<()> {
        let before = self.sees().await?;
        self.cluster.node_mut(name)?.kill()?;
        let since = Instant::now();
        let state = wait::until("the death to be known", async || {
            self.cluster.member(name).await.filter(|one| one["alive"] == false)
        });
        state.await.with_context(|| self.cluster.logs())?;
        println!("{name} killed, known after {:.2?}", since.elapsed());
        let heir = self.carrier(name, |carrier| carrier != name).await?;
        let after = self.sees().await?;
        assert_eq!(after, before, "{name} killed\n{}", self.cluster.logs());
        self.cluster.node_mut(name)?.revive().await?;
        let back = Instant::now();
        self.carrier(name, |carrier| carrier == name).await?;
        println!("{heir} carried its addresses, it has them again {:.2?} after its start", back.elapsed());
        self.cluster.settles(Duration::from_secs(60)).await
    }

    pub(crate) async fn carrier(&self, name: &str, is_it: impl Fn(&str) -> bool) -> Result<String> {
        let carrier = async || self.cluster.carrier(name).await.filter(|carrier| is_it(carrier));
        wait::until("its addresses to move", carrier).await.with_context(|| self.cluster.logs())
    }

    /// Nobody new calls, talks end from now on, and those in line get their turn.
    pub(crate) fn releases(&self) {
        self.swarm.close();
        self.swarm.release();
    }

    /// Lets all calls come to their end and holds what everybody lived against the records.
    pub(crate) async fn closes(self) -> Result<Report> {
        self.releases();
        let Self { cluster, swarm, profile, .. } = self;
        swarm.finish(Duration::from_secs(60)).await;
        let ledger = swarm.ledger();
        let api = cluster.api()?.tenant(company::TENANT);
        let records = api.cdrs(CALLERS).await.with_context(|| cluster.logs())?;
        let differences = compare(&ledger.calls(), &ledger.offers(), &records, true);
        let report = Report::of(profile, ledger, Some(differences));
        let text =
            || format!("{}\n{}", serde_json::to_string_pretty(&report).unwrap_or_default(), cluster.logs());
        assert_eq!((report.talked, report.dropped), (CALLERS, 0), "{}", text());
        assert!(report.is_clean(), "{:#?}\n{}", report.complaints(), text());
        Ok(report)
    }
}

/// The group that holds the only company.
pub(crate) async fn group(api: &Api) -> Result<u64> {
    let tenants = api.node("/tenants").await?;
    let [company] = tenants.as_array().map(Vec::as_slice).unwrap_or_default() else {
        anyhow::bail!("not one company: {tenants}");
    };
    company["group"].as_u64().context("a company without a group")
}
