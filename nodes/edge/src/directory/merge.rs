//! What several control nodes said, put together: of each group the newest edition that any of them told. Pure.
//!
//! A source's steps change that source's own edition only, so that no hole can come of two nodes being at different
//! indexes; an edition that stands is then compared with the common one by its index. Editions share what they agree on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use imbl::{OrdMap, ordmap::DiffItem};
use mangrove_proto::routes::{
    Founding, Held, Load, RoutesUpdate, Step, WatchRequest, routes_update::Content,
};

use super::{lookup::Lookup, tenant::Tenant};

/// Why a stream can't be gone on with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Misfit {
    #[error("it is no source any more")]
    Dismissed,
    #[error(
        "it tells of another cluster (incarnation {told:016x}) than the other control nodes ({known:016x})"
    )]
    OtherCluster { told: u64, known: u64 },
    #[error("its nonce key has {length} bytes instead of 32")]
    NonceKey { length: usize },
    #[error("it did not begin with the cluster's founding")]
    NoFounding,
    #[error("its step for group {group} does not follow from what it told before")]
    Hole { group: u32 },
    #[error("an update says nothing this version understands")]
    Empty,
}

/// A group's routes as of one index of its log.
#[derive(Debug, Clone, Default)]
struct Edition {
    index: u64,
    tenants: OrdMap<Arc<str>, Arc<Tenant>>,
}

/// One control node, from the opening of its present stream on.
#[derive(Debug, Default)]
struct Source {
    /// It has told the founding: it is heard.
    founded: bool,
    editions: BTreeMap<u32, Edition>,
    /// The step that is coming in, and its group.
    unfinished: Option<(u32, Edition)>,
    lag_ms: u64,
    led: BTreeSet<u32>,
}

#[derive(Debug, Default)]
pub(super) struct Merge {
    cluster: Option<Cluster>,
    groups: BTreeMap<u32, Edition>,
    /// Groups that were heard of while their teller led them: what others tell may be from before a restart.
    settled: BTreeSet<u32>,
    sources: BTreeMap<String, Source>,
    lookup: Lookup,
}

#[derive(Debug, Clone, Copy)]
struct Cluster {
    incarnation: u64,
    shard_groups: u32,
    nonce_key: NonceKey,
}

/// Of the digest nonces; all zeros until any node was heard.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct NonceKey(pub(super) [u8; 32]);

impl fmt::Debug for NonceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NonceKey")
    }
}

impl Merge {
    /// A node may be listened to from now on.
    pub(super) fn admit(&mut self, source: &str) {
        self.sources.entry(source.to_owned()).or_default();
    }

    /// A node is listened to no more; what it told stays.
    pub(super) fn dismiss(&mut self, source: &str) {
        self.sources.remove(source);
    }

    /// A stream is opened: what to ask for. None: the node was dismissed.
    pub(super) fn begin(&mut self, source: &str) -> Option<WatchRequest> {
        let editions = self.groups.clone();
        let have = editions.iter().map(|(group, edition)| Held { group: *group, index: edition.index });
        let incarnation = self.cluster.map_or(0, |cluster| cluster.incarnation);
        let request = WatchRequest { incarnation, have: have.collect() };
        *self.sources.get_mut(source)? = Source { editions, ..Source::default() };
        Some(request)
    }

    /// A stream has ended: its node's lag is unknown, what it told stays.
    pub(super) fn lose(&mut self, source: &str) {
        if let Some(source) = self.sources.get_mut(source) {
            *source = Source::default();
        }
    }

    /// Takes an update; a misfit ends the stream, which is then opened anew.
    pub(super) fn take(&mut self, source: &str, update: RoutesUpdate) -> Result<(), Misfit> {
        match update.content.ok_or(Misfit::Empty)? {
            Content::Founding(founding) => self.found(source, &founding)?,
            Content::Step(step) => self.step(source, step)?,
            Content::Load(load) => self.load(source, load)?,
        }
        self.settle();
        Ok(())
    }

    /// Whether all groups were heard of from their leaders.
    pub(super) fn is_ready(&self) -> bool {
        let all = |cluster: &Cluster| (1..=cluster.shard_groups).all(|group| self.settled.contains(&group));
        self.cluster.as_ref().is_some_and(all)
    }

    pub(super) fn lookup(&self) -> &Lookup {
        &self.lookup
    }

    pub(super) fn nonce_key(&self) -> NonceKey {
        self.cluster.map(|cluster| cluster.nonce_key).unwrap_or_default()
    }

    /// Of the slowest leader that is heard.
    pub(super) fn lag_ms(&self) -> u64 {
        self.sources.values().map(|source| source.lag_ms).max().unwrap_or(0)
    }

    /// Nodes heard now.
    pub(super) fn heard(&self) -> usize {
        self.sources.values().filter(|source| source.founded).count()
    }

    /// A cluster that was restored from a backup counts its indexes anew: all that was known is void. As long as another
    /// node tells of the cluster that we know, a strange one is not believed.
    fn found(&mut self, name: &str, founding: &Founding) -> Result<(), Misfit> {
        let nonce_key = founding.nonce_key.as_ref().try_into();
        let nonce_key =
            nonce_key.map(NonceKey).map_err(|_| Misfit::NonceKey { length: founding.nonce_key.len() })?;
        let told = founding.incarnation;
        if let Some(known) = self.cluster.map(|cluster| cluster.incarnation).filter(|known| *known != told) {
            if self.sources.iter().any(|(other, source)| other != name && source.founded) {
                return Err(Misfit::OtherCluster { told, known });
            }
            self.forget();
        }
        let source = self.sources.get_mut(name).ok_or(Misfit::Dismissed)?;
        source.founded = true;
        self.cluster = Some(Cluster { incarnation: told, shard_groups: founding.shard_groups, nonce_key });
        Ok(())
    }

    fn forget(&mut self) {
        self.groups.clear();
        self.settled.clear();
        self.lookup = Lookup::default();
        self.sources.values_mut().for_each(|source| source.editions.clear());
    }

    fn step(&mut self, name: &str, step: Step) -> Result<(), Misfit> {
        let source = heard(&mut self.sources, name)?;
        let mut edition = source.base(&step)?;
        for id in &step.removed {
            edition.tenants.remove(id.as_str());
        }
        let known = self.groups.get(&step.group);
        for told in step.tenants {
            let tenant = shared(known, Tenant::read(step.group, told));
            edition.tenants.insert(tenant.id().clone(), tenant);
        }
        if step.more {
            source.unfinished = Some((step.group, edition));
            return Ok(());
        }
        edition.index = step.to;
        source.editions.insert(step.group, edition.clone());
        self.offer(step.group, edition);
        Ok(())
    }

    /// The newer edition of a group stands.
    fn offer(&mut self, group: u32, edition: Edition) {
        if self.groups.get(&group).is_some_and(|known| known.index >= edition.index) {
            return;
        }
        let before = self.groups.insert(group, edition).unwrap_or_default();
        for id in differing(&before, &self.groups[&group]) {
            // A tenant that two groups have is moving: it is where its epoch is the higher one.
            let held = self.groups.values().filter_map(|edition| edition.tenants.get(&id));
            let now = held.max_by_key(|tenant| tenant.epoch).cloned();
            self.lookup.set(&id, now);
        }
    }

    fn load(&mut self, name: &str, load: Load) -> Result<(), Misfit> {
        let source = heard(&mut self.sources, name)?;
        (source.lag_ms, source.led) = (load.lag_ms, load.led.into_iter().collect());
        Ok(())
    }

    /// A leader tells its editions before it says that it leads.
    fn settle(&mut self) {
        let led = self.sources.values().flat_map(|source| &source.led);
        self.settled.extend(led.filter(|group| self.groups.contains_key(group)));
    }
}

impl Source {
    /// What a step changes: what its parts before made, nothing, or this source's edition.
    fn base(&mut self, step: &Step) -> Result<Edition, Misfit> {
        let hole = Misfit::Hole { group: step.group };
        match (self.unfinished.take(), step.from) {
            (Some((group, edition)), _) if group == step.group => Ok(edition),
            (Some(_), _) => Err(hole),
            (None, None) => Ok(Edition::default()),
            (None, Some(from)) => {
                let own = self.editions.get(&step.group).filter(|own| own.index == from);
                own.cloned().ok_or(hole)
            }
        }
    }
}

fn heard<'s>(sources: &'s mut BTreeMap<String, Source>, name: &str) -> Result<&'s mut Source, Misfit> {
    let source = sources.get_mut(name).ok_or(Misfit::Dismissed)?;
    if source.founded { Ok(source) } else { Err(Misfit::NoFounding) }
}

/// What is known already is kept once, whoever tells it.
fn shared(known: Option<&Edition>, tenant: Tenant) -> Arc<Tenant> {
    let same = known.and_then(|edition| edition.tenants.get(tenant.id())).filter(|known| ***known == tenant);
    same.cloned().unwrap_or_else(|| Arc::new(tenant))
}

fn differing(before: &Edition, now: &Edition) -> Vec<Arc<str>> {
    let id = |item: DiffItem<'_, '_, Arc<str>, Arc<Tenant>>| match item {
        DiffItem::Add(id, _) | DiffItem::Update { new: (id, _), .. } | DiffItem::Remove(id, _) => id.clone(),
    };
    before.tenants.diff(&now.tenants).map(id).collect()
}

#[cfg(test)]
mod tests;
