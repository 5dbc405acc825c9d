//! A cluster over several machines, made of network namespaces: mutual TLS with certificates of the cluster's own authority, a
//! PostgreSQL that all reach, and SIP and RTP addresses that move by `deploy/address-hook` with gratuitous ARP.
//!
//! The test's thread is moved to a machine of its own, the office, where phones, the carrier and the database are.

use std::{net::Ipv4Addr, path::Path, process::Command, sync::Arc, time::Duration};

use anyhow::{Context, Result};

use crate::{
    cluster::{Cluster, PATIENT, Seat},
    net::{Hearing, Internet, Namespace},
    postgres::Postgres,
    product::{Machine, Options, Product, binary, root},
};

/// The machine of the phones.
pub const OFFICE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 200);

/// The machines and what connects them.
#[derive(Debug)]
pub struct Machines {
    internet: Internet,
    hosts: Vec<Host>,
    _office: Namespace,
    _database: Postgres,
}

/// A node's machine.
#[derive(Debug)]
struct Host {
    node: String,
    address: Ipv4Addr,
    namespace: Arc<Namespace>,
    hearing: Hearing,
}

impl Machines {
    /// One machine a seat, each with a node on it, whose `cluster.profile` is this. The calling thread is in the office from now
    /// on, and must be the only one of its runtime.
    pub async fn start(seats: &[Seat], profile: &str) -> Result<(Self, Cluster)> {
        Self::begin(seats, profile, true).await
    }

    /// As `start`, where SIP and RTP addresses are the machines' own and can't move.
    pub async fn start_fixed(seats: &[Seat], profile: &str) -> Result<(Self, Cluster)> {
        Self::begin(seats, profile, false).await
    }

    async fn begin(seats: &[Seat], profile: &str, moves: bool) -> Result<(Self, Cluster)> {
        let internet = Internet::new()?;
        let office = internet.host(OFFICE)?;
        office.enter()?;
        let common = tempfile::tempdir()?;
        let database = Postgres::start(OFFICE).await?;
        let authority = common.path().join("authority");
        certs(&["init", "--out", &shown(&authority)])?;
        let (mut hosts, mut nodes) = (Vec::new(), Vec::<Product>::new());
        for (number, (name, roles)) in (1..).zip(seats) {
            let address = Ipv4Addr::new(198, 51, 100, number);
            let namespace = Arc::new(internet.host(address)?);
            let keys = certificates(common.path(), name, address)?;
            let keys = if moves { keys + &hook()? } else { keys };
            let machine = Machine {
                host: namespace.clone(),
                address,
                database: database.url(),
                cluster: format!("profile = {profile:?}\n{keys}"),
            };
            let options = Options {
                name: (*name).into(),
                roles,
                join: nodes.first().map(Product::grpc_address).into_iter().collect(),
                common: Some(common.path().into()),
                // What moves.
                address: if moves { Ipv4Addr::new(198, 51, 100, 100 + number) } else { address }.into(),
                machine: Some(machine),
                more: PATIENT,
                ..Options::default()
            };
            nodes.push(Product::start_at(options).await?);
            let hearing = Hearing::new(namespace.clone());
            hosts.push(Host { node: (*name).into(), address, namespace, hearing });
        }
        let cluster = Cluster::of(nodes, common).await?;
        Ok((Self { internet, hosts, _office: office, _database: database }, cluster))
    }

    /// Pulls the cable of a node's machine, or plugs it in again.
    pub fn plug(&self, name: &str, is_in: bool) -> Result<()> {
        self.internet.plug(self.host(name)?.address, is_in)
    }

    /// One node's machine hears nothing of another's any more, which may still hear it.
    pub fn deafen(&mut self, name: &str, to: &str) -> Result<()> {
        let from = self.host(to)?.address;
        self.hearing(name)?.stop(from)
    }

    /// Two nodes' machines hear nothing of one another any more; others, and the office, hear both.
    pub fn part(&mut self, one: &str, other: &str) -> Result<()> {
        self.deafen(one, other)?;
        self.deafen(other, one)
    }

    /// What one node's machine sends to another's over TCP comes so much later.
    pub fn delay(&mut self, from: &str, to: &str, by: Duration) -> Result<()> {
        let from = self.host(from)?.address;
        self.hearing(to)?.delay(from, by)
    }

    /// All machines hear one another at once again. Cables stay as they are.
    pub fn heal(&mut self) -> Result<()> {
        self.hosts.iter_mut().try_for_each(|host| host.hearing.heal())
    }

    /// The addresses that a node's machine has, as its kernel says.
    pub fn addresses(&self, name: &str) -> Result<String> {
        let shown =
            || Ok(Command::new("ip").args(["-4", "-o", "addr", "show", "dev", "wan"]).output()?.stdout);
        Ok(String::from_utf8_lossy(&self.host(name)?.namespace.within(shown)?).into_owned())
    }

    fn host(&self, name: &str) -> Result<&Host> {
        self.hosts.iter().find(|host| host.node == name).with_context(|| format!("no machine of {name}"))
    }

    fn hearing(&mut self, name: &str) -> Result<&mut Hearing> {
        let mut hosts = self.hosts.iter_mut();
        let host = hosts.find(|host| host.node == name).with_context(|| format!("no machine of {name}"))?;
        Ok(&mut host.hearing)
    }
}

/// The keys of `[cluster]` by which addresses move.
fn hook() -> Result<String> {
    let hook = std::path::absolute(root())?.join("deploy/address-hook");
    Ok(format!("network = \"wire\"\naddress_hook = {hook:?}\n"))
}

/// Certificates of a node, and the key of `[cluster]` that names them.
fn certificates(common: &Path, name: &str, address: Ipv4Addr) -> Result<String> {
    let (authority, folder) = (common.join("authority"), common.join(name));
    let (address, ca, out) = (address.to_string(), shown(&authority), shown(&folder));
    certs(&["issue", "--ca", &ca, "--node", name, "--address", &address, "--out", &out])?;
    Ok(format!(
        "tls = {{ ca = {:?}, cert = {:?}, key = {:?} }}\n",
        authority.join("ca.pem"),
        folder.join(format!("{name}.pem")),
        folder.join(format!("{name}.key"))
    ))
}

fn certs(arguments: &[&str]) -> Result<()> {
    let output = Command::new(binary()?).arg("certs").args(arguments).output()?;
    anyhow::ensure!(
        output.status.success(),
        "certs {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
