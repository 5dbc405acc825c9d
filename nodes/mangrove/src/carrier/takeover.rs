//! Takes a member's addresses over from a host that lives. All is ready here before that one lets go: the same ports are
//! bound beside it, and every session is relayed. What fails is done as after a death.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mangrove_membership::{Command, Lease, NodeId};
use mangrove_proto::{
    handover::{PrepareRequest, ReleaseRequest, Step, handover_client::HandoverClient, step::Done},
    media::Holding,
};
use tonic::{Streaming, transport::Channel};

use super::{Carrier, Carrying, hook};
use crate::{configuration::Configuration, serve::roles};

/// The host may take this long to share its ports.
const PREPARES: Duration = Duration::from_secs(2);
/// The leaders of all groups may take this long to tell this node what it is to relay.
const JOINS: Duration = Duration::from_secs(3);
/// So long after the last news what is missing is not waited for: its call has ended.
const QUIET: Duration = Duration::from_millis(300);
const LOOK: Duration = Duration::from_millis(5);
/// The host may take this long for each step of letting go.
const STEP: Duration = Duration::from_secs(4);

impl Carrier {
    /// Returns when this process alone carries the addresses. The error says why it has nothing of them.
    pub(super) async fn take_over(
        &self,
        name: &str,
        lease: Lease,
        host: NodeId,
        configuration: &Configuration,
    ) -> Result<()> {
        let (began, client) = (Instant::now(), self.host(host)?);
        let media = roles::media(configuration, lease.epoch, true, &self.near, &self.store)?;
        let mut one = Carrying { epoch: lease.epoch, edge: None, media };
        if let Err(error) = self.join(name, &mut one, client.clone(), configuration).await {
            self.carried.take(name);
            if let Some(media) = &one.media {
                media.stop().await;
            }
            return Err(error);
        }
        let ready = began.elapsed();
        self.switch(name, lease, one, client, configuration).await;
        tracing::info!(member = name, ?ready, whole = ?began.elapsed(), "addresses were taken over from their host");
        Ok(())
    }

    /// Binds beside the host and waits until all that it carries is relayed here as well.
    async fn join(
        &self,
        name: &str,
        one: &mut Carrying,
        mut client: HandoverClient<Channel>,
        configuration: &Configuration,
    ) -> Result<()> {
        let request = PrepareRequest { member: name.to_owned(), epoch: one.epoch };
        let prepared = in_time(PREPARES, "its host", client.prepare(request)).await??.into_inner();
        one.edge = roles::edge(configuration, one.epoch, true, &self.near).await?;
        one.media.iter().for_each(mangrove_media::Media::bind);
        self.carried.put(name, one.clone());
        self.say_ready(name).await;
        let missing = one.missing(&prepared.sessions).await;
        if missing > 0 {
            tracing::warn!(
                member = name,
                missing,
                "not all sessions are ready before their host lets go of them"
            );
        }
        Ok(())
    }

    /// From now on the leaders of all groups talk to this node about the member.
    pub(super) async fn say_ready(&self, name: &str) {
        self.propose(Command::ReadyLease { name: name.to_owned(), host: self.cluster.node() }).await;
    }

    fn host(&self, host: NodeId) -> Result<HandoverClient<Channel>> {
        let directory = self.cluster.directory();
        let member = directory.member(host).filter(|member| member.alive);
        let address = &member.context("its host does not live any more")?.address;
        Ok(HandoverClient::new(self.cluster.channel(address)?))
    }

    /// From here on nothing is taken back: a host that fails has let go, too.
    async fn switch(
        &self,
        name: &str,
        lease: Lease,
        one: Carrying,
        mut client: HandoverClient<Channel>,
        configuration: &Configuration,
    ) {
        if let Err(error) = hook::run(configuration, hook::Change::Acquire).await {
            tracing::error!(
                member = name,
                error = format!("{error:#}"),
                "an address could not be brought here"
            );
        }
        let request = ReleaseRequest { member: name.to_owned(), epoch: lease.epoch };
        let released = async {
            let steps = in_time(STEP, "its host", client.release(request)).await??.into_inner();
            follow(&one, steps).await
        };
        if let Err(error) = released.await {
            let error = format!("{error:#}");
            tracing::warn!(member = name, error, "the host did not let go as it should; going on without it");
        }
        one.goes_on();
    }
}

/// Goes on with each part of the member when the host is done with it.
async fn follow(one: &Carrying, mut steps: Streaming<Step>) -> Result<()> {
    let mut left = 3;
    while left > 0 {
        let step = in_time(STEP, "its host", steps.message()).await??;
        match step.context("its host ended too early")?.done {
            Some(Done::Closed(closed)) => {
                one.media.iter().for_each(|media| media.begin(closed.playing.clone()))
            }
            Some(Done::EdgeTold(_)) => one.edge.iter().for_each(mangrove_edge::Edge::begin),
            Some(Done::MediaTold(_)) => one.media.iter().for_each(mangrove_media::Media::complete),
            None => bail!("its host told of a step that this build does not know"),
        }
        left -= 1;
    }
    Ok(())
}

impl Carrying {
    /// How many of the host's sessions are not relayed here, after a while.
    async fn missing(&self, sessions: &[Holding]) -> usize {
        let Some(media) = &self.media else { return 0 };
        let began = Instant::now();
        let (mut missing, mut news) = (media.missing(sessions), None);
        while missing > 0
            && began.elapsed() < JOINS
            && news.is_none_or(|news: Instant| news.elapsed() < QUIET)
        {
            tokio::time::sleep(LOOK).await;
            let now = media.missing(sessions);
            if now != missing {
                (missing, news) = (now, Some(Instant::now()));
            }
        }
        missing
    }
}

async fn in_time<T>(limit: Duration, who: &str, answer: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(limit, answer).await.with_context(|| format!("{who} did not answer in {limit:?}"))
}
