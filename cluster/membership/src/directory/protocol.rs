//! Which builds work together: a protocol and the next one. Upgrades go one step at a time, all members, and not back
//! once all have made the step: what they then write may be new. Until then all write what the older one reads.

use super::{Directory, Member, Refusal};

/// The protocol that every member must speak before groups are told to go on under newer rules: earlier builds can't read the
/// command, and know the first ones only.
pub const RULES: u32 = 6;

impl Directory {
    /// Whether every member reads what builds of this protocol write, those to come included: only then is it written.
    pub fn all_speak(&self, protocol: u32) -> bool {
        self.minimum >= protocol
    }

    pub(super) fn check_protocol(&self, member: &Member) -> Result<(), Refusal> {
        let others = self.members.values().filter(|other| other.id != member.id);
        let newest =
            others.map(|other| other.protocol).min().map_or(u32::MAX, |lowest| lowest.saturating_add(1));
        let (protocol, oldest) = (member.protocol, self.minimum);
        if (oldest..=newest).contains(&protocol) {
            return Ok(());
        }
        Err(Refusal::Protocol { protocol, oldest, newest })
    }

    pub(super) fn raise_minimum(&mut self) {
        let lowest = self.members.values().map(|member| member.protocol).min();
        self.minimum = self.minimum.max(lowest.unwrap_or_default());
    }
}
