//! What a host hears of others: nothing of one, or all of it later. These are rules of the host's own kernel, so each is one
//! way: a link is cut when both its ends hear nothing.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use anyhow::Result;

use super::{Namespace, delay::Delay};

/// A host's rules; it hears everybody at first.
#[derive(Debug)]
pub struct Hearing {
    host: Arc<Namespace>,
    delays: Vec<Delay>,
}

impl Hearing {
    pub fn new(host: Arc<Namespace>) -> Self {
        Self { host, delays: Vec::new() }
    }

    /// Nothing that `from` sends is heard any more.
    pub fn stop(&mut self, from: Ipv4Addr) -> Result<()> {
        self.host.run(&format!("iptables -w -I INPUT -s {from} -j DROP"))
    }

    /// What `from` sends over TCP is heard `by` later.
    pub fn delay(&mut self, from: Ipv4Addr, by: Duration) -> Result<()> {
        let number = self.queue(by)?;
        self.host.run(&format!("iptables -w -A INPUT -p tcp -s {from} -j NFQUEUE --queue-num {number}"))
    }

    /// Everybody is heard at once again, and first what was on its way.
    pub fn heal(&mut self) -> Result<()> {
        self.host.run("iptables -w -F INPUT")?;
        self.delays.clear();
        Ok(())
    }

    fn queue(&mut self, by: Duration) -> Result<u16> {
        if let Some(delay) = self.delays.iter().find(|delay| delay.by == by) {
            return Ok(delay.number);
        }
        let delay = Delay::start(&self.host, self.delays.len() as u16, by)?;
        Ok(self.delays.push_mut(delay).number)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{Shutdown, TcpListener, TcpStream},
        time::Instant,
    };

    use super::*;
    use crate::net::Internet;

    const HERE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
    const THERE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);

    /// How long a word takes there, which is how long until its echo is here if only that way is slow.
    fn echo(here: &Namespace, listener: &TcpListener, limit: Duration) -> Option<Duration> {
        let address = listener.local_addr().unwrap();
        let listener = listener.try_clone().unwrap();
        // One that nobody reaches waits for the next caller, and answers it as well.
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept()?;
            let mut word = [0; 4];
            stream.read_exact(&mut word)?;
            stream.write_all(&word)
        });
        let asking = || {
            let began = Instant::now();
            let mut stream = TcpStream::connect_timeout(&address, limit)?;
            stream.set_read_timeout(Some(limit))?;
            stream.write_all(b"word")?;
            stream.read_exact(&mut [0; 4])?;
            stream.shutdown(Shutdown::Both)?;
            Ok(began.elapsed())
        };
        here.within(asking).ok()
    }

    #[test]
    fn one_way_is_slow_then_deaf_then_as_before() {
        let internet = Internet::new().unwrap();
        let (here, there) = (internet.host(HERE).unwrap(), Arc::new(internet.host(THERE).unwrap()));
        let listener = there.within(|| Ok(TcpListener::bind((THERE, 0))?)).unwrap();
        let (slow, patient) = (Duration::from_millis(200), Duration::from_secs(20));
        let mut hearing = Hearing::new(there);
        hearing.delay(HERE, slow).unwrap();
        let took = echo(&here, &listener, patient).expect("a slow way is a way");
        assert!(took >= slow * 2, "the greeting and the word came after {took:?}");
        hearing.stop(HERE).unwrap();
        assert_eq!(echo(&here, &listener, Duration::from_millis(300)), None, "nothing is heard");
        hearing.heal().unwrap();
        assert!(echo(&here, &listener, patient).is_some());
    }
}
