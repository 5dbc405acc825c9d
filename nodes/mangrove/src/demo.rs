//! `mangrove demo`: the product on its embedded defaults, with a company, callers and agents to look at. Callers and
//! agents are real SIP and RTP over loopback; nothing of the product knows that they are simulated.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use anyhow::{Context, Result};
use mangrove_domain::config::document::{Device, Document, Secret, Target as TrunkTarget};
use mangrove_loadtest::{Profile, Swarm, Target, profile::Span};
use serde::Deserialize;
use serde_json::json;

use crate::{
    arguments::{self, Format},
    client::Client,
    configuration::{Configuration, Ports},
    output,
    serve::Node,
    telemetry::Telemetry,
};

const COMPANY: &str = include_str!("demo/company.yaml");
/// New calls a second to each of the company's numbers: as much as its agents can just take, so that some wait.
const RATES: [f64; 2] = [0.22, 0.12];

/// Runs until it is told to stop.
pub(crate) async fn demo(
    options: &arguments::Demo,
    mut configuration: Configuration,
    format: Format,
) -> Result<()> {
    embed(options, &mut configuration);
    let telemetry = Telemetry::start(&configuration)?;
    let node = Node::start(&configuration, &telemetry).await?;
    let swarms = populate(&node).await?;
    welcome(&node, format)?;
    let ended = node.until_stopped().await;
    drop(swarms);
    node.stop().await;
    tokio::task::spawn_blocking(|| telemetry.stop()).await?;
    ended
}

/// Everything on loopback and in the demo's folder, on any free ports but the page's and SIP's.
fn embed(options: &arguments::Demo, configuration: &mut Configuration) {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    configuration.node = "demo".to_owned();
    configuration.data_dir = options.data.clone();
    configuration.database.url.clear();
    configuration.objects.url.clear();
    configuration.http.listen = options.listen;
    configuration.cluster.listen = any;
    configuration.cluster.join.clear();
    (configuration.sip.udp, configuration.sip.tcp) = (options.sip, options.sip);
    configuration.rtp.ports = Ports(0..=0);
    configuration.telemetry.level = format!("warn,{}", configuration.telemetry.level.replace("info", "warn"));
    configuration.fill();
}

/// Applies the company through the API, as anybody would, and lets people in.
async fn populate(node: &Node) -> Result<Vec<Swarm>> {
    let carriers = [carrier()?, carrier()?];
    let document = company(&carriers)?;
    let client = Client::new(&format!("http://{}", node.http()), node.token().clone())?;
    let answer = client.configure(&document.tenant, &serde_json::to_value(&document)?, false).await?;
    let problems = answer["problems"].as_array().map(Vec::len).unwrap_or_default();
    anyhow::ensure!(problems == 0, "the demo's company can't be applied: {}", answer["problems"]);
    let server = node.sip().context("the demo needs SIP over UDP")?;
    let mut swarms = Vec::new();
    for (at, carrier) in carriers.into_iter().enumerate() {
        let agents = if at == 0 { accounts(&document)? } else { Vec::new() };
        let number = document.numbers.get(at).context("the demo's company has too few numbers")?;
        let called = number.number.clone();
        let target = Target { server, carrier, domain: document.domain.clone(), called, agents };
        swarms.push(Swarm::start(profile(RATES[at]), target).await?);
    }
    Ok(swarms)
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

/// The embedded company, its trunk leading to the simulated carriers.
fn company(carriers: &[SocketAddr]) -> Result<Document> {
    let mut document: Document =
        serde_saphyr::from_str(COMPANY).context("the demo's company can't be read")?;
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
fn accounts(document: &Document) -> Result<Vec<mangrove_loadtest::Account>> {
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

fn welcome(node: &Node, format: Format) -> Result<()> {
    let page = format!("http://{}", node.http());
    let logins = json!({ "supervisor": "vera@demo.example", "agent": "anna@demo.example", "password": "demo-password" });
    let answer = json!({ "page": page, "logins": logins, "token": node.token().origin() });
    output::show(format, &answer, || {
        format!(
            "The demo is running: open {page}\n\
             supervisor: vera@demo.example   agent: anna@demo.example   password of both: demo-password\n\
             administrator's token: {}   stop with Ctrl-C\n",
            node.token().origin()
        )
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mangrove_domain::config::validate::validate;

    use super::*;

    #[test]
    fn the_company_is_a_good_one() {
        let document =
            company(&["127.0.0.1:5081".parse().unwrap(), "127.0.0.1:5082".parse().unwrap()]).unwrap();
        assert_eq!(validate(&document), []);
        assert_eq!(document.numbers.len(), RATES.len());
        assert_eq!(accounts(&document).unwrap().len(), 8);
    }

    #[test]
    fn the_demo_keeps_to_its_folder_and_loopback() {
        let mut configuration = Configuration::default();
        let listen = "127.0.0.1:0".parse().unwrap();
        embed(&arguments::Demo { data: "x".into(), listen, sip: listen }, &mut configuration);
        assert_eq!(configuration.database.url, "sqlite:x/mangrove.db");
        assert!(configuration.cluster.listen.ip().is_loopback());
    }
}
