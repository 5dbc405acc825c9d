//! Tenants that move between shard groups, as their groups see it. Where a tenant's home is, the directory decides.
//!
//! ```text
//! the old group      Freeze ─▶ leaving ───────────────────────────▶ LetGo ─▶ gone: what still comes is handed on
//! the new group                  └─ copy ─▶ TakeIn ─▶ Admit ─▶ arriving ─────────────▶ Settle ─▶ settling ─▶ free
//! the directory                                     ▲ the home flips
//! ```
//!
//! A tenant on hold is not decided upon by what edges and media nodes report: each report is taken by its number, once,
//! and kept here until the tenant's home has it. Reports that are handed on have numbers of their own, which the tenant
//! itself remembers wherever it goes: so none is heard twice, and none before the one that came first.
//!
//! Groups raise their rules one by one, so for a moment a tenant may go from newer ones to older ones. Its copy says by which
//! it lived, and to admit it raises those of its new home: nothing that was agreed on under newer rules is judged by older
//! ones. All nodes know them, or its old home would not have had them. The other way round it goes on as its new home does.

mod divert;

use std::sync::Arc;

use imbl::OrdMap;
use mangrove_proto::{edge, id::TenantId, media};
use serde::{Deserialize, Serialize};

use crate::{
    command::Sender,
    record::{Origin, Record},
    stamp::Moment,
    state::State,
    tenant::Tenant,
};

pub(crate) use divert::divert;

/// Something that an edge or a media node reported of a tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Report {
    /// By an edge.
    Edge { sender: Sender, event: edge::EdgeEvent },
    /// By a media node.
    Media { sender: Sender, event: media::MediaEvent },
}

/// How a tenant on hold stands to this group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// It is frozen, so that the copy that goes to its new home stays true.
    Leaving,
    /// It lives elsewhere.
    Gone,
    /// It lives here; its old home may still have reports that came first.
    Arriving,
    /// It lives here; the reports that are kept come first.
    Settling,
}

/// A tenant on its way out, in, or gone, with what was reported meanwhile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hold {
    pub(crate) standing: Standing,
    /// Of the tenant in the home to which it goes, has gone or has come.
    pub(crate) epoch: u64,
    /// When it was frozen, by the tenant's clock.
    pub(crate) at: Moment,
    /// Where the numbers of the reports began: an epoch. A later hold has a higher one.
    pub(crate) series: u64,
    /// The last number given.
    pub(crate) last: u64,
    pub(crate) reports: OrdMap<u64, Arc<Report>>,
    /// The tenant's records that SQL has not confirmed, while it is frozen.
    pub(crate) records: Vec<(Origin, Record)>,
}

/// The last report that a tenant heard from a group's hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Heard {
    pub(crate) series: u64,
    pub(crate) number: u64,
}

/// A frozen tenant, whole, for its new home.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    pub(crate) tenant: Tenant,
    pub(crate) epoch: u64,
    /// When it was frozen, by its own clock.
    pub(crate) at: Moment,
    pub(crate) records: Vec<(Origin, Record)>,
    /// By which rules it lived.
    #[serde(default, skip_serializing_if = "crate::rules::are_first")]
    pub(crate) rules: u32,
}

impl Arrival {
    /// Who comes.
    pub fn id(&self) -> &TenantId {
        &self.tenant.config.id
    }

    /// Its epoch in its new home.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Bytes that it takes in a log. Costs as much as writing it.
    pub fn size(&self) -> usize {
        rmp_serde::to_vec_named(self).map_or(usize::MAX, |bytes| bytes.len())
    }
}

impl Hold {
    pub(crate) fn new(standing: Standing, epoch: u64, at: Moment) -> Self {
        let (reports, records) = (OrdMap::new(), Vec::new());
        Self { standing, epoch, at, series: epoch, last: 0, reports, records }
    }

    /// How the tenant stands to this group.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Its epoch in the home to which it goes, has gone or has come.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Where the numbers of the reports began.
    pub fn series(&self) -> u64 {
        self.series
    }

    /// What waits for the tenant's home, in its order, by number.
    pub fn reports(&self) -> impl Iterator<Item = (u64, &Arc<Report>)> {
        self.reports.iter().map(|(number, report)| (*number, report))
    }

    /// Whether the tenant lives here.
    pub(crate) fn is_home(&self) -> bool {
        matches!(self.standing, Standing::Arriving | Standing::Settling)
    }

    fn keep(&mut self, report: Report) {
        self.last += 1;
        self.reports.insert(self.last, report.into());
    }
}

impl State {
    /// Tenants on hold here.
    pub fn holds(&self) -> impl Iterator<Item = (&TenantId, &Hold)> {
        self.holds.iter().map(|(id, hold)| (id, hold.as_ref()))
    }

    /// A tenant's hold here, if it is on hold.
    pub fn hold(&self, tenant: &TenantId) -> Option<&Hold> {
        self.holds.get(tenant).map(Arc::as_ref)
    }

    /// Copies of tenants that have come and are not admitted, with their epochs.
    pub fn arrivals(&self) -> impl Iterator<Item = (&TenantId, u64)> {
        self.arrivals.iter().map(|(id, arrival)| (id, arrival.epoch))
    }

    /// The copy of a frozen tenant for its new home.
    pub fn departure(&self, tenant: &TenantId) -> Option<Arrival> {
        let hold = self.hold(tenant).filter(|hold| hold.standing == Standing::Leaving)?;
        let (tenant, records) = (self.tenant(tenant)?.clone(), hold.records.clone());
        Some(Arrival { tenant, epoch: hold.epoch, at: hold.at, records, rules: self.rules })
    }

    /// Whether nothing may happen to the tenant.
    pub(crate) fn is_leaving(&self, tenant: &TenantId) -> bool {
        self.hold(tenant).is_some_and(|hold| hold.standing == Standing::Leaving)
    }

    /// Tenants to which something may happen.
    pub(crate) fn movable(&self) -> Vec<TenantId> {
        self.tenants.keys().filter(|id| !self.is_leaving(id)).cloned().collect()
    }
}
