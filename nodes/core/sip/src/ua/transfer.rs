//! A transfer as the far end asks for it: REFER, its implicit subscription and our NOTIFYs (RFC 3515).
//! The subscription ends with the dialog. `Refer-Sub: false` (RFC 4488) is honoured.

use serde::{Deserialize, Serialize};

use super::asked::Asked;
use super::turn::{Purpose, Turn};
use super::{Ctx, Fact, Leg, Output, Phase};
use crate::uri::unescape;
use crate::{Message, Method, NameAddr, Uri, cause};

const SIPFRAG: &str = "message/sipfrag;version=2.0";

/// The transfer asked for last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Transfer {
    /// The REFER until it is answered.
    asked: Option<Asked>,
    /// The value of Event.
    event: String,
    /// The far end wants no NOTIFY.
    unsubscribed: bool,
    /// A NOTIFY is in the air.
    notifying: bool,
    /// The status to tell next.
    next: Option<u16>,
    /// The last status was told or is in the air.
    finished: bool,
}

impl Transfer {
    pub(super) fn is_asked_by(&self, asked: &Asked) -> bool {
        self.asked.as_ref().is_some_and(|was| was.is_repeated_by(asked))
    }
}

impl Leg {
    /// REFER of the far end.
    pub(super) fn transfer_asked(&mut self, request: &Message, asked: Asked, turn: &mut Turn<'_, '_>) {
        if !matches!(self.phase, Phase::Confirmed) {
            return self.reply_status(asked, 481, turn);
        }
        if self.transfer.as_ref().is_some_and(|transfer| !transfer.finished) {
            return self.reply_status(asked, 491, turn);
        }
        let Some((target, replaces)) = refer_to(request) else {
            return self.reply_status(asked, 400, turn);
        };
        self.transfers += 1;
        let event = match self.transfers {
            1 => "refer".to_owned(),
            _ => format!("refer;id={}", asked.cseq),
        };
        let unsubscribed = request.header("Refer-Sub").is_some_and(|value| value.trim().starts_with("false"));
        self.transfer = Some(Transfer {
            asked: Some(asked),
            event,
            unsubscribed,
            notifying: false,
            next: None,
            finished: false,
        });
        self.fact(turn, Fact::TransferAsked { target, replaces });
    }

    /// Takes the transfer on: 202, and a first NOTIFY with `status`: 100, or 200 if it is done already, which may be the
    /// only one (RFC 3515 section 2.4.5).
    pub fn accept_refer(&mut self, status: u16, ctx: &mut Ctx<'_>) -> Vec<Output> {
        self.turn(ctx, |leg, turn| {
            let Some(transfer) = &mut leg.transfer else { return };
            let Some(asked) = transfer.asked.take() else { return };
            let unsubscribed = transfer.unsubscribed;
            transfer.finished = unsubscribed;
            let mut message = turn.described(asked.response(202), asked.destination.transport);
            if unsubscribed {
                message.push("Refer-Sub", "false");
            }
            leg.reply(asked, message, turn);
            leg.notify(status, turn);
        })
    }

    /// Refuses the transfer.
    pub fn refuse_refer(&mut self, status: u16, ctx: &mut Ctx<'_>) -> Vec<Output> {
        self.turn(ctx, |leg, turn| {
            let asked = leg.transfer.as_mut().and_then(|transfer| transfer.asked.take());
            if let Some(asked) = asked {
                leg.transfer = None;
                let status = if (400..700).contains(&status) { status } else { 603 };
                leg.reply_status(asked, status, turn);
            }
        })
    }

    /// Tells how the transfer goes; 200 and above ends it. One NOTIFY is in the air at a time; only the
    /// latest status waits for it.
    pub fn notify_refer(&mut self, status: u16, ctx: &mut Ctx<'_>) -> Vec<Output> {
        self.turn(ctx, |leg, turn| leg.notify(status, turn))
    }

    fn notify(&mut self, status: u16, turn: &mut Turn<'_, '_>) {
        let confirmed = matches!(self.phase, Phase::Confirmed);
        let (Some(transfer), Some(peer)) = (&mut self.transfer, &self.peer) else { return };
        if transfer.asked.is_some() || transfer.finished || !confirmed {
            return;
        }
        if transfer.notifying {
            transfer.next = Some(status);
            return;
        }
        transfer.notifying = true;
        transfer.finished = status >= 200;
        let state = if status >= 200 { "terminated;reason=noresource" } else { "active;expires=60" };
        let fragment = format!("SIP/2.0 {status} {}\r\n", cause::reason_phrase(status));
        let event = transfer.event.clone();
        let cseq = self.dialog.next_cseq();
        let message = self
            .dialog
            .request(&Method::NOTIFY, cseq, peer)
            .with("Contact", turn.contact(peer.destination.transport))
            .with("Event", event)
            .with("Subscription-State", state)
            .with("User-Agent", &turn.ctx.local.user_agent)
            .with_body(SIPFRAG, fragment.into_bytes());
        let sent = turn.send(Purpose::Notify, &message, &peer.destination);
        self.requests.push(sent);
    }

    /// A NOTIFY was answered: the next goes out. A refusal ends the subscription, not the transfer.
    pub(super) fn notified(&mut self, status: u16, turn: &mut Turn<'_, '_>) {
        let Some(transfer) = &mut self.transfer else { return };
        transfer.notifying = false;
        transfer.finished |= status >= 300;
        if let Some(next) = transfer.next.take() {
            self.notify(next, turn);
        }
    }
}

/// The one target, and the dialog to replace if the transfer is an attended one.
fn refer_to(request: &Message) -> Option<(Uri, Option<String>)> {
    let mut values = request.headers("Refer-To");
    let mut target = NameAddr::parse(values.next()?).ok()?.uri;
    if values.next().is_some() {
        return None;
    }
    let headers = target.headers.take().unwrap_or_default();
    let mut pairs = headers.split('&').filter_map(|pair| pair.split_once('='));
    let replaces = pairs.find(|(name, _)| name.eq_ignore_ascii_case("Replaces"));
    Some((target, replaces.map(|(_, value)| unescape(value).into_owned())))
}
