//! Limits and times of connections between nodes.

use std::time::Duration;

use crate::dial::Dial;
use crate::security::Security;

/// How connections between nodes behave. Both sides use the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Whom both sides believe.
    pub security: Security,
    /// How connections are made where `security` is plain.
    pub dial: Dial,
    /// A connection attempt gives up after this.
    pub connect_timeout: Duration,
    /// Pings on quiet connections; one unanswered for as long again ends the connection.
    pub keepalive: Duration,
    /// Greatest message taken. Must exceed the greatest command by far: entries travel in batches of about 1 MiB.
    pub max_message: usize,
    /// Greatest snapshot taken.
    pub max_snapshot: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            security: Security::Plain,
            dial: Dial::Tcp,
            connect_timeout: Duration::from_secs(2),
            keepalive: Duration::from_secs(2),
            max_message: 64 << 20,
            max_snapshot: 4 << 30,
        }
    }
}
