//! Behaviour on SQLite in a folder of its own: written twice is written once, a reopened file has everything,
//! filters and pages give each call exactly once. With `MANGROVE_TEST_POSTGRES=postgres://…` the same on PostgreSQL,
//! in a schema of its own.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use mangrove_proto::{
    id::{CallId, LegId},
    live::{
        Cdr, CdrLeg, CdrRecording, Direction, EndedBy, LateRecording, Outcome, RecordingChannels,
        RecordingFormat,
    },
    story::{Entry, Kind},
};
use tempfile::TempDir;

use crate::{Audit, AuditFilter, Batch, CdrFilter, Error, History, Page, Story};

const POSTGRES: &str = "MANGROVE_TEST_POSTGRES";

async fn open() -> (TempDir, History) {
    let folder = tempfile::tempdir().unwrap();
    if let Ok(server) = std::env::var(POSTGRES) {
        sqlx::any::install_default_drivers();
        let pool = sqlx::AnyPool::connect(&server).await.unwrap();
        let sql = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {}", schema(&folder)));
        sqlx::raw_sql(sql).execute(&pool).await.unwrap();
        pool.close().await;
    }
    let history = reopen(&folder).await;
    (folder, history)
}

fn schema(folder: &TempDir) -> String {
    let name = folder.path().file_name().unwrap().to_string_lossy().to_lowercase();
    name.chars().filter(char::is_ascii_alphanumeric).collect()
}

async fn reopen(folder: &TempDir) -> History {
    let url = match std::env::var(POSTGRES) {
        Ok(server) => format!("{server}?options[search_path]={}", schema(folder)),
        Err(_) => format!("sqlite:{}/new/history.db", folder.path().display()),
    };
    History::open(&url).await.unwrap()
}

fn cdr(number: u128) -> Cdr {
    Cdr {
        call: CallId(number),
        tenant: "acme".into(),
        direction: Direction::Inbound,
        caller: format!("7916{number:07}"),
        called: "74951234567".into(),
        number: Some("74951234567".into()),
        source: Some("website".into()),
        trunk: Some("carrier".into()),
        started: 1_000 * number as u64,
        answered: Some(1_000 * number as u64 + 500),
        ended: 1_000 * number as u64 + 900,
        wait_ms: 500,
        talk_ms: 400,
        hold_ms: 0,
        group: Some("200".into()),
        employee: Some("anna".into()),
        outcome: Outcome::Answered,
        ended_by: EndedBy::Caller,
        cause: "caller-hung-up".into(),
        sip_status: 200,
        q850: 16,
        legs: Vec::new(),
        recordings: Vec::new(),
    }
}

fn leg(role: &str, employee: &str, answered: Option<u64>) -> CdrLeg {
    CdrLeg {
        leg: LegId(1),
        role: role.into(),
        party: "102".into(),
        employee: Some(employee.into()),
        started: 0,
        answered,
        ended: 1,
        cause: "normal".into(),
        packets_received: 0,
        packets_sent: 0,
        packets_lost: 0,
        jitter_us: 0,
    }
}

fn recording() -> CdrRecording {
    CdrRecording {
        id: "1".into(),
        object: "acme/1.wav".into(),
        duration_ms: 400,
        bytes: 44,
        missing_ms: 0,
        sha256: String::new(),
        marks: Vec::new(),
        format: RecordingFormat::default(),
        channels: RecordingChannels::default(),
    }
}

fn audit(key: &str, at: u64) -> Audit {
    Audit {
        key: key.into(),
        tenant: "acme".into(),
        at,
        author: "vera@acme.example".into(),
        address: "127.0.0.1".into(),
        object: "employee/anna".into(),
        action: "update".into(),
        before: Audit::json(r#"{"ring":"20s"}"#),
        after: Audit::json(r#"{"ring":"25s"}"#),
    }
}

fn story(call: u128, lines: usize) -> Story {
    let entry = |line: usize| Entry {
        at: line as u64,
        after_ms: line as u64,
        kind: Kind::Decision,
        party: String::new(),
        title: format!("line {line}"),
        detail: String::new(),
    };
    Story { tenant: "acme".into(), call: CallId(call), at: 0, entries: (0..lines).map(entry).collect() }
}

async fn found(history: &History, filter: CdrFilter) -> BTreeSet<u128> {
    let listed = history.cdrs(&"acme".into(), &filter, &Page::default()).await.unwrap();
    listed.items.iter().map(|cdr| cdr.call.0).collect()
}

#[tokio::test]
async fn a_batch_that_comes_twice_is_kept_once_and_outlives_a_restart() {
    let (folder, history) = open().await;
    let batch = Batch {
        cdrs: vec![cdr(1), cdr(2)],
        audits: vec![audit("acme/1/1", 5)],
        stories: vec![story(1, 3)],
        ..Batch::default()
    };
    history.write(&batch).await.unwrap();
    history.write(&batch).await.unwrap();
    history.close().await;

    let history = reopen(&folder).await;
    assert_eq!(found(&history, CdrFilter::default()).await, BTreeSet::from([1, 2]));
    assert_eq!(history.cdr(&"acme".into(), CallId(1)).await.unwrap(), Some(cdr(1)));
    assert_eq!(history.story(&"acme".into(), CallId(1)).await.unwrap(), Some(story(1, 3).entries));
    let lines = history.audit(&"acme".into(), &AuditFilter::default(), &Page::default()).await.unwrap();
    assert_eq!(lines.items, batch.audits);
}

#[tokio::test]
async fn a_later_record_of_a_call_takes_the_earlier_ones_place() {
    let (_folder, history) = open().await;
    let later = Cdr { recordings: vec![recording()], ..cdr(1) };
    for cdr in [cdr(1), later.clone()] {
        history.write(&Batch { cdrs: vec![cdr], ..Batch::default() }).await.unwrap();
    }
    assert_eq!(history.cdr(&"acme".into(), CallId(1)).await.unwrap(), Some(later));
    let recorded = CdrFilter { recorded: Some(true), ..CdrFilter::default() };
    assert_eq!(found(&history, recorded).await, BTreeSet::from([1]));
}

#[tokio::test]
async fn who_led_first_and_who_led_later_tell_one_story_in_any_order() {
    let whole = story(1, 6);
    let part =
        |range: std::ops::Range<usize>| Story { entries: whole.entries[range].to_vec(), ..whole.clone() };
    for parts in [[part(0..4), part(3..6)], [part(3..6), part(0..4)]] {
        let (_folder, history) = open().await;
        for story in parts {
            let batch = Batch { stories: vec![story, self::story(2, 1)], ..Batch::default() };
            history.write(&batch).await.unwrap();
        }
        let kept = history.story(&"acme".into(), CallId(1)).await.unwrap();
        assert_eq!(kept.as_ref(), Some(&whole.entries));
    }
}

#[tokio::test]
async fn another_tenants_call_looks_like_a_missing_one() {
    let (_folder, history) = open().await;
    let batch = Batch { cdrs: vec![cdr(1)], stories: vec![story(1, 1)], ..Batch::default() };
    history.write(&batch).await.unwrap();
    assert_eq!(history.cdr(&"other".into(), CallId(1)).await.unwrap(), None);
    assert_eq!(history.story(&"other".into(), CallId(1)).await.unwrap(), None);
}

#[tokio::test]
async fn filters_find_what_they_name() {
    let (_folder, history) = open().await;
    let lost =
        Cdr { outcome: Outcome::Abandoned, employee: None, group: None, caller: "100%_\\'".into(), ..cdr(2) };
    let legs =
        vec![leg("offer", "vera", None), leg("transfer", "boris", Some(1)), leg("caller", "desk", None)];
    let moved = Cdr { legs, direction: Direction::Internal, called: "190".into(), ..cdr(3) };
    history.write(&Batch { cdrs: vec![cdr(1), lost, moved], ..Batch::default() }).await.unwrap();
    let all = CdrFilter::default;
    let table: Vec<(&str, CdrFilter, &[u128])> = vec![
        ("everything", all(), &[1, 2, 3]),
        ("from", CdrFilter { from: Some(2_000), ..all() }, &[2, 3]),
        ("to", CdrFilter { to: Some(2_000), ..all() }, &[1]),
        ("caller", CdrFilter { caller: Some("0000001".into()), ..all() }, &[1]),
        ("percent is no pattern", CdrFilter { caller: Some("0%_".into()), ..all() }, &[2]),
        ("quotes", CdrFilter { caller: Some("\\'".into()), ..all() }, &[2]),
        ("called", CdrFilter { called: Some("190".into()), ..all() }, &[3]),
        ("either", CdrFilter { party: Some("190".into()), ..all() }, &[3]),
        ("group", CdrFilter { groups: Some(vec!["200".into(), "300".into()]), ..all() }, &[1, 3]),
        ("no group allowed", CdrFilter { groups: Some(Vec::new()), ..all() }, &[]),
        ("who answered", CdrFilter { employee: Some("anna".into()), ..all() }, &[1, 3]),
        ("transferred to", CdrFilter { employee: Some("boris".into()), ..all() }, &[3]),
        ("who called", CdrFilter { employee: Some("desk".into()), ..all() }, &[3]),
        ("only rung", CdrFilter { employee: Some("vera".into()), ..all() }, &[]),
        ("outcome", CdrFilter { outcome: Some(Outcome::Abandoned), ..all() }, &[2]),
        ("direction", CdrFilter { direction: Some(Direction::Internal), ..all() }, &[3]),
        ("recorded", CdrFilter { recorded: Some(true), ..all() }, &[]),
        ("not recorded", CdrFilter { recorded: Some(false), ..all() }, &[1, 2, 3]),
    ];
    for (name, filter, wanted) in table {
        assert_eq!(found(&history, filter).await, wanted.iter().copied().collect(), "{name}");
    }
}

#[tokio::test]
async fn pages_hold_every_call_once_though_new_ones_come() {
    let (_folder, history) = open().await;
    let same_time = |number| Cdr { started: 1_000 * u64::from(number > 5), ..cdr(number) };
    history.write(&Batch { cdrs: (1..=10).map(same_time).collect(), ..Batch::default() }).await.unwrap();
    let (mut seen, mut page) = (Vec::new(), Page { limit: 3, after: None });
    loop {
        let listed = history.cdrs(&"acme".into(), &CdrFilter::default(), &page).await.unwrap();
        seen.extend(listed.items.iter().map(|cdr| cdr.call.0));
        history
            .write(&Batch { cdrs: vec![cdr(100 + seen.len() as u128)], ..Batch::default() })
            .await
            .unwrap();
        page.after = listed.next;
        if page.after.is_none() {
            break;
        }
    }
    assert_eq!(seen, (1..=10).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn the_audit_log_is_filtered_and_paged() {
    let (_folder, history) = open().await;
    let audits = (1..=5).map(|n| audit(&format!("acme/1/{n}"), 7)).collect();
    history.write(&Batch { audits, ..Batch::default() }).await.unwrap();
    let first = Page { limit: 4, after: None };
    let filter =
        AuditFilter { author: Some("VERA".into()), action: Some("update".into()), ..AuditFilter::default() };
    let listed = history.audit(&"acme".into(), &filter, &first).await.unwrap();
    assert_eq!(listed.items.len(), 4);
    let rest = history.audit(&"acme".into(), &filter, &Page { after: listed.next, ..first }).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (1, None));
    let other = AuditFilter { object: Some("group/".into()), ..AuditFilter::default() };
    assert!(history.audit(&"acme".into(), &other, &Page::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn retention_forgets_recordings_first_and_calls_later() {
    let (_folder, history) = open().await;
    let old = Cdr { recordings: vec![recording()], ..cdr(1) };
    let batch = Batch { cdrs: vec![old, cdr(9)], stories: vec![story(1, 1)], ..Batch::default() };
    history.write(&batch).await.unwrap();
    let tenant = "acme".into();
    let expired = history.expired_recordings(&tenant, 5_000, None, 10).await.unwrap();
    assert_eq!(expired[0].recordings, [recording()]);
    assert_eq!(history.expired_recordings(&tenant, 5_000, Some(&expired[0]), 10).await.unwrap(), []);
    history.forget_recordings(&tenant, CallId(1), &["1"]).await.unwrap();
    assert_eq!(history.expired_recordings(&tenant, 5_000, None, 10).await.unwrap(), []);
    assert_eq!(history.delete_before(&tenant, 5_000).await.unwrap(), 1);
    assert_eq!(found(&history, CdrFilter::default()).await, BTreeSet::from([9]));
    assert_eq!(history.story(&tenant, CallId(1)).await.unwrap(), None);
}

/// A batch comes twice, or a recording is reported after a person deleted the call's others.
#[tokio::test]
async fn a_deleted_recording_is_not_listed_again_when_its_call_is_written_again() {
    let (_folder, history) = open().await;
    let tenant = "acme".into();
    let kept = async || {
        let record = history.cdr(&tenant, CallId(1)).await.unwrap().unwrap();
        record.recordings.into_iter().map(|recording| recording.id).collect::<Vec<_>>()
    };
    let (first, late) = (recording(), CdrRecording { id: "2".into(), ..recording() });
    let with = |recordings: &[CdrRecording]| {
        let cdrs = vec![Cdr { recordings: recordings.to_vec(), ..cdr(1) }, cdr(9)];
        Batch { cdrs, ..Batch::default() }
    };
    let recorded = CdrFilter { recorded: Some(true), ..CdrFilter::default() };
    history.write(&with(std::slice::from_ref(&first))).await.unwrap();
    history.forget_recordings(&"other".into(), CallId(1), &["1"]).await.unwrap();
    assert_eq!(kept().await, ["1"], "it is another tenant's");
    for _ in 0..2 {
        history.forget_recordings(&tenant, CallId(1), &["1"]).await.unwrap();
        history.write(&with(std::slice::from_ref(&first))).await.unwrap();
        assert!(kept().await.is_empty());
        assert!(found(&history, recorded.clone()).await.is_empty());
    }
    history.write(&with(&[first, late])).await.unwrap();
    assert_eq!(kept().await, ["2"]);
    history.forget_recordings(&tenant, CallId(1), &["1"]).await.unwrap();
    assert_eq!(kept().await, ["2"], "what came meanwhile stays");
    assert_eq!(found(&history, recorded).await, BTreeSet::from([1]));
}

#[tokio::test]
async fn a_recording_that_comes_late_is_put_into_its_record_once() {
    let (_folder, history) = open().await;
    let late = |tenant: &str, call: u128| LateRecording {
        tenant: tenant.into(),
        call: CallId(call),
        recording: recording(),
    };
    // Of a call that is written with it, of one without a record, and of another tenant's.
    let late = vec![late("acme", 1), late("acme", 7), late("other", 2)];
    let batch = Batch { late, ..Batch::default() };
    history.write(&Batch { cdrs: vec![cdr(1), cdr(2)], ..batch.clone() }).await.unwrap();
    history.write(&batch).await.unwrap();
    let listed = history.cdrs(&"acme".into(), &CdrFilter::default(), &Page::default()).await.unwrap();
    let recordings: Vec<usize> = listed.items.iter().map(|cdr| cdr.recordings.len()).collect();
    assert_eq!(recordings, [0, 1], "newest first");
    history.forget_recordings(&"acme".into(), CallId(1), &["1"]).await.unwrap();
    history.write(&batch).await.unwrap();
    let kept = history.cdr(&"acme".into(), CallId(1)).await.unwrap().unwrap();
    assert_eq!(kept.recordings, [], "it is deleted");
}

#[tokio::test]
async fn a_long_story_loses_its_middle() {
    let (_folder, history) = open().await;
    history.write(&Batch { stories: vec![story(1, 5_000)], ..Batch::default() }).await.unwrap();
    let kept = history.story(&"acme".into(), CallId(1)).await.unwrap().unwrap();
    assert_eq!(kept.len(), 1_000);
    assert_eq!((kept[0].title.as_str(), kept[999].title.as_str()), ("line 0", "line 4999"));
}

#[tokio::test]
async fn nonsense_is_refused_with_a_reason() {
    for url in ["mysql://x", "sqlite::memory:", "sqlite:", ""] {
        let refused = History::open(url).await.unwrap_err();
        assert!(matches!(refused, Error::Refused { .. }) && !refused.is_retryable(), "{url}");
    }
    let (_folder, history) = open().await;
    let page = Page { after: Some("'; DROP TABLE cdr".into()), limit: 1 };
    let refused = history.cdrs(&"acme".into(), &CdrFilter::default(), &page).await.unwrap_err();
    assert!(refused.to_string().contains("`after`"), "{refused}");
}

#[tokio::test]
async fn a_broken_batch_leaves_nothing_and_may_be_tried_again() {
    let (_folder, history) = open().await;
    sqlx::raw_sql("DROP TABLE story").execute(&history.writer).await.unwrap();
    let batch = Batch { cdrs: vec![cdr(1)], stories: vec![story(1, 1)], ..Batch::default() };
    assert!(history.write(&batch).await.unwrap_err().is_retryable());
    assert_eq!(found(&history, CdrFilter::default()).await, BTreeSet::new());
}

#[tokio::test]
async fn texts_with_nul_are_kept_without_it() {
    let (_folder, history) = open().await;
    let odd = Cdr { caller: "7\0916".into(), ..cdr(1) };
    history.write(&Batch { cdrs: vec![odd], ..Batch::default() }).await.unwrap();
    let filter = CdrFilter { caller: Some("7916".into()), ..CdrFilter::default() };
    assert_eq!(found(&history, filter).await, BTreeSet::from([1]));
}

/// Of PostgreSQL alone: a leader that is cut off leaves its transaction open.
#[tokio::test]
async fn who_falls_silent_in_the_middle_of_a_batch_does_not_hold_up_the_next() {
    if std::env::var(POSTGRES).is_err() {
        return;
    }
    let (folder, history) = open().await;
    let cut_off = reopen(&folder).await;
    let mut silent = cut_off.writer.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE cdr").execute(&mut *silent).await.unwrap();
    history.write(&Batch { cdrs: vec![cdr(1)], ..Batch::default() }).await.unwrap();
    assert!(silent.commit().await.is_err(), "its transaction is no more");
}
