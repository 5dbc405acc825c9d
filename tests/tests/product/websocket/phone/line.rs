//! A page's dialogs: calls that it makes, and what it asks for in them.

use anyhow::{Context, Result, ensure};
use mangrove_sip::{Message, Method};

use super::{DOMAIN, Phone, sdp};

/// A dialog of a page's, as it would keep it over a reload.
#[derive(Debug, Clone)]
pub(in super::super) struct Line {
    call: String,
    /// Itself and the far end, with their tags.
    ours: String,
    theirs: String,
    /// Where its requests go.
    target: String,
}

impl Line {
    /// Of an INVITE that a page has answered.
    pub(in super::super) fn answered(invite: &Message) -> Result<Self> {
        let header = |name: &str| invite.header(name).unwrap_or_default().to_owned();
        let (ours, theirs) = (format!("{};tag=page", header("To")), header("From"));
        Ok(Self { call: header("Call-ID"), ours, theirs, target: target(invite)? })
    }

    fn called(ok: &Message) -> Result<Self> {
        let header = |name: &str| ok.header(name).unwrap_or_default().to_owned();
        Ok(Self { call: header("Call-ID"), ours: header("From"), theirs: header("To"), target: target(ok)? })
    }

    /// Its names for Replaces.
    pub(in super::super) fn names(&self) -> String {
        let tag = |address: &str| address.split_once(";tag=").map_or("", |(_, tag)| tag).to_owned();
        format!("{};to-tag={};from-tag={}", self.call, tag(&self.theirs), tag(&self.ours))
    }
}

fn target(message: &Message) -> Result<String> {
    Ok(message.contact()?.context("no Contact")?.uri.to_string())
}

impl Phone {
    /// Calls an extension, with plain sound at this port of loopback, and is answered; `replaces`: to take a dialog's place.
    pub(in super::super) async fn call(
        &mut self,
        to: &str,
        password: &str,
        media: u16,
        replaces: Option<&str>,
    ) -> Result<Line> {
        let refused = self.invite(to, media, replaces, None).await?;
        let proof = self.proves(&refused, Method::INVITE, &format!("sip:{to}@{DOMAIN}"), password)?;
        let ok = self.invite(to, media, replaces, Some(proof)).await?;
        self.acknowledge(&ok).await
    }

    /// Calls by its ticket alone, and is answered; the dialog with the answer.
    pub(in super::super) async fn call_by_ticket(&mut self, to: &str, media: u16) -> Result<(Line, Message)> {
        let ok = self.invite(to, media, None, None).await?;
        let line = self.acknowledge(&ok).await?;
        Ok((line, ok))
    }

    /// Hangs up in a dialog that it began.
    pub(in super::super) async fn leaves(&mut self, line: &Line) -> Result<()> {
        let mut bye = self.request(Method::BYE, &line.target, &line.theirs, &line.call);
        bye.set("From", line.ours.clone());
        self.say(&bye).await?;
        let answer = self.is_answered(&Method::BYE).await?;
        ensure!(answer.status() == Some(200), "{answer:?}");
        Ok(())
    }

    async fn acknowledge(&mut self, ok: &Message) -> Result<Line> {
        ensure!(ok.status() == Some(200), "{ok:?}");
        let line = Line::called(ok)?;
        let (number, _) = ok.cseq()?;
        let mut ack = self.request(Method::ACK, &line.target, &line.theirs, &line.call);
        ack.set("CSeq", format!("{number} ACK"));
        self.say(&ack).await?;
        Ok(line)
    }

    /// Sends an INVITE; its final answer.
    async fn invite(
        &mut self,
        to: &str,
        media: u16,
        replaces: Option<&str>,
        proof: Option<String>,
    ) -> Result<Message> {
        let (uri, call) = (format!("sip:{to}@{DOMAIN}"), format!("{to}-{}-{}", self.host, self.cseq));
        let mut invite = self.request(Method::INVITE, &uri, &format!("<{uri}>"), &call);
        invite.push("Contact", self.contact());
        if let Some(names) = replaces {
            invite.push("Replaces", names);
            invite.push("Require", "replaces");
        }
        if let Some(proof) = proof {
            invite.push("Authorization", proof);
        }
        self.say(&invite.with_body("application/sdp", sdp(media).into_bytes())).await?;
        self.is_answered(&Method::INVITE).await
    }

    /// Asks in `line` that its other side talk with that of `other`, and is told that they do.
    pub(in super::super) async fn joins(&mut self, line: &Line, other: &Line) -> Result<()> {
        let names = other.names().replace(';', "%3B").replace('=', "%3D").replace('@', "%40");
        let mut refer = self.request(Method::REFER, &line.target, &line.theirs, &line.call);
        refer.set("From", line.ours.clone());
        refer.push("Contact", self.contact());
        refer.push("Refer-To", format!("<{}?Replaces={names}>", other.target));
        self.say(&refer).await?;
        let accepted = self.is_answered(&Method::REFER).await?;
        ensure!(accepted.status() == Some(202), "{accepted:?}");
        let notify = self.is_asked(Method::NOTIFY).await?;
        ensure!(notify.body().starts_with(b"SIP/2.0 200"), "{notify:?}");
        self.answer(&notify, 200, None).await
    }

    /// Waits for the other side of a dialog to hang up.
    pub(in super::super) async fn is_hung_up(&mut self) -> Result<Message> {
        let bye = self.is_asked(Method::BYE).await?;
        self.answer(&bye, 200, None).await?;
        Ok(bye)
    }

    /// Waits for the final answer to a request of this method.
    pub(super) async fn is_answered(&mut self, method: &Method) -> Result<Message> {
        loop {
            let message = self.hears().await.with_context(|| format!("no answer to {method}"))?;
            if message.method() == *method && message.status() >= Some(200) {
                return Ok(message);
            }
            self.keep(message);
        }
    }
}
