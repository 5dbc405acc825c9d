//! Files that change under a running node.

use super::authority::{Authority, Pair, Wish, put};
use super::{Log, Port, call, node, until};
use crate::{Mutual, Security};

#[tokio::test]
async fn new_connections_use_the_new_files_and_old_ones_stay() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let (a, folder) = node(&old, "a");
    let (b, _b) = node(&old, "b");
    let (c, _c) = node(&new, "c");
    let port = Port::open(Security::Mutual(a.clone())).await;
    let standing = port.channel(Security::Mutual(b.clone()));
    call(standing.clone()).await.unwrap();
    assert!(port.called_by(Security::Mutual(c.clone())).await.is_err());

    let before = a.expires_at();
    put(folder.path(), &new.pem(), &new.issue(Wish::good("a").days(300)));
    until("the new files are in use", || a.expires_at() > before).await;
    assert_eq!(port.called_by(Security::Mutual(c)).await, Ok(()));
    // Nobody believes the old authority any more: what still talks is the old connection.
    assert!(port.called_by(Security::Mutual(b)).await.is_err());
    assert_eq!(call(standing).await, Ok(()));
}

#[tokio::test]
async fn an_authority_is_replaced_without_a_gap() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let (a, a_folder) = node(&old, "a");
    let (b, b_folder) = node(&old, "b");
    let port = Port::open(Security::Mutual(a.clone())).await;
    let (both, mut days) = (old.pem() + &new.pem(), 100);
    // Both are believed, then each node gets a certificate of the new one, then the old one is forgotten.
    let steps = [(&both, &old, &old), (&both, &new, &old), (&both, &new, &new), (&new.pem(), &new, &new)];
    for (ca, of_a, of_b) in steps {
        let ends = (a.expires_at(), b.expires_at());
        put(a_folder.path(), ca, &of_a.issue(Wish::good("a").days(days)));
        put(b_folder.path(), ca, &of_b.issue(Wish::good("b").days(days)));
        until("the new files are in use", || a.expires_at() > ends.0 && b.expires_at() > ends.1).await;
        assert_eq!(port.called_by(Security::Mutual(b.clone())).await, Ok(()));
        days += 1;
    }
}

#[tokio::test]
async fn broken_files_leave_the_old_ones_in_use_and_are_told() {
    let (log, _guard) = Log::start();
    let one = Authority::new("one");
    let (a, folder) = node(&one, "a");
    let (b, _b) = node(&one, "b");
    let port = Port::open(Security::Mutual(a.clone())).await;
    let expires_at = a.expires_at();
    for (pair, part) in [
        (Pair { cert: "half a fi".to_owned(), key: String::new() }, "node.pem is no certificate"),
        (one.issue(Wish::good("b")), "can't be this node's"),
        (one.issue(Wish::good("a").days(-1)), "expired"),
    ] {
        log.clear();
        put(folder.path(), &one.pem(), &pair);
        log.has(part).await;
        log.has("the old ones stay in use").await;
        assert_eq!(a.expires_at(), expires_at);
        assert_eq!(port.called_by(Security::Mutual(b.clone())).await, Ok(()), "{part}");
    }
    put(folder.path(), &one.pem(), &one.issue(Wish::good("a").days(300)));
    until("good files are taken after broken ones", || a.expires_at() > expires_at).await;
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_told() {
    let (log, _guard) = Log::start();
    let (one, folder) = (Authority::new("one"), tempfile::tempdir().unwrap());
    let pair = one.issue(Wish::good("a").days(13));
    let a = Mutual::open(put(folder.path(), &one.pem(), &pair), "a").unwrap();
    log.has("ends soon").await;
    log.has(&format!("expires_at={}", a.expires_at())).await;
}

#[tokio::test]
async fn a_certificate_in_its_last_week_is_an_alarm_until_it_is_renewed() {
    let (one, folder) = (Authority::new("one"), tempfile::tempdir().unwrap());
    let pair = one.issue(Wish::good("a").age(100).days(6));
    let security = Security::Mutual(Mutual::open(put(folder.path(), &one.pem(), &pair), "a").unwrap());
    let alarm = security.alarm().unwrap_or_default();
    assert!(alarm.contains(" ends in ") && alarm.contains("node.pem"), "{alarm}");
    assert!(security.seconds_left().is_some_and(|left| left <= 6 * 86_400));
    put(folder.path(), &one.pem(), &one.issue(Wish::good("a").age(0).days(20)));
    until("the alarm is over", || security.alarm().is_none()).await;
    assert!(security.seconds_left().is_some_and(|left| left > 19 * 86_400));
    assert_eq!((Security::Plain.alarm(), Security::Plain.seconds_left()), (None, None));
}
