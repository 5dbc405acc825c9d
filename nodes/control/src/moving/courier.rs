//! Reports that came to a group where their tenant was on hold, brought to the tenant's home: in order, and again until
//! it has heard them.

use std::sync::Arc;

use mangrove_domain::{Command, Reply, Report, Ticket};
use mangrove_proto::{id::TenantId, service::Error};

use super::{Mover, under_way};

impl Mover {
    pub(super) async fn hand_on(
        &self,
        tenant: TenantId,
        to: u32,
        series: u64,
        reports: Vec<(u64, Arc<Report>)>,
    ) -> Result<(), Error> {
        let home = self.control.proposer(to.into())?;
        let mut asked = Vec::with_capacity(reports.len());
        for (number, report) in reports {
            let ticket = Ticket { group: self.group, series, number };
            let command = Command::ReportHandedOn { tenant: tenant.clone(), ticket, report };
            asked.push((number, home.submit(command)));
        }
        let mut heard = None;
        let mut outcome = Ok(());
        for (number, reply) in asked {
            let reply = reply.await.unwrap_or(Err(Error::NoLeader { group: to.into() }));
            match reply.map(|done| is_heard(&done.reply, heard.is_none())) {
                Ok(true) => heard = Some(number),
                Ok(false) => {
                    outcome = Err(under_way(tenant.as_str()));
                    break;
                }
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        if let Some(up_to) = heard {
            self.proposer.propose(Command::ReportsDone { tenant, series, up_to }).await?;
        }
        outcome
    }
}

/// Whether nothing more comes of a report. What is missing before the very first one that is left was heard by another
/// tenant of the name: this one was made after it, and it concerns it not.
fn is_heard(reply: &Reply, first: bool) -> bool {
    match reply {
        Reply::Moving { .. } => false,
        Reply::Gap { .. } => first,
        _ => true,
    }
}
