//! Packets that come later: the kernel hands them to a thread of this process (NFQUEUE), which lets them go on when their
//! time has come. Their order stays. (`tc netem` would do it too, where a kernel has it.)

use std::{
    collections::VecDeque,
    io::ErrorKind,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use nfq::{Message, Queue, Verdict};

use super::Namespace;

/// How exact the delay is.
const TICK: Duration = Duration::from_millis(2);
/// Packets that may be on their way; more are lost.
const LONGEST: u32 = 100_000;

/// A queue of a host's kernel whose packets are held for a while. Dropping it lets go what it holds.
#[derive(Debug)]
pub(super) struct Delay {
    pub(super) number: u16,
    pub(super) by: Duration,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Delay {
    /// Begins to hold what rules of this host send to the queue.
    pub(super) fn start(host: &Arc<Namespace>, number: u16, by: Duration) -> Result<Self> {
        let is_over = Arc::new(AtomicBool::new(false));
        let (told, opened) = mpsc::channel();
        let (host, over) = (host.clone(), is_over.clone());
        let thread = std::thread::spawn(move || {
            host.enter()?;
            let queue = open(number)?;
            // Nobody waits for a queue that nobody wants any more.
            let _ = told.send(());
            hold(queue, by, &over)
        });
        let mut delay = Self { number, by, is_over, thread: Some(thread) };
        if opened.recv().is_err() {
            delay.ended().context("packets can't be delayed")?;
        }
        Ok(delay)
    }

    fn ended(&mut self) -> Result<()> {
        let thread = self.thread.take().context("the thread has ended before")?;
        thread.join().unwrap_or_else(|_| anyhow::bail!("the thread panicked"))
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Packets that it could not let go are sent again by TCP.
            let _ = thread.join();
        }
    }
}

fn open(number: u16) -> Result<Queue> {
    let mut queue = Queue::open().context("NFQUEUE needs root and a kernel that has it")?;
    queue.bind(number)?;
    queue.set_copy_range(number, 0)?;
    queue.set_queue_max_len(number, LONGEST)?;
    queue.set_nonblocking(true);
    Ok(queue)
}

fn hold(mut queue: Queue, by: Duration, is_over: &AtomicBool) -> Result<()> {
    let mut held: VecDeque<(Instant, Message)> = VecDeque::new();
    while !is_over.load(Ordering::Relaxed) {
        take(&mut queue, &mut held)?;
        while let Some((_, packet)) = held.pop_front_if(|(came, _)| came.elapsed() >= by) {
            let_go(&mut queue, packet)?;
        }
        std::thread::sleep(TICK);
    }
    take(&mut queue, &mut held)?;
    held.into_iter().try_for_each(|(_, packet)| let_go(&mut queue, packet))
}

/// What has come since the last look.
fn take(queue: &mut Queue, held: &mut VecDeque<(Instant, Message)>) -> Result<()> {
    loop {
        match queue.recv() {
            Ok(packet) => held.push_back((Instant::now(), packet)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error).context("NFQUEUE"),
        }
    }
}

fn let_go(queue: &mut Queue, mut packet: Message) -> Result<()> {
    packet.set_verdict(Verdict::Accept);
    queue.verdict(packet).context("NFQUEUE")
}
