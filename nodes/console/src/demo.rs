//! What a demo's console may do that no other may: end nodes and start them again. Whoever runs the demo does it.

use std::fmt;

use async_trait::async_trait;

/// What is to happen to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Its process ends at once, as by `kill -9`.
    Kill,
    /// Its process is started again.
    Revive,
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kill => "kill",
            Self::Revive => "revive",
        })
    }
}

/// The way to whoever runs the demo.
#[async_trait]
pub trait Demo: Send + Sync {
    /// Does it, or says in a sentence why not. The node that is asked may be the one that is killed: there is no answer
    /// then.
    async fn act(&self, node: &str, act: Act) -> Result<(), String>;
}
