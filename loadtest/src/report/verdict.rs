//! Whether a run was as it should be, and what was not.

use super::{Report, Share};
use crate::compare::Differences;

impl Report {
    /// Whether every side experienced what it should: nothing refused, dropped or contradicted, nobody turned away
    /// unless the profile allows it, and in every talk both tones heard.
    pub fn is_clean(&self) -> bool {
        self.complaints().is_empty()
    }

    /// What was not as [`Self::is_clean`] asks, a line each, counts before names.
    pub fn complaints(&self) -> Vec<String> {
        let turned = if self.profile.turns_away { 0 } else { self.turned };
        let counts = [
            ("refused", self.refused),
            ("dropped", self.dropped),
            ("unfinished", self.unfinished),
            ("turned away", turned),
        ];
        let counted =
            counts.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{count} {what}"));
        let unheard = [("agent", self.caller_heard_agent), ("caller", self.agent_heard_caller)];
        let unheard = unheard.iter().filter(|(_, share)| !self.all_heard(*share));
        let unheard = unheard.map(|(who, share)| {
            format!(
                "the {who} was heard in {} of {} talks, {} of them measured",
                share.yes, self.talked, share.of
            )
        });
        let told = self.differences.iter().flat_map(Differences::lines);
        counted.chain(unheard).chain(told).collect()
    }

    /// Whether these are all talks of the run, and the tone was heard in each.
    pub(super) fn all_heard(&self, share: Share) -> bool {
        !self.profile.sound || (share.of == self.talked && share.yes == share.of)
    }
}
