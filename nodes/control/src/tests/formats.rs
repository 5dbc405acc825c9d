//! Log entries, batches, answers, snapshots and backups as earlier builds wrote them are read; others are refused by
//! their version.

#[path = "../../../../tests/src/golden.rs"]
mod golden;

use std::sync::Arc;

use mangrove_domain::{
    AgentWish, Ask, AuditChange, Author, CallWish, Command, Fence, NodeInfo, ObjectRef, Reply, Report,
    Sender, Stamp, State, Ticket, apply,
};
use mangrove_proto::{
    edge::{EdgeEvent, Failed, FlowClosed, edge_event, failed::Reason},
    id::{CallId, TenantId},
    media::{Counters, MediaEvent, PlayFinished, RecordingFinished, media_event},
};
use mangrove_sip::Transport;

use super::{
    company::{company, configuration},
    house::ACME,
    invite::{cancel, invite},
};
use crate::{
    backup::{self, Archive, Header},
    entry::{self, Entry},
    machine::{self, Current},
};

fn acme() -> TenantId {
    "acme".into()
}

fn sender() -> Sender {
    Sender { node: "n".into(), run: 3 }
}

fn fence() -> Fence {
    Fence { incarnation: 42, term: 5 }
}

fn edge(event: EdgeEvent) -> Command {
    Command::EdgeReported { sender: sender(), event: EdgeEvent { sequence: 1, ..event } }
}

fn media(fact: media_event::Fact) -> MediaEvent {
    MediaEvent { sequence: 1, tenant: "acme".into(), session: CallId(7).to_string(), fact: Some(fact) }
}

fn configured() -> Command {
    let change = AuditChange {
        object: "employee/anna".into(),
        action: "create".into(),
        before: String::new(),
        after: "{}".into(),
    };
    let author = Author { name: "operator".into(), address: "127.0.0.1".into() };
    let config = configuration(&company("acme", ACME)).into();
    Command::ConfigureTenant { config, epoch: 4, author, changes: vec![change] }
}

fn announced() -> Command {
    let contacts = vec![(Transport::Udp, "10.0.0.1:5060".into()), (Transport::Tcp, "10.0.0.1:5060".into())];
    Command::NodeAnnounced { node: NodeInfo { name: "n".into(), contacts, media: true } }
}

/// A state with a call in it that is frozen.
fn current() -> Current {
    let mut state = State::default();
    let frozen = Command::FreezeTenant { tenant: acme(), epoch: 9, group: 1 };
    let commands = [announced(), configured(), edge(invite("acme", ACME, 1)), frozen];
    for (index, command) in (1..).zip(commands) {
        let stamp = Stamp {
            now: 10 * index,
            wall: 1_795_000_000_000,
            seed: index,
            index,
            ordinal: 0,
            fence: fence(),
        };
        assert_eq!(apply(&mut state, command, stamp).reply, Reply::Done);
    }
    Current { state, index: 4, now: 40, wall: 1_795_000_000_000, fresh: None }
}

/// One of each kind, and events of each.
fn commands() -> Vec<Command> {
    use edge_event::Fact;
    let author = Author::default;
    let failed = Failed { reason: Reason::TimedOut.into(), branch: "z9hG4bK1".into(), method: "BYE".into() };
    let event = |fact| EdgeEvent {
        tenant: "acme".into(),
        leg: "leg".into(),
        fact: Some(fact),
        ..EdgeEvent::default()
    };
    let played = PlayFinished { endpoint: "leg".into(), play: "play-1".into() };
    let report =
        Report::Media { sender: sender(), event: media(media_event::Fact::PlayFinished(played.clone())) };
    let heard = |fact| Command::MediaReported { sender: sender(), event: media(fact) };
    vec![
        edge(invite("acme", ACME, 1)),
        edge(cancel("acme", ACME, 1)),
        edge(event(Fact::Failed(failed))),
        edge(event(Fact::FlowClosed(FlowClosed { flow: "flow-1".into() }))),
        heard(media_event::Fact::PlayFinished(played)),
        heard(media_event::Fact::Counters(Counters {
            endpoint: "leg".into(),
            packets_received: 7,
            ..Counters::default()
        })),
        heard(media_event::Fact::RecordingFinished(RecordingFinished {
            recording: "rec-1".into(),
            object: "acme/1.wav".into(),
            duration_ms: 1_000,
            ..RecordingFinished::default()
        })),
        Command::TimerDue { object: ObjectRef::Call(acme(), CallId(7)) },
        Command::TimerDue { object: ObjectRef::Agent(acme(), "anna".into()) },
        configured(),
        Command::RemoveTenant { tenant: acme(), author: author() },
        Command::SetPassword {
            tenant: acme(),
            employee: "anna".into(),
            hash: "$argon2id$".into(),
            author: author(),
            ask: Some(Ask { asker: 7, number: 1 }),
        },
        Command::CommandAgent {
            tenant: acme(),
            employee: "anna".into(),
            wish: AgentWish::Break(Some("lunch".into())),
            author: author(),
            ask: Some(Ask { asker: 7, number: 2 }),
        },
        Command::CommandCall {
            tenant: acme(),
            call: CallId(7),
            wish: CallWish::HangUp,
            author: author(),
            ask: None,
        },
        announced(),
        Command::NodeLost { name: "n".into(), tells: false },
        Command::LeaderStarted { gap_ms: 700 },
        Command::TimePassed,
        Command::OutboxDelivered { up_to: 12 },
        Command::FreezeTenant { tenant: acme(), epoch: 9, group: 1 },
        Command::TakeInTenant { arrival: Arc::new(current().state.departure(&acme()).unwrap()) },
        Command::DiscardArrival { tenant: acme(), epoch: 9 },
        Command::AdmitTenant { tenant: acme(), epoch: 9 },
        Command::LetGoTenant { tenant: acme(), epoch: 9 },
        Command::SettleTenant { tenant: acme(), epoch: 9 },
        Command::ReportHandedOn {
            tenant: acme(),
            ticket: Ticket { group: 1, series: 9, number: 2 },
            report: Arc::new(report),
        },
        Command::ReportsDone { tenant: acme(), series: 9, up_to: 2 },
        Command::ForgetHold { tenant: acme(), epoch: 9 },
        Command::NodeDraining { name: "n".into() },
        Command::RaiseRules { to: 1 },
    ]
}

#[test]
fn entries_with_commands_of_every_kind() {
    let entry = || Entry { now: 40, wall: 1_795_000_000_000, seed: 11, fence: fence(), commands: commands() };
    let kept = golden::check(
        &["entry-1.bin", "entry-2.bin", "entry-3.bin", "entry-4.bin", "entry-5.bin"],
        entry,
        entry::decode,
        |entry| entry::encode(entry).unwrap(),
    );
    assert_eq!((kept.now, kept.seed, kept.fence), (40, 11, fence()));
    assert_eq!(kept.commands, commands());
    let mut later = entry::encode(&kept).unwrap();
    later[0] = 9;
    assert!(entry::decode(&later).unwrap_err().to_string().contains("format 9"));
}

#[test]
fn batches_and_answers_between_nodes() {
    let write =
        |commands: &Vec<Command>| entry::encode_commands(&commands.iter().collect::<Vec<_>>()).unwrap();
    golden::check(
        &["commands-1.bin", "commands-2.bin", "commands-3.bin", "commands-4.bin", "commands-5.bin"],
        commands,
        entry::decode_commands,
        write,
    );
    let what = String::from("call");
    let replies = vec![
        Reply::Done,
        Reply::Seen,
        Reply::Gap { last: 4 },
        Reply::Conflict { what: what.clone() },
        Reply::NotFound { what },
        Reply::Refused { why: "no".into() },
        Reply::Moving { tenant: "acme".into() },
        Reply::Dropped { why: "panicked".into() },
    ];
    let read = |bytes: &[u8]| Ok::<_, ()>(entry::decode_replies(bytes));
    let kept = golden::check(&["replies-1.bin"], || replies.clone(), read, |all| entry::encode_replies(all));
    assert_eq!(kept, replies);
}

#[test]
fn snapshots_of_groups() {
    let write = |current: &Current| machine::to_bytes(current).unwrap();
    let kept = golden::check(&["group-1.bin", "group-2.bin"], current, machine::from_bytes, write);
    assert_eq!((kept.index, kept.now, kept.wall), (4, 40, 1_795_000_000_000));
    assert_eq!(kept.state.tenant(&acme()).map(|tenant| tenant.calls().count()), Some(1));
    let mut later = write(&kept);
    later[24] = 9;
    assert!(machine::from_bytes(&later).unwrap_err().to_string().contains("format 9"));
}

#[test]
fn backups() {
    let archive = || {
        let state = machine::to_bytes(&current()).unwrap();
        Archive {
            header: Header {
                cluster: "000000000000002a".into(),
                version: "0.1.0".into(),
                protocol: 2,
                made_at: 1_795_000_000_000,
                shard_groups: 1,
            },
            directory: b"as golden/directory of mangrove-membership".to_vec(),
            groups: [(1, mangrove_membership::Seed { index: 4, state })].into(),
        }
    };
    let kept = golden::check(&["backup-1.bin"], archive, backup::parse, backup::written);
    assert_eq!((kept.header.shard_groups, kept.groups[&1].index), (1, 4));
    assert!(machine::from_bytes(&kept.groups[&1].state).is_ok());
}
