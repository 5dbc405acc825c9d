//! Everything that may happen to the state: facts that edges and media nodes report, timers, wishes of people, news
//! about nodes. One handler per command in the files below; none of them does more than find the object and pass on.

mod admit_tenant;
mod asked;
mod command_agent;
mod command_call;
mod command_message;
mod configure_tenant;
mod discard_arrival;
mod edge_reported;
mod forget_hold;
mod freeze_tenant;
mod leader_started;
mod let_go_tenant;
mod media_reported;
mod node_announced;
mod node_draining;
mod node_lost;
mod raise_rules;
pub(crate) mod remove_tenant;
pub(crate) mod report_handed_on;
mod reports_done;
mod set_password;
mod settle_tenant;
mod take_in_tenant;
mod timer_due;

use std::sync::Arc;

use mangrove_proto::{
    edge,
    id::{CallId, EmployeeId, TenantId},
    media,
};
use mangrove_sip::Transport;
use serde::{Deserialize, Serialize};

pub use report_handed_on::Ticket;

use crate::{
    ask::Ask,
    call::monitor::Mode,
    config::TenantConfig,
    effect::{Effects, ObjectRef, Reply},
    mailbox::Place,
    moving::{self, Arrival, Report},
    record::{AuditChange, Author},
    rules,
    stamp::Stamp,
    state::State,
};

/// One run of one process that numbers its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The node's name.
    pub node: String,
    /// Rises with every start of the process.
    pub run: u64,
}

/// What a node offers to calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeInfo {
    /// The node's name, as events' senders and effects' addressees carry it.
    pub name: String,
    /// Advertised `host:port` per transport; empty: it is no edge.
    pub contacts: Vec<(Transport, String)>,
    /// Whether it takes media sessions.
    pub media: bool,
}

/// What an agent, or somebody on an agent's behalf, wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AgentWish {
    /// Take calls. Ends a wrap-up too.
    Available,
    /// Take none for a while.
    Break(Option<String>),
    /// Leave. Callers waiting for a group that nobody serves any more overflow as `nobody`.
    Offline,
    /// Done with after-call work.
    EndWrapUp,
}

/// What somebody wants with a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallWish {
    /// End it.
    HangUp,
    /// Something about its recording. Written under rules 1 only: earlier builds can't read it.
    Record(RecordingWish),
    /// Stand beside the talk, or do it in another way; without a mode: leave. Written once all nodes read it.
    Monitor { supervisor: EmployeeId, mode: Option<Mode> },
    /// Something about its guest's part in a conference, or about that. Written under rules 1 only.
    Confer(ConferenceWish),
    /// Send on whom the employee talks with: `by`, or another who talks where that is not them. Written under rules 1 only.
    Transfer { by: Option<EmployeeId>, to: String },
}

/// What somebody wants in a conference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConferenceWish {
    /// The call's guest is not heard from now on.
    Mute,
    /// They are heard again.
    Unmute,
    /// Nobody else comes in.
    Lock,
    /// Whoever may come does.
    Unlock,
    /// All calls in it end.
    End,
}

impl ConferenceWish {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Mute, Self::Unmute, Self::Lock, Self::Unlock, Self::End];

    /// The word in commands, answers and the audit log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mute => "mute",
            Self::Unmute => "unmute",
            Self::Lock => "lock-conference",
            Self::Unlock => "unlock-conference",
            Self::End => "end-conference",
        }
    }
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageWish {
    /// Somebody has heard it.
    Hear,
    /// Somebody does not want it any more.
    Delete,
    /// It was mailed.
    Mailed,
    /// It was deleted, and its sound is gone.
    Gone,
}

impl MessageWish {
    /// What somebody may ask for.
    pub const ASKED: [Self; 2] = [Self::Hear, Self::Delete];

    /// The word in commands and the audit log; none for what nobody asks for.
    pub fn action(self) -> Option<&'static str> {
        match self {
            Self::Hear => Some("hear"),
            Self::Delete => Some("delete"),
            Self::Mailed | Self::Gone => None,
        }
    }
}

/// What somebody wants with a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordingWish {
    /// Begin one.
    Start,
    /// End it.
    Stop,
    /// Keep nothing of what is said from now on.
    Pause,
    /// Go on with it.
    Resume,
}

impl RecordingWish {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Start, Self::Stop, Self::Pause, Self::Resume];

    /// The word in commands, answers and the audit log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start-recording",
            Self::Stop => "stop-recording",
            Self::Pause => "pause-recording",
            Self::Resume => "resume-recording",
        }
    }
}

impl CallWish {
    /// The word in the audit log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::HangUp => "hang-up",
            Self::Record(wish) => wish.name(),
            Self::Monitor { .. } => "monitor",
            Self::Confer(wish) => wish.name(),
            Self::Transfer { .. } => "transfer",
        }
    }
}

/// A fact or a wish, committed in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// An edge's event; taken once by (sender, sequence).
    EdgeReported { sender: Sender, event: edge::EdgeEvent },
    /// A media node's event; taken once by (sender, sequence).
    MediaReported { sender: Sender, event: media::MediaEvent },
    /// Fires what is due of the object at the stamp's `now`; harmless when nothing is.
    TimerDue { object: ObjectRef },
    /// Creates a tenant or replaces its whole configuration, if that has a lower version. Calls in progress go on under
    /// the rules they began with.
    ConfigureTenant { config: Arc<TenantConfig>, epoch: u64, author: Author, changes: Vec<AuditChange> },
    /// Ends all of a tenant's calls and takes it out.
    RemoveTenant { tenant: TenantId, author: Author },
    /// Sets the hash of a login's password (argon2 PHC string).
    SetPassword {
        tenant: TenantId,
        employee: EmployeeId,
        hash: String,
        author: Author,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ask: Option<Ask>,
    },
    /// Changes what an agent does.
    CommandAgent {
        tenant: TenantId,
        employee: EmployeeId,
        wish: AgentWish,
        author: Author,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ask: Option<Ask>,
    },
    /// Does something to a call from outside.
    CommandCall {
        tenant: TenantId,
        call: CallId,
        wish: CallWish,
        author: Author,
        /// Of wishes about its recording: one that comes late must not end a later pause. Of transfers: one counts once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ask: Option<Ask>,
    },
    /// A node is there, or its addresses changed. One that was about to go is not any more.
    NodeAnnounced { node: NodeInfo },
    /// A node is gone for good; its edge legs and media sessions go on elsewhere where there is an elsewhere.
    NodeLost {
        name: String,
        /// Far ends are told in turns, those of an edge too: once all nodes know such rules.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        tells: bool,
    },
    /// A leader begins after a gap: what would have been refreshed in it is given that much longer.
    LeaderStarted { gap_ms: u64 },
    /// Nothing happened, and the stamp says so: how much time has passed is then known to the next leader.
    TimePassed,
    /// SQL has the records up to this number.
    OutboxDelivered { up_to: u64 },
    /// A tenant of this `group` is to move: nothing happens to it from now on. `epoch` is that of its new home.
    FreezeTenant { tenant: TenantId, epoch: u64, group: u32 },
    /// A frozen tenant's copy, for its new home.
    TakeInTenant { arrival: Arc<Arrival> },
    /// The copy is not needed.
    DiscardArrival { tenant: TenantId, epoch: u64 },
    /// The directory says that the tenant lives here: its copy goes on.
    AdmitTenant { tenant: TenantId, epoch: u64 },
    /// The tenant goes on elsewhere: what is left of it here goes.
    LetGoTenant { tenant: TenantId, epoch: u64 },
    /// The tenant stays here, and hears what was reported meanwhile.
    SettleTenant { tenant: TenantId, epoch: u64 },
    /// A report that a group took while the tenant was on hold there; taken once, in order.
    ReportHandedOn { tenant: TenantId, ticket: Ticket, report: Arc<Report> },
    /// The tenant's home has heard this hold's reports up to a number.
    ReportsDone { tenant: TenantId, series: u64, up_to: u64 },
    /// The tenant that had gone from here is no more.
    ForgetHold { tenant: TenantId, epoch: u64 },
    /// A node is about to go, and its addresses stay with it: its media sessions go to other nodes while people talk.
    NodeDraining { name: String },
    /// Somebody has heard a message, or deletes it; or what was to be done about it outside is done. Written once all nodes
    /// read it: no earlier build has a message.
    CommandMessage { tenant: TenantId, place: Place, wish: MessageWish, author: Author },
    /// All nodes know the rules of this version: the group decides by them from here on. Written once all read it.
    RaiseRules { to: u32 },
}

/// Hands a command to its handler. What the proposer is told is the answer.
pub(crate) fn carry_out(state: &mut State, command: Command, stamp: Stamp, effects: &mut Effects) -> Reply {
    if let Some(version) = rules::unknown(&command) {
        return rules::refusal(version);
    }
    match moving::divert(state, command, effects) {
        Ok(command) => decide(state, command, stamp, effects),
        Err(reply) => reply,
    }
}

fn decide(state: &mut State, command: Command, stamp: Stamp, effects: &mut Effects) -> Reply {
    match command {
        Command::EdgeReported { sender, event } => {
            edge_reported::apply(state, &sender, &event, stamp, effects)
        }
        Command::MediaReported { sender, event } => {
            media_reported::apply(state, &sender, &event, stamp, effects)
        }
        Command::TimerDue { object } => timer_due::apply(state, &object, stamp, effects),
        Command::ConfigureTenant { config, epoch, author, changes } => {
            configure_tenant::apply(state, config, epoch, &author, changes, stamp, effects)
        }
        Command::RemoveTenant { tenant, author } => {
            remove_tenant::apply(state, &tenant, author, stamp, effects)
        }
        Command::SetPassword { tenant, employee, hash, author, ask } => {
            asked::once(state, (&tenant, &employee), ask, |state| {
                set_password::apply(state, &tenant, &employee, &hash, author, stamp, effects)
            })
        }
        Command::CommandAgent { tenant, employee, wish, author, ask } => {
            asked::once(state, (&tenant, &employee), ask, |state| {
                command_agent::apply(state, &tenant, &employee, wish, author, stamp, effects)
            })
        }
        Command::CommandCall { tenant, call, wish: CallWish::Monitor { supervisor, mode }, author, ask } => {
            asked::once(state, (&tenant, &supervisor), ask, |state| {
                let wish = CallWish::Monitor { supervisor: supervisor.clone(), mode };
                command_call::apply(state, &tenant, call, (wish, None), author, stamp, effects)
            })
        }
        Command::CommandCall { tenant, call, wish, author, ask } => {
            command_call::apply(state, &tenant, call, (wish, ask), author, stamp, effects)
        }
        Command::NodeAnnounced { node } => node_announced::apply(state, node),
        Command::NodeLost { name, tells } => node_lost::apply(state, &name, tells, stamp, effects),
        Command::LeaderStarted { gap_ms } => leader_started::apply(state, gap_ms, stamp.now),
        Command::TimePassed => Reply::Done,
        Command::OutboxDelivered { up_to } => {
            state.outbox.delivered(up_to);
            Reply::Done
        }
        Command::FreezeTenant { tenant, epoch, group } => {
            freeze_tenant::apply(state, &tenant, epoch, group, stamp)
        }
        Command::TakeInTenant { arrival } => take_in_tenant::apply(state, arrival),
        Command::DiscardArrival { tenant, epoch } => discard_arrival::apply(state, &tenant, epoch),
        Command::AdmitTenant { tenant, epoch } => admit_tenant::apply(state, &tenant, epoch, stamp, effects),
        Command::LetGoTenant { tenant, epoch } => let_go_tenant::apply(state, &tenant, epoch, effects),
        Command::SettleTenant { tenant, epoch } => {
            settle_tenant::apply(state, &tenant, epoch, stamp, effects)
        }
        Command::ReportHandedOn { tenant, ticket, report } => {
            report_handed_on::apply(state, &tenant, ticket, &report, stamp, effects)
        }
        Command::ReportsDone { tenant, series, up_to } => reports_done::apply(state, &tenant, series, up_to),
        Command::ForgetHold { tenant, epoch } => forget_hold::apply(state, &tenant, epoch),
        Command::NodeDraining { name } => node_draining::apply(state, &name, stamp, effects),
        Command::CommandMessage { tenant, place, wish, author } => {
            command_message::apply(state, &tenant, &place, wish, author, stamp, effects)
        }
        Command::RaiseRules { to } => raise_rules::apply(state, to),
    }
}
