//! The demo's nodes: who does what, at which addresses, and the `mangrove.toml` of each. Anybody may start one by hand
//! with `mangrove serve -c <data>/<node>/mangrove.toml`.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::{arguments, configuration::Configuration};

/// Signalling and sound are there more than once, so they outlive any one node; pages are everywhere, so that the last
/// node that lives can still be asked to start the others.
const CAST: [(&str, &[&str]); 3] = [
    ("a", &["control", "console", "edge"]),
    ("b", &["control", "console", "edge", "media"]),
    ("c", &["control", "console", "edge", "media"]),
];
/// Few enough to be read on the page, and two for each node to lead.
const GROUPS: u32 = 6;
/// Tries to find a port that is free for UDP and TCP.
const TRIES: usize = 100;

/// All nodes, in order of their names.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) data: PathBuf,
    pub(super) seats: Vec<Seat>,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) name: &'static str,
    roles: &'static [&'static str],
    pub(super) sip: SocketAddr,
    grpc: SocketAddr,
    http: SocketAddr,
}

impl Layout {
    /// Of the demo in this folder. Nodes find one another at the addresses of the demo that was there before: their
    /// cluster knows no others.
    pub(super) fn of(options: &arguments::Demo) -> Result<Self> {
        let data = std::path::absolute(&options.data)
            .with_context(|| format!("--data {} is no folder", options.data.display()))?;
        let mut seats = Vec::new();
        for ((name, roles), ip) in CAST.into_iter().zip(addresses(options.sip.ip())?) {
            let grpc = match kept(&data.join(name)) {
                Some(kept) => kept,
                None => free(ip)?,
            };
            let port = match options.sip.port() {
                0 => free(ip)?.port(),
                port => port,
            };
            seats.push(Seat { name, roles, sip: SocketAddr::new(ip, port), grpc, http: free(ip)? });
        }
        Ok(Self { data, seats })
    }

    pub(super) fn folder(&self, seat: &Seat) -> PathBuf {
        self.data.join(seat.name)
    }

    /// Where the nodes that have pages serve them.
    pub(super) fn pages(&self) -> Vec<SocketAddr> {
        self.seats.iter().filter(|seat| seat.roles.contains(&"console")).map(|seat| seat.http).collect()
    }

    /// An address that nodes will need and that somebody still has: nodes of an earlier demo let go a moment after it
    /// was killed.
    pub(super) fn taken(&self) -> Option<SocketAddr> {
        self.seats.iter().flat_map(|seat| [seat.grpc, seat.sip]).find(|address| !is_free(*address))
    }

    /// Puts each node's `mangrove.toml` into its folder; logs as `like` says.
    pub(super) fn write(&self, like: &Configuration) -> Result<()> {
        for seat in &self.seats {
            let (folder, text) = (self.folder(seat), self.toml(seat, like)?);
            let written = std::fs::create_dir_all(&folder)
                .and_then(|()| std::fs::write(folder.join("mangrove.toml"), text));
            written.with_context(|| format!("{} can't be written to", folder.display()))?;
        }
        Ok(())
    }

    /// The first node founds the cluster, the others join it; nodes that have been in it ask nobody.
    fn toml(&self, seat: &Seat, like: &Configuration) -> Result<String> {
        let join: Vec<_> =
            self.seats.iter().take(1).filter(|first| *first != seat).map(|first| first.grpc).collect();
        let data = self.data.display();
        let mut telemetry = json!({ "level": like.telemetry.level });
        if let Some(otlp) = &like.telemetry.otlp {
            telemetry["otlp"] = json!(otlp);
        }
        let configuration = json!({
            "node": seat.name,
            "roles": seat.roles,
            "data_dir": self.folder(seat),
            "sip": { "udp": seat.sip, "tcp": seat.sip },
            "rtp": { "address": seat.sip.ip() },
            "http": { "listen": seat.http },
            "cluster": { "listen": seat.grpc, "join": join, "shard_groups": GROUPS },
            "database": { "url": format!("sqlite:{data}/mangrove.db") },
            "objects": { "url": format!("file:{data}/objects") },
            "telemetry": telemetry,
            "limits": { "stop_seconds": 5 },
        });
        Ok(toml::to_string(&configuration)?)
    }
}

/// As many loopback addresses as there are nodes, from this one on.
fn addresses(first: IpAddr) -> Result<Vec<IpAddr>> {
    let wrong =
        || format!("--sip {first} is no loopback address with two more after it; allowed: 127.0.0.11:5060");
    let IpAddr::V4(first) = first else { anyhow::bail!(wrong()) };
    let [.., last] = first.octets();
    ensure!(first.is_loopback() && usize::from(last) + CAST.len() <= 255, wrong());
    let next = |step| IpAddr::from(Ipv4Addr::from_bits(first.to_bits() + step));
    Ok((0..CAST.len() as u32).map(next).collect())
}

/// The gRPC address of the node that was in this folder before.
fn kept(folder: &Path) -> Option<SocketAddr> {
    let text = std::fs::read_to_string(folder.join("mangrove.toml")).ok()?;
    toml::from_str::<Configuration>(&text).ok().map(|configuration| configuration.cluster.listen)
}

fn is_free(address: SocketAddr) -> bool {
    TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
}

/// An address that nobody listens on, UDP and TCP.
fn free(ip: IpAddr) -> Result<SocketAddr> {
    for _ in 0..TRIES {
        let tcp = TcpListener::bind((ip, 0)).with_context(|| format!("no free port on {ip}"))?;
        let address = tcp.local_addr()?;
        if UdpSocket::bind(address).is_ok() {
            return Ok(address);
        }
    }
    anyhow::bail!("no port on {ip} is free for both UDP and TCP")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::configuration;

    fn options(data: &Path, sip: &str) -> arguments::Demo {
        let listen = "127.0.0.1:0".parse().unwrap();
        arguments::Demo { data: data.into(), listen, sip: sip.parse().unwrap() }
    }

    #[test]
    fn what_is_written_is_a_good_configuration_and_keeps_to_folder_and_loopback() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::of(&options(folder.path(), "127.0.0.41:0")).unwrap();
        layout.write(&Configuration::default()).unwrap();
        for seat in &layout.seats {
            let read = configuration::read(Some(&layout.folder(seat).join("mangrove.toml"))).unwrap();
            assert_eq!(
                (read.node.as_str(), read.sip.udp, read.cluster.listen),
                (seat.name, seat.sip, seat.grpc)
            );
            assert!(
                [read.http.listen, read.sip.tcp, read.cluster.listen]
                    .iter()
                    .all(|one| one.ip().is_loopback())
            );
            assert!(read.data_dir.starts_with(folder.path()));
            assert_eq!(read.database.url, format!("sqlite:{}/mangrove.db", folder.path().display()));
            assert_eq!(read.cluster.join.len(), usize::from(seat.name != "a"));
        }
    }

    #[test]
    fn a_later_demo_finds_its_cluster_at_the_same_addresses() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::of(&options(folder.path(), "127.0.0.41:0")).unwrap();
        layout.write(&Configuration::default()).unwrap();
        let later = Layout::of(&options(folder.path(), "127.0.0.51:0")).unwrap();
        let grpc = |layout: &Layout| layout.seats.iter().map(|seat| seat.grpc).collect::<Vec<_>>();
        assert_eq!(grpc(&later), grpc(&layout));
        assert_eq!(later.seats[2].sip.ip().to_string(), "127.0.0.53");
    }

    /// The rule of heirs: one who has all the roles of the lost that have addresses.
    #[test]
    fn whoever_is_lost_has_an_heir_and_leaves_pages() {
        for (lost, roles) in CAST {
            let others: Vec<_> =
                CAST.into_iter().filter(|(name, _)| *name != lost).map(|(_, roles)| roles).collect();
            let carried: BTreeSet<_> = roles.iter().filter(|role| ["edge", "media"].contains(role)).collect();
            assert!(
                others.iter().any(|one| carried.iter().all(|role| one.contains(role))),
                "{lost}'s addresses"
            );
            assert!(others.iter().any(|one| one.contains(&"console")), "pages without {lost}");
        }
    }

    #[test]
    fn an_address_that_is_not_loopback_is_refused() {
        for wrong in ["0.0.0.0:5060", "127.0.0.254:5060", "[::1]:5060", "192.0.2.1:5060"] {
            let refused = Layout::of(&options(Path::new("x"), wrong)).unwrap_err().to_string();
            assert!(refused.contains("is no loopback address"), "{refused}");
        }
    }
}
