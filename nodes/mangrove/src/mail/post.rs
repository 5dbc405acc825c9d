//! The mail server that letters are given to.

use std::time::Duration;

use anyhow::{Context, Result};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor,
    message::Mailbox,
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
        extension::ClientId,
    },
};

use super::letter::Letter;
use crate::configuration::{Smtp, SmtpTls};

/// How long the server may take for each of its answers.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Post {
    smtp: Smtp,
}

impl Post {
    pub(super) fn new(smtp: Smtp) -> Self {
        Self { smtp }
    }

    /// Done when the server has taken it.
    pub(super) async fn send(&self, letter: &Letter<'_>) -> Result<()> {
        let from: Mailbox = self.smtp.from.parse().context("smtp.from is no address")?;
        let message = letter.write(&from).context("the mail can't be written")?;
        let server = self.connect(from.email.domain()).await?;
        server.send(message).await.with_context(|| format!("{} does not take it", self.smtp.server))?;
        Ok(())
    }

    /// The password is read each time: it may be changed while the node runs.
    async fn connect(&self, name: &str) -> Result<AsyncSmtpTransport<Tokio1Executor>> {
        let (host, port) = self.smtp.place();
        let tls = match self.smtp.tls {
            SmtpTls::Starttls => Tls::Required(TlsParameters::new(host.to_owned())?),
            SmtpTls::Implicit => Tls::Wrapper(TlsParameters::new(host.to_owned())?),
            SmtpTls::Off => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port)
            .tls(tls)
            .timeout(Some(PATIENCE))
            .hello_name(ClientId::Domain(name.to_owned()));
        if let (Some(username), Some(file)) = (&self.smtp.username, &self.smtp.password_file) {
            let password = tokio::fs::read_to_string(file).await;
            let password =
                password.with_context(|| format!("smtp.password_file {} can't be read", file.display()))?;
            builder = builder.credentials(Credentials::new(username.clone(), password.trim().to_owned()));
        }
        Ok(builder.build())
    }
}
