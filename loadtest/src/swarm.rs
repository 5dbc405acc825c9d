//! A whole run: registers the agents, lets callers arrive, and hands out the ledger.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::Instant,
};

use crate::{
    agent::Agent,
    caller::Caller,
    endpoint::{Endpoint, Invite},
    hold::Hold,
    ledger::Ledger,
    profile::Profile,
    registration::{self, Account},
    sound::Studio,
};

/// Whom the run calls.
#[derive(Debug, Clone)]
pub struct Target {
    /// SIP address of the product, UDP.
    pub server: SocketAddr,
    /// Address of ours that the company's trunk names.
    pub carrier: SocketAddr,
    /// The company's SIP domain.
    pub domain: String,
    /// The number that is called.
    pub called: String,
    /// The agents' phones.
    pub agents: Vec<Account>,
}

/// Why a run can't start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("address {address} can't be used: {source}; another run may hold it")]
    Bind { address: SocketAddr, source: std::io::Error },
    #[error("the sound thread can't be started: {0}")]
    Thread(std::io::Error),
}

/// A running swarm. Dropping it hangs up all its calls.
#[derive(Debug)]
pub struct Swarm {
    ledger: Ledger,
    at_once: Arc<AtomicUsize>,
    held: watch::Sender<bool>,
    arrivals: JoinHandle<()>,
    tasks: Vec<JoinHandle<()>>,
}

/// Tones of callers lie below those of agents; no two of one side that are neighbours share one.
fn caller_tone(number: &str) -> u32 {
    let digits: u32 = number.bytes().rev().take(4).map(u32::from).sum();
    300 + 40 * (digits % 12)
}

fn agent_tone(position: usize) -> u32 {
    1_000 + 60 * (position as u32 % 12)
}

impl Swarm {
    /// Registers the phones and starts the arrivals.
    pub async fn start(profile: Profile, target: Target) -> Result<Self, Error> {
        let bind = |address| move |source| Error::Bind { address, source };
        let studio = Studio::start().map_err(Error::Thread)?;
        let ledger = Ledger::default();
        let (held, hold) = Hold::new();
        let office_address = SocketAddr::new(target.carrier.ip(), 0);
        let (carrier, unexpected) =
            Endpoint::start(target.carrier, "carrier", &target.domain).await.map_err(bind(target.carrier))?;
        let mut tasks = vec![tokio::spawn(refuse(unexpected))];
        for (position, account) in target.agents.iter().enumerate() {
            let (phone, offers) = Endpoint::start(office_address, "phone", &target.domain)
                .await
                .map_err(bind(office_address))?;
            let agent = Agent {
                studio: studio.clone(),
                ledger: ledger.clone(),
                profile: profile.clone(),
                hold: hold.clone(),
                name: account.agent.clone(),
                hertz: agent_tone(position),
                tone_of: caller_tone,
            };
            tasks.push(tokio::spawn(registration::keep(
                phone,
                account.clone(),
                target.domain.clone(),
                target.server,
            )));
            tasks.push(tokio::spawn(serve(agent, offers)));
        }
        let at_once = Arc::new(AtomicUsize::new(profile.at_once));
        let arrivals =
            tokio::spawn(arrive(profile, at_once.clone(), hold, target, carrier, studio, ledger.clone()));
        Ok(Self { ledger, at_once, held, arrivals, tasks })
    }

    /// The account so far.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// From now on so many calls may be on the line at once; those that are there go on.
    pub fn limit(&self, at_once: usize) {
        self.at_once.store(at_once, Ordering::Relaxed);
    }

    /// No talk ends by itself from now on, until [`Swarm::release`]: the profile's length of a talk counts from then.
    pub fn hold(&self) {
        self.held.send_replace(true);
    }

    /// Talks may end.
    pub fn release(&self) {
        self.held.send_replace(false);
    }

    /// No new calls come from now on; those that run go on.
    pub fn close(&self) {
        self.arrivals.abort();
    }

    /// Whether new calls still come.
    pub fn is_arriving(&self) -> bool {
        !self.arrivals.is_finished()
    }

    /// Waits until no new calls come and those that run have ended, at most this long.
    pub async fn finish(&self, limit: Duration) {
        let until = Instant::now() + limit;
        while (self.is_arriving() || self.ledger.live() > 0) && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        self.arrivals.abort();
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn arrive(
    profile: Profile,
    at_once: Arc<AtomicUsize>,
    hold: Hold,
    target: Target,
    endpoint: Endpoint,
    studio: Studio,
    ledger: Ledger,
) {
    let started = Instant::now();
    let first: u64 = 79_000_000_000 + u64::from(rand::random::<u32>() % 9_000) * 100_000;
    let target = Arc::new(target);
    let mut next = Instant::now();
    for count in 0u64.. {
        next += profile.gap();
        tokio::time::sleep_until(next).await;
        if profile.seconds > 0 && started.elapsed() > Duration::from_secs(profile.seconds) {
            return;
        }
        if ledger.live() as usize >= at_once.load(Ordering::Relaxed) {
            ledger.skipped();
            continue;
        }
        let number = (first + count).to_string();
        let caller = Caller {
            endpoint: endpoint.clone(),
            studio: studio.clone(),
            ledger: ledger.clone(),
            profile: profile.clone(),
            hold: hold.clone(),
            server: target.server,
            called: target.called.clone(),
            hertz: caller_tone(&number),
            number,
        };
        // Before the next one is thought of: it counts whether its task has run by then or not.
        ledger.began();
        tokio::spawn(caller.run());
    }
}

async fn serve(agent: Agent, mut offers: mpsc::UnboundedReceiver<Invite>) {
    while let Some(invite) = offers.recv().await {
        tokio::spawn(agent.clone().run(invite));
    }
}

/// The carrier of a run takes no calls.
async fn refuse(mut calls: mpsc::UnboundedReceiver<Invite>) {
    while let Some(invite) = calls.recv().await {
        invite.line.reject(404);
    }
}
