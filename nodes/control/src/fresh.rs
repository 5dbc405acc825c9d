//! Keeps the stamp of a quiet group fresh. A new leader's clock goes on from the last stamp and counts a bounded gap
//! after it: calls that talk for minutes without a word to the log would lose that time at a kill.

use std::time::Duration;

use mangrove_domain::{Command, State};
use tokio::sync::watch;

use crate::{clock::Clock, machine::Shared, proposer::Proposer};

/// What is looked after.
#[derive(Debug)]
pub(crate) struct Parts {
    pub group: u32,
    pub shared: Shared,
    pub proposer: Proposer,
    pub leading: watch::Receiver<Option<Clock>>,
    /// The oldest that the stamp of a group with calls becomes.
    pub period: Duration,
}

/// Runs until the group's role ends. A group without calls is not written to.
pub(crate) async fn keep(mut parts: Parts) {
    while let Ok(clock) = parts.leading.wait_for(Option::is_some).await.map(|clock| *clock) {
        let rest = match clock.and_then(|clock| rest(clock.now(), parts.shared.now(), parts.period)) {
            Some(rest) => rest,
            None => parts.refresh().await,
        };
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            changed = parts.leading.changed() => if changed.is_err() { return },
        }
    }
}

/// How long the stamp is still fresh; none: it is not.
fn rest(now: u64, stamp: u64, period: Duration) -> Option<Duration> {
    let age = Duration::from_millis(now.saturating_sub(stamp));
    period.checked_sub(age).filter(|rest| !rest.is_zero())
}

impl Parts {
    /// An entry that changes nothing but the stamp.
    async fn refresh(&self) -> Duration {
        if has_calls(&self.shared.get().state)
            && let Err(error) = self.proposer.propose(Command::TimePassed).await
        {
            tracing::debug!(group = self.group, %error, "the stamp stays old");
        }
        self.period
    }
}

fn has_calls(state: &State) -> bool {
    state.tenants().any(|(_, tenant)| tenant.calls().next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_fresh_for_a_period() {
        let period = Duration::from_secs(20);
        assert_eq!(rest(1_000, 1_000, period), Some(period));
        assert_eq!(rest(16_000, 1_000, period), Some(Duration::from_secs(5)));
        assert_eq!(rest(21_000, 1_000, period), None);
        assert_eq!(rest(500, 1_000, period), Some(period), "a clock that is not ahead of the stamp");
    }
}
