//! Acme moves from one shard group to another: two states with clocks of their own, and those who report to the old one
//! because they have not heard of the move.

use super::{World, nodes, tenant_id};
use crate::{Command, Effects, Fence, Hold, Reply, Stamp, State, Ticket, apply};

/// The group that acme was in before.
#[derive(Debug, Clone)]
pub(crate) struct Behind {
    pub(crate) state: State,
    pub(crate) group: u32,
    /// By its own clock.
    now: u64,
    log: u64,
}

impl Behind {
    pub(crate) fn apply(&mut self, command: Command, wall: u64) -> Effects {
        self.log += 1;
        let fence = Fence { incarnation: 1, term: 1 };
        let stamp = Stamp { now: self.now, wall, seed: self.log, index: self.log, ordinal: 0, fence };
        apply(&mut self.state, command, stamp)
    }
}

impl World {
    /// The epoch of the next move.
    fn next_epoch(&self) -> u64 {
        self.tenant().epoch() + 10
    }

    pub(crate) fn hold(&self) -> Option<&Hold> {
        self.state.hold(&tenant_id())
    }

    /// Nothing happens to acme from now on.
    pub(crate) fn freeze(&mut self) -> u64 {
        let (tenant, epoch, group) = (tenant_id(), self.next_epoch(), self.group);
        assert_eq!(self.command(Command::FreezeTenant { tenant, epoch, group }), Reply::Done);
        epoch
    }

    /// Frozen acme goes on in a new group whose clock shows `clock` now; nothing is handed on yet.
    pub(crate) fn carry(&mut self, epoch: u64, clock: u64) {
        let (state, group, log) = (State::default(), self.group + 1, 0);
        self.enter(Behind { state, group, now: clock, log }, epoch);
    }

    /// Frozen acme goes back to the group that it came from last.
    pub(crate) fn carry_back(&mut self, epoch: u64) {
        let behind = self.behind.take().expect("a group behind");
        self.enter(behind, epoch);
    }

    fn enter(&mut self, home: Behind, epoch: u64) {
        let wall = self.wall + self.now;
        let copy = self.state.departure(&tenant_id()).expect("a frozen tenant");
        let state = std::mem::replace(&mut self.state, home.state);
        let mut behind = Behind { state, group: self.group, now: self.now, log: self.log.len() as u64 };
        (self.group, self.now, self.wall) = (home.group, home.now, wall - home.now);
        for node in nodes() {
            self.command(Command::NodeAnnounced { node });
        }
        self.command(Command::TakeInTenant { arrival: copy.into() });
        assert_eq!(self.command(Command::AdmitTenant { tenant: tenant_id(), epoch }), Reply::Done);
        let gone = behind.apply(Command::LetGoTenant { tenant: tenant_id(), epoch }, wall);
        assert_eq!(gone.reply, Reply::Done);
        assert_eq!(crate::invariant::check(&behind.state), []);
        self.behind = Some(behind);
    }

    /// What the old group has is heard, then what this one has: acme is free.
    pub(crate) fn settle(&mut self, epoch: u64) {
        self.hand_on();
        self.command(Command::SettleTenant { tenant: tenant_id(), epoch });
        self.hear_own();
        assert_eq!(self.hold(), None);
    }

    /// The whole way to a group whose clock shows `clock`.
    pub(crate) fn move_to(&mut self, clock: u64) {
        let epoch = self.freeze();
        self.carry(epoch, clock);
        self.settle(epoch);
    }

    /// The old group's leader hands on what it has.
    pub(crate) fn hand_on(&mut self) {
        let Some(mut behind) = self.behind.take() else { return };
        let hold = behind.state.hold(&tenant_id()).expect("a hold").clone();
        for (number, report) in hold.reports() {
            let ticket = Ticket { group: behind.group, series: hold.series(), number };
            let (tenant, report) = (tenant_id(), report.clone());
            let reply = self.command(Command::ReportHandedOn { tenant, ticket, report });
            assert!(!matches!(reply, Reply::Moving { .. } | Reply::Gap { .. }), "{reply:?}");
            let (tenant, series) = (tenant_id(), hold.series());
            behind.apply(Command::ReportsDone { tenant, series, up_to: number }, self.wall + self.now);
        }
        self.behind = Some(behind);
    }

    /// This group's leader hands on what waits here.
    pub(crate) fn hear_own(&mut self) {
        let Some(hold) = self.hold().cloned() else { return };
        for (number, report) in hold.reports() {
            let ticket = Ticket { group: self.group, series: hold.series(), number };
            let report = report.clone();
            self.command(Command::ReportHandedOn { tenant: tenant_id(), ticket, report });
            self.command(Command::ReportsDone { tenant: tenant_id(), series: hold.series(), up_to: number });
        }
    }

    /// A report with the sender's next number, to the group that the sender takes for acme's home.
    pub(super) fn report(&mut self, sender: &str, make: impl FnOnce(u64) -> Command) -> Reply {
        let Some(mut behind) = self.behind.take_if(|_| self.late) else {
            let command = make(next_of(&self.state, sender));
            return self.command(command);
        };
        let command = make(next_of(&behind.state, sender));
        let done = behind.apply(command, self.wall + self.now);
        assert!(done.kept && done.actions.is_empty(), "{:?}", done.reply);
        self.behind = Some(behind);
        self.hand_on();
        done.reply
    }
}

/// The number of a sender's next event.
fn next_of(state: &State, sender: &str) -> u64 {
    state.senders().find(|(name, ..)| *name == sender).map_or(1, |(_, _, last)| last + 1)
}
