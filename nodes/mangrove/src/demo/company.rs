//! The demo's company, and the simulated people who call it and work for it.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use anyhow::{Context, Result};
use mangrove_domain::config::document::{Device, Document, Secret, Target as TrunkTarget};
use mangrove_loadtest::{Account, Profile, Swarm, Target, profile::Span};
use serde::Deserialize;
use serde_json::json;

const FILE: &str = include_str!("northwind.yaml");
/// New calls a second to each of the company's numbers: as much as its agents can just take, so that some wait.
const RATES: [f64; 2] = [0.22, 0.12];

/// A company whose trunk leads to simulated carriers, one for each of its numbers.
#[derive(Debug)]
pub(super) struct Company {
    pub(super) document: Document,
    carriers: [SocketAddr; RATES.len()],
}

impl Company {
    pub(super) fn new() -> Result<Self> {
        let carriers = [carrier()?, carrier()?];
        Ok(Self { document: document(&carriers)?, carriers })
    }

    /// Lets people in: the callers of each number at the SIP of one of these servers, the agents at the first. Dropping
    /// them hangs up.
    pub(super) async fn swarms(&self, servers: [SocketAddr; RATES.len()]) -> Result<Vec<Swarm>> {
        let mut swarms = Vec::new();
        for ((at, server), carrier) in servers.into_iter().enumerate().zip(self.carriers) {
            let agents = if at == 0 { accounts(&self.document)? } else { Vec::new() };
            let number = self.document.numbers.get(at).context("the demo's company has too few numbers")?;
            let (called, domain) = (number.number.clone(), self.document.domain.clone());
            let target = Target { server, carrier, domain, called, agents };
            swarms.push(Swarm::start(profile(RATES[at]), target).await?);
        }
        Ok(swarms)
    }
}

fn profile(calls_per_second: f64) -> Profile {
    let talk = Span(8.0, 35.0);
    Profile { name: "demo".into(), calls_per_second, seconds: 0, at_once: 40, talk, ..Profile::default() }
}

/// A free address for a carrier.
fn carrier() -> Result<SocketAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("no free UDP port on loopback")?;
    Ok(socket.local_addr()?)
}

fn document(carriers: &[SocketAddr]) -> Result<Document> {
    let mut document: Document = serde_saphyr::from_str(FILE).context("the demo's company can't be read")?;
    for trunk in &mut document.trunks {
        trunk.from = carriers.iter().map(|carrier| carrier.to_string().parse()).collect::<Result<_, _>>()?;
        trunk.to = carriers
            .iter()
            .map(|carrier| TrunkTarget { uri: format!("sip:{carrier}"), priority: 1 })
            .collect();
    }
    Ok(document)
}

/// The agents' phones, with the passwords of the company's file.
fn accounts(document: &Document) -> Result<Vec<Account>> {
    let mut accounts = Vec::new();
    for employee in &document.employees {
        for device in &employee.devices {
            if let Device::Sip(sip) = device
                && let Some(Secret::Text(password)) = &sip.password
            {
                let account =
                    json!({ "agent": employee.id(), "username": sip.username, "password": password });
                accounts.push(Deserialize::deserialize(account)?);
            }
        }
    }
    Ok(accounts)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mangrove_domain::config::validate::validate;

    use super::*;

    #[test]
    fn the_company_is_a_good_one() {
        let document = Company::new().unwrap().document;
        assert_eq!(validate(&document), []);
        assert_eq!(document.numbers.len(), RATES.len());
        assert_eq!(accounts(&document).unwrap().len(), 8);
    }
}
