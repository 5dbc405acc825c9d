//! Asking one node after another, without waiting for one that is slow.

use std::time::Duration;

use futures::{StreamExt, stream::FuturesUnordered};
use mangrove_proto::service::Error;
use tokio::time::timeout;

/// After this long without an answer the next one is asked too.
pub(crate) const SLOW: Duration = Duration::from_millis(400);

/// The first answer to questions that are put in turn: the next one when the last has failed in a way that another may
/// not, or is slow, for who is asked may have stopped, or only have a slow disk. When nobody is left to be asked and others
/// have failed, those who are slow are waited for once more so long: what is asked again may be answered sooner. `none`: what
/// it is when nobody is asked.
pub(crate) async fn first_answer<T, F>(
    mut questions: impl Iterator<Item = F>,
    none: Error,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let (mut last, mut others_failed, mut is_out) = (none, false, false);
    let mut asked = FuturesUnordered::new();
    asked.extend(questions.next());
    while !asked.is_empty() {
        match timeout(SLOW, asked.next()).await {
            Ok(Some(Ok(answer))) => return Ok(answer),
            Ok(Some(Err(error))) if !error.is_retryable() => return Err(error),
            Ok(Some(Err(error))) => (last, others_failed) = (error, true),
            Err(_) if is_out && others_failed => break,
            Ok(None) | Err(_) => {}
        }
        let next = questions.next();
        is_out = next.is_none();
        asked.extend(next);
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    const NONE: Error = Error::NoLeader { group: 1 };

    /// Who is asked: how long it takes, and what it says.
    type Case = (u64, Result<&'static str, Error>);

    async fn asked(cases: Vec<Case>) -> (Result<&'static str, Error>, u64) {
        let began = Instant::now();
        let questions = cases.into_iter().map(|(after, said)| async move {
            sleep(Duration::from_millis(after)).await;
            said
        });
        (first_answer(questions, NONE).await, began.elapsed().as_millis() as u64)
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_slow_keeps_nobody_waiting_and_may_still_answer() {
        let refused = || Error::Refused { why: "no".into() };
        let table: Vec<(Vec<Case>, Result<&str, Error>, u64)> = vec![
            (vec![], Err(NONE), 0),
            (vec![(10, Ok("a"))], Ok("a"), 10),
            (vec![(10, Err(NONE)), (10, Ok("b"))], Ok("b"), 20),
            (vec![(10, Err(refused())), (10, Ok("b"))], Err(refused()), 10),
            (vec![(9_000, Ok("a")), (10, Ok("b"))], Ok("b"), 410),
            (vec![(700, Ok("a")), (10, Err(NONE))], Ok("a"), 700),
            (vec![(9_000, Ok("a"))], Ok("a"), 9_000),
            (vec![(9_000, Ok("a")), (10, Err(NONE)), (10, Err(NONE))], Err(NONE), 820),
            (vec![(2_000, Err(NONE)), (2_000, Err(NONE)), (10, Ok("c"))], Ok("c"), 810),
        ];
        for (at, (cases, answer, after)) in table.into_iter().enumerate() {
            let (found, took) = asked(cases).await;
            assert_eq!(format!("{found:?}"), format!("{answer:?}"), "case {at}");
            assert_eq!(took, after, "case {at}");
        }
    }
}
