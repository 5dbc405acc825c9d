//! The demo's nodes as processes: started, killed and started again as the page wishes, and never longer alive than
//! this process.

use std::{collections::BTreeMap, fs::OpenOptions, io, path::PathBuf, process::Stdio, time::Duration};

use anyhow::{Context, Result};
use mangrove_console::Act;
use tokio::{
    process::{Child, Command},
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    layout::{Layout, Seat},
    wire::Order,
};

/// What a node's process prints, in its folder.
const LOG: &str = "log.txt";
/// A node may take this long to stop: longer than `limits.stop_seconds` gives it.
const PATIENCE: Duration = Duration::from_secs(8);

/// How a process is to end.
#[derive(Debug, Clone, Copy)]
enum End {
    /// As by `kill -9`.
    Killed,
    /// In order.
    Stopped,
}

/// The processes.
#[derive(Debug)]
pub(super) struct Crew {
    layout: Layout,
    binary: PathBuf,
    /// For every node.
    environment: Vec<(&'static str, String)>,
    processes: BTreeMap<&'static str, Process>,
}

/// One that was started; it may have ended since.
#[derive(Debug)]
struct Process {
    end: oneshot::Sender<End>,
    /// Done when the process is gone, and its ports are free.
    gone: JoinHandle<()>,
}

impl Process {
    fn runs(&self) -> bool {
        !self.end.is_closed()
    }

    async fn end(self, how: End) {
        // One that ended by itself hears nothing, and its end was waited for.
        let _ = self.end.send(how);
        let _ = self.gone.await;
    }
}

impl Crew {
    /// Starts all nodes. Call it, and all else that starts one, on the main thread: the kernel ends a node together with
    /// the thread that started it, and that one lives as long as the process.
    pub(super) fn start(layout: Layout, environment: Vec<(&'static str, String)>) -> Result<Self> {
        let binary = std::env::current_exe().context("this program's own file is not known")?;
        let mut crew = Self { layout, binary, environment, processes: BTreeMap::new() };
        for seat in crew.layout.seats.clone() {
            crew.launch(&seat, true)?;
        }
        Ok(crew)
    }

    /// Does what the page orders, as long as somebody can order.
    pub(super) async fn obey(&mut self, orders: &mut mpsc::Receiver<Order>) {
        while let Some(Order { node, act, answer }) = orders.recv().await {
            // Who asked may be the one that was killed.
            let _ = answer.send(self.act(&node, act).await);
        }
    }

    /// Ends all nodes, in order where they do it in time.
    pub(super) async fn end(self) {
        let mut ending = tokio::task::JoinSet::new();
        for process in self.processes.into_values() {
            ending.spawn(process.end(End::Stopped));
        }
        ending.join_all().await;
    }

    async fn act(&mut self, name: &str, act: Act) -> Result<(), String> {
        let found = self.layout.seats.iter().find(|seat| seat.name == name).cloned();
        let seat = found.ok_or_else(|| format!("the demo has no node {name}"))?;
        // What is so already is no mistake: a browser repeats an order whose answer was lost with the node that took it.
        let runs = self.processes.get(seat.name).is_some_and(Process::runs);
        match act {
            Act::Kill => self.kill(&seat).await,
            Act::Revive if !runs => self.launch(&seat, false).map_err(|error| format!("{error:#}"))?,
            Act::Revive => {}
        }
        Ok(())
    }

    async fn kill(&mut self, seat: &Seat) {
        if let Some(process) = self.processes.remove(seat.name) {
            process.end(End::Killed).await;
        }
    }

    fn launch(&mut self, seat: &Seat, anew: bool) -> Result<()> {
        let folder = self.layout.folder(seat);
        let path = folder.join(LOG);
        let log = OpenOptions::new().create(true).write(true).append(!anew).truncate(anew).open(&path);
        let log = log.with_context(|| format!("{} can't be written", path.display()))?;
        let mut command = Command::new(&self.binary);
        let ours = std::env::vars_os().map(|(name, _)| name);
        for name in ours.filter(|name| name.to_string_lossy().starts_with("MANGROVE_")) {
            // What is meant for one node would reach all three.
            command.env_remove(name);
        }
        command
            .arg("serve")
            .arg("-c")
            .arg(folder.join("mangrove.toml"))
            .envs(self.environment.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            // Ctrl-C is for this process, which ends the nodes after their callers.
            .process_group(0)
            .kill_on_drop(true);
        die_with_us(&mut command);
        let child = command.spawn().with_context(|| format!("node {} can't be started", seat.name))?;
        let (end, ending) = oneshot::channel();
        let gone = tokio::spawn(attend(seat.name, child, ending));
        self.processes.insert(seat.name, Process { end, gone });
        Ok(())
    }
}

/// Waits for the end of a process, its own or the one that was ordered.
async fn attend(name: &'static str, mut child: Child, ending: oneshot::Receiver<End>) {
    tokio::select! {
        status = child.wait() => {
            let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
            tracing::warn!("node {name} has ended ({how}): the page of the cluster starts it again");
        }
        end = ending => match end {
            Ok(End::Stopped) => stop(&mut child).await,
            Ok(End::Killed) | Err(_) => kill(&mut child).await,
        }
    }
}

async fn stop(child: &mut Child) {
    if let Some(process) = child.id().and_then(|id| i32::try_from(id).ok()) {
        // SAFETY: sends a signal to a child that nobody has waited for yet, so the number is still its own.
        unsafe { libc::kill(process, libc::SIGTERM) };
    }
    if tokio::time::timeout(PATIENCE, child.wait()).await.is_err() {
        kill(child).await;
    }
}

async fn kill(child: &mut Child) {
    if let Err(error) = child.kill().await {
        tracing::warn!(%error, "a node's process can't be killed");
    }
}

/// Has the kernel kill the process when this one ends, however that happens.
fn die_with_us(command: &mut Command) {
    let parent = std::process::id();
    // SAFETY: between fork and exec; `prctl` and `getppid` allocate nothing and take no locks.
    unsafe {
        command.pre_exec(move || {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                return Err(io::Error::last_os_error());
            }
            // It may have ended before it could be told so.
            if libc::getppid() as u32 != parent {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            Ok(())
        });
    }
}
