//! The watch over the files: what is new and can be used is taken, what can't be used is told.

use std::sync::{Arc, Weak};
use std::time::Duration;

use rustls::pki_types::UnixTime;
use tokio::time::{MissedTickBehavior, interval};

use super::files::Contents;
use super::material::Material;
use super::{Files, Shared};

/// Between two looks at the files.
const LOOK: Duration = Duration::from_secs(1);
/// Looks after which files that could not be used are tried again: a certificate may only have been of tomorrow.
const AGAIN: u32 = 60;
const DAY: u64 = 24 * 60 * 60;
/// A certificate is told of each day from this long before its end.
const SOON: u64 = 14 * DAY;

/// Looks at the files until the last user of `shared` is gone. `taken` is what is in use.
pub(super) async fn keep(shared: Weak<Shared>, taken: Contents) {
    let (mut seen, mut warned) = (Seen::new(taken), None);
    let mut pace = interval(LOOK);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        let Some(shared) = shared.upgrade() else { return };
        // The read fails only when the process ends.
        let Ok(contents) = read(shared.files.clone()).await else { return };
        if seen.is_new(&contents) && !renew(&shared, &contents) {
            seen.retry();
        }
        warn(&shared, &mut warned);
    }
}

async fn read(files: Files) -> Result<Contents, tokio::task::JoinError> {
    tokio::task::spawn_blocking(move || Contents::read(&files)).await
}

/// Whether the new contents are in use now.
fn renew(shared: &Shared, contents: &Contents) -> bool {
    let (files, node) = (&shared.files, &shared.node);
    match Material::load(files, contents, node, UnixTime::now()) {
        Ok(material) => {
            let expires_at = material.life.ends;
            tracing::info!(cert = %files.cert.display(), expires_at, "the cluster's certificate was read again: new connections use it");
            shared.current.send_replace(Arc::new(material));
            true
        }
        Err(error) => {
            tracing::warn!(%error, "the new files of the cluster's certificate can't be used: the old ones stay in use");
            false
        }
    }
}

fn warn(shared: &Shared, warned: &mut Option<u64>) {
    let (now, expires_at) = (UnixTime::now().as_secs(), shared.material().life.ends);
    if !is_due(now, expires_at, *warned) {
        return;
    }
    *warned = Some(now);
    let days = expires_at.saturating_sub(now) / DAY;
    tracing::warn!(
        cert = %shared.files.cert.display(), expires_at, days,
        "the cluster's certificate ends soon, and other nodes will refuse this one: put a new one in its place (mangrove certs issue)"
    );
}

/// Whether to tell that a certificate ends. Unix seconds.
fn is_due(now: u64, expires_at: u64, warned: Option<u64>) -> bool {
    expires_at.saturating_sub(now) < SOON && warned.is_none_or(|warned| now >= warned + DAY)
}

/// What was seen of the files.
struct Seen {
    tried: Contents,
    last: Contents,
    retry_in: u32,
}

impl Seen {
    fn new(taken: Contents) -> Self {
        Self { tried: taken.clone(), last: taken, retry_in: 0 }
    }

    /// Whether these contents should be tried: they differ from those that were, and two looks saw the same, so that
    /// nobody is in the middle of writing them.
    fn is_new(&mut self, now: &Contents) -> bool {
        let steady = self.last == *now;
        let again = self.retry_in == 1;
        self.retry_in = self.retry_in.saturating_sub(1);
        self.last = now.clone();
        if !steady || (self.tried == *now && !again) {
            return false;
        }
        (self.tried, self.retry_in) = (now.clone(), 0);
        true
    }

    /// The contents could not be used: they are new again after a while.
    fn retry(&mut self) {
        self.retry_in = AGAIN;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn contents(text: &str) -> Contents {
        let bytes = || Ok(text.as_bytes().to_vec());
        Contents { ca: bytes(), cert: bytes(), key: bytes() }
    }

    fn looks(seen: &mut Seen, texts: &[&str]) -> Vec<bool> {
        texts.iter().map(|text| seen.is_new(&contents(text))).collect()
    }

    #[test]
    fn files_are_tried_once_when_they_have_settled() {
        for (texts, tried) in [
            (&["a", "a", "a"][..], &[false, false, false][..]),
            (&["b", "b", "b"], &[false, true, false]),
            (&["b", "c", "d", "d"], &[false, false, false, true]),
            (&["b", "a", "a"], &[false, false, false]),
            (&["b", "b", "a", "a"], &[false, true, false, true]),
        ] {
            assert_eq!(looks(&mut Seen::new(contents("a")), texts), tried, "{texts:?}");
        }
    }

    #[test]
    fn files_that_failed_are_tried_again_each_minute() {
        let mut seen = Seen::new(contents("a"));
        assert_eq!(looks(&mut seen, &["b", "b"]), [false, true]);
        seen.retry();
        let looks = looks(&mut seen, &["b"; 100]);
        assert_eq!(looks.iter().position(|tried| *tried), Some(AGAIN as usize - 1));
        assert_eq!(looks.iter().filter(|tried| **tried).count(), 1);
    }

    #[test]
    fn the_end_is_told_from_two_weeks_before_and_daily() {
        let end = 100 * DAY;
        for (now, warned, due) in [
            (end - SOON, None, false),
            (end - SOON + 1, None, true),
            (end - DAY, Some(end - DAY), false),
            (end - DAY, Some(end - 2 * DAY + 1), false),
            (end - DAY, Some(end - 2 * DAY), true),
            (end + DAY, None, true),
        ] {
            assert_eq!(is_due(now, end, warned), due, "{now} {warned:?}");
        }
    }
}
