//! Networks made of the kernel's network namespaces: an internet with hosts on it, and routers that translate the
//! addresses of a host behind them. Needs root, `ip` and `iptables`; the machine's own network is left alone.
//!
//! A process or a socket belongs to the namespace of the thread that made it, for good. So a host is used by making
//! things [`Namespace::within`] it, or by moving the test's thread there with [`Namespace::enter`].

mod arp;
mod delay;
mod hearing;

use std::{
    net::Ipv4Addr,
    os::fd::AsRawFd,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, Result};

pub use arp::{Announcements, Card};
pub use hearing::Hearing;

/// Before the process's id and a number in the names of namespaces.
const PREFIX: &str = "mangrove-";

static NEXT: AtomicU32 = AtomicU32::new(0);

/// One host's network, with loopback. Removed when dropped: what still runs in it loses its links.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    fn new() -> Result<Self> {
        let name = format!("{PREFIX}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        run(&format!("ip netns add {name}")).context("network namespaces need root")?;
        let namespace = Self { name };
        namespace.run("ip link set lo up")?;
        Ok(namespace)
    }

    /// Does something on a thread of this host and waits for it: processes started and sockets opened stay there.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let thread = || {
            self.enter()?;
            work()
        };
        std::thread::scope(|scope| scope.spawn(thread).join())
            .unwrap_or_else(|_| anyhow::bail!("work on host {} panicked", self.name))
    }

    /// Moves the calling thread here for the rest of its life, with all threads and processes it starts from now on.
    pub fn enter(&self) -> Result<()> {
        let file = std::fs::File::open(format!("/run/netns/{}", self.name))?;
        // SAFETY: the descriptor is open for the length of the call, and no memory is passed.
        let outcome = unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) };
        anyhow::ensure!(outcome == 0, "can't enter {}: {}", self.name, std::io::Error::last_os_error());
        Ok(())
    }

    fn run(&self, line: &str) -> Result<()> {
        run(&format!("ip netns exec {} {line}", self.name))
    }

    /// A wire to another host; each end has a name of its own and is up.
    fn link(&self, end: &str, other: &Namespace, other_end: &str) -> Result<()> {
        let (here, there) = (&self.name, &other.name);
        run(&format!("ip link add {end} netns {here} type veth peer name {other_end} netns {there}"))?;
        self.run(&format!("ip link set {end} up"))?;
        other.run(&format!("ip link set {other_end} up"))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // One that is gone already is removed.
        let _ = run(&format!("ip netns del {}", self.name));
    }
}

/// One wire, a /24, on which hosts with public addresses reach each other and nobody else.
#[derive(Debug)]
pub struct Internet {
    switch: Namespace,
}

impl Internet {
    /// Nobody is on it yet. Removes what killed runs have left.
    pub fn new() -> Result<Self> {
        sweep();
        let switch = Namespace::new()?;
        switch.run("ip link add wire type bridge")?;
        switch.run("ip link set wire up")?;
        Ok(Self { switch })
    }

    /// Pulls a host's cable, or plugs it in again.
    pub fn plug(&self, address: Ipv4Addr, is_in: bool) -> Result<()> {
        let port = port(address);
        let change = if is_in { "master wire" } else { "nomaster" };
        self.switch.run(&format!("ip link set {port} {change}"))
    }

    /// A host with this address of the internet's.
    pub fn host(&self, address: Ipv4Addr) -> Result<Namespace> {
        let host = Namespace::new()?;
        let port = port(address);
        host.link("wan", &self.switch, &port)?;
        self.switch.run(&format!("ip link set {port} master wire"))?;
        host.run(&format!("ip addr add {address}/24 dev wan"))?;
        Ok(host)
    }
}

/// The switch's end of a host's cable.
fn port(address: Ipv4Addr) -> String {
    format!("port{}", address.octets()[3])
}

/// A host that only its router's public address leads to. The host has a /24 of its own, its router is `.1` there.
#[derive(Debug)]
pub struct Hidden {
    pub host: Namespace,
    _router: Namespace,
}

impl Hidden {
    /// As clouds do it: what comes to the public address goes to the host, and the host's packets leave as coming
    /// from there, ports unchanged.
    pub fn one_to_one(internet: &Internet, public: Ipv4Addr, address: Ipv4Addr) -> Result<Self> {
        Self::behind(
            internet.host(public)?,
            address,
            &[
                &format!("PREROUTING -d {public} -j DNAT --to-destination {address}"),
                &format!("POSTROUTING -s {address} -o wan -j SNAT --to-source {public}"),
            ],
        )
    }

    /// As homes have it: packets leave from the public address and any port; only answers to them come in.
    pub fn masquerade(internet: &Internet, public: Ipv4Addr, address: Ipv4Addr) -> Result<Self> {
        let rule = format!("POSTROUTING -s {address} -o wan -j MASQUERADE --random-fully");
        Self::behind(internet.host(public)?, address, &[&rule])
    }

    fn behind(router: Namespace, address: Ipv4Addr, rules: &[&str]) -> Result<Self> {
        let host = Namespace::new()?;
        let [a, b, c, _] = address.octets();
        let gateway = Ipv4Addr::new(a, b, c, 1);
        host.link("lan", &router, "lan")?;
        router.run(&format!("ip addr add {gateway}/24 dev lan"))?;
        host.run(&format!("ip addr add {address}/24 dev lan"))?;
        host.run(&format!("ip route add default via {gateway}"))?;
        router.run("sysctl -q -w net.ipv4.ip_forward=1")?;
        for rule in rules {
            router.run(&format!("iptables -w -t nat -A {rule}"))?;
        }
        Ok(Self { host, _router: router })
    }
}

/// Runs a command line; an error carries what it printed.
fn run(line: &str) -> Result<()> {
    let mut words = line.split_whitespace();
    let program = words.next().context("an empty command line")?;
    let output = Command::new(program)
        .args(words)
        .output()
        .with_context(|| format!("{program} can't be started; `make packages` installs it"))?;
    anyhow::ensure!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

/// A killed process could not remove its namespaces; its id in their names tells.
fn sweep() {
    let names = std::fs::read_dir("/run/netns").into_iter().flatten().flatten();
    for name in names.filter_map(|entry| entry.file_name().into_string().ok()) {
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if owner.is_some_and(|id| !std::path::Path::new(&format!("/proc/{id}")).exists()) {
            drop(Namespace { name });
        }
    }
}
