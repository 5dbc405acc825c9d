//! What a media node is told at its start.

use std::{net::IpAddr, ops::RangeInclusive, path::PathBuf, sync::Arc, time::Duration};

use object_store::ObjectStore;

use crate::Spool;

/// Settings of a media node.
#[derive(Debug, Clone)]
pub struct Options {
    /// The node's name: with `run` the sender of its events.
    pub node: String,
    /// Rises with every start of the process.
    pub run: u64,
    /// Where RTP and RTCP are bound.
    pub address: IpAddr,
    /// What far ends are told, where it differs from what is bound (clouds, address translation).
    pub public: Option<IpAddr>,
    /// RTP on even ports, RTCP on the odd one above each. `0..=0` means any free ones.
    pub ports: RangeInclusive<u16>,
    /// Media threads; 0 = one per core.
    pub threads: usize,
    /// A folder with prompts beside those in the object store: `<tenant>/prompt/<name>.wav`, `prompt/<language>/<name>.wav`,
    /// `prompt/<name>.wav`, and the same with `music` without languages.
    pub prompts: Option<PathBuf>,
    /// Silence of an endpoint that is reported.
    pub silence: Duration,
    /// Length of a recording's parts: the most that a killed process loses, and half a second.
    pub segment: Duration,
    /// How long a busy thread lets packets gather before it looks again: fewer wake-ups, that much delay.
    pub gather: Duration,
    /// The object store's place once more, for the parts of running recordings, if it can do without putting each on
    /// the disk at once: they are many, and only the machine's power takes them. None: parts go where all goes.
    pub parts: Option<Arc<dyn ObjectStore>>,
    /// Another process carries these addresses still: this one binds its ports beside and prepares, until `Media::begin`.
    pub joins: bool,
    /// Where recordings wait while the object store is away, over the process's end. The media nodes of one process share
    /// it. None: in memory alone.
    pub spool: Option<Spool>,
    /// Bytes of recordings that may wait in memory for store and disk; what comes beyond is recorded as silence.
    pub recording_memory: usize,
}

impl Options {
    /// The defaults, on any free ports of `address`.
    pub fn new(node: impl Into<String>, run: u64, address: IpAddr) -> Self {
        Self {
            node: node.into(),
            run,
            address,
            public: None,
            ports: 0..=0,
            threads: 0,
            prompts: None,
            silence: Duration::from_secs(30),
            segment: Duration::from_secs(1),
            gather: Duration::from_millis(1),
            parts: None,
            joins: false,
            spool: None,
            recording_memory: 256 << 20,
        }
    }

    /// The address that far ends are told.
    pub(crate) fn advertised(&self) -> IpAddr {
        self.public.unwrap_or(self.address)
    }

    pub(crate) fn thread_count(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        }
    }
}
