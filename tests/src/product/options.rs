//! Where a node is in its network, what it is in its cluster, and the `mangrove.toml` that says so.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use super::Product;
use crate::net::Namespace;

/// Every role.
pub const ALL: &[&str] = &["edge", "control", "media", "console"];

/// Where a node is in its network, and what it is in its cluster.
#[derive(Debug, Clone)]
pub struct Options {
    pub name: String,
    pub roles: &'static [&'static str],
    /// gRPC addresses of members; none: it begins a cluster.
    pub join: Vec<SocketAddr>,
    /// The folder of database and recordings that a cluster's nodes share; the node's own when none.
    pub common: Option<PathBuf>,
    /// Where its records are, if not in its own folder or the common one.
    pub database: Option<String>,
    /// Where SIP and RTP are bound; HTTP and gRPC stay on loopback.
    pub address: IpAddr,
    /// What far ends are told instead, of SIP and of RTP.
    pub public: Option<IpAddr>,
    /// The carrier's host, named in the company's trunk.
    pub carrier: IpAddr,
    /// Further tables of `mangrove.toml`.
    pub more: &'static str,
    /// Its machine, if that is not the calling thread's.
    pub machine: Option<Machine>,
    /// What can be made to fail.
    pub fragile: Option<Fragile>,
}

/// A part of a node that a test may break while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fragile {
    /// Its data lie on a disk of so many megabytes.
    Room(u32),
    /// Syncs of its data may fail or take long.
    Sync,
    /// Its wall clock may be set.
    Clock,
}

/// A machine of a cluster over several.
#[derive(Debug, Clone)]
pub struct Machine {
    pub host: Arc<Namespace>,
    /// Its own address, for HTTP and gRPC: this one never moves.
    pub address: Ipv4Addr,
    pub database: String,
    /// Further keys of `[cluster]`.
    pub cluster: String,
}

impl Default for Options {
    /// Everything on loopback.
    fn default() -> Self {
        let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
        Self {
            name: "a".into(),
            roles: ALL,
            join: Vec::new(),
            common: None,
            database: None,
            address: loopback,
            public: None,
            carrier: loopback,
            more: "",
            machine: None,
            fragile: None,
        }
    }
}

impl Product {
    pub(super) fn configuration(&self) -> String {
        let Self { sip, http, grpc, rtp, options, .. } = self;
        let Options { name, roles, join, common, address, public, more, machine, .. } = options;
        let public = public.map(|address| format!("public = \"{address}\"\n")).unwrap_or_default();
        let join: Vec<_> = join.iter().map(ToString::to_string).collect();
        let common = common.as_ref().map(|folder| {
            let folder = folder.display();
            let sqlite = || format!("sqlite:{folder}/mangrove.db");
            let database = machine.as_ref().map_or_else(sqlite, |machine| machine.database.clone());
            format!("[database]\nurl = \"{database}\"\n[objects]\nurl = \"file:{folder}/objects\"\n")
        });
        let own_database = options.database.as_ref().map(|url| format!("[database]\nurl = \"{url}\"\n"));
        let own = self.own_address();
        let cluster = machine.as_ref().map(|machine| machine.cluster.as_str()).unwrap_or_default();
        format!(
            "node = \"{name}\"\nroles = {roles:?}\ndata_dir = \"data\"\n\
             [sip]\nudp = \"{address}:{sip}\"\ntcp = \"{address}:{sip}\"\n{public}\
             [rtp]\naddress = \"{address}\"\nports = \"{}-{}\"\n{public}\
             [http]\nlisten = \"{own}:{http}\"\n\
             [cluster]\nlisten = \"{own}:{grpc}\"\njoin = {join:?}\n{cluster}{}{more}",
            rtp.0,
            rtp.1,
            common.or(own_database).unwrap_or_default()
        )
    }
}
