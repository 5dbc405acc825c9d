//! What a media thread is told: the wanted state of a session, with all that takes time already done (sockets bound,
//! prompts read, addresses parsed).

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use mangrove_rtp::prompt::Prompt;
use tokio::sync::oneshot;

use super::{formats::Formats, guard::Keys};
use crate::{outbox::Owner, ports::Sockets};

/// One order.
#[derive(Debug)]
pub(crate) enum Command {
    Set(Box<Plan>),
    /// Closes the session of this number. Where it goes on at another node, its recording is left for that one.
    Close {
        number: u64,
        goes_on: bool,
    },
    /// Lets another process bind the same ports, and answers then.
    Share(oneshot::Sender<()>),
    /// Closes everything and ends the thread. Recordings stay open: the next run goes on with them.
    End,
}

/// The whole wanted state of one session. Endpoints that are missing are closed.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The session's number within this process.
    pub(crate) number: u64,
    pub(crate) owner: Owner,
    pub(crate) endpoints: Vec<EndpointPlan>,
    pub(crate) recording: Option<RecordingPlan>,
    /// The number of its conference within this process.
    pub(crate) conference: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct EndpointPlan {
    pub(crate) id: Arc<str>,
    /// Set for a new endpoint.
    pub(crate) sockets: Option<Sockets>,
    pub(crate) remote: Option<SocketAddr>,
    pub(crate) signalled: Option<IpAddr>,
    /// Where another node has heard it from.
    pub(crate) latched: Option<SocketAddr>,
    /// None: plain RTP, or a browser that has agreed on none yet.
    pub(crate) keys: Option<Keys>,
    /// Set: it is one.
    pub(crate) browser: Option<BrowserPlan>,
    pub(crate) formats: Formats,
    /// T.38 in place of RTP: then there are no formats.
    pub(crate) udptl: bool,
    /// Keys that are reported as codes and not passed on.
    pub(crate) codes: Vec<String>,
    /// Which of its keys are pressed is not reported, whatever is recorded here.
    pub(crate) secret: bool,
    pub(crate) send: bool,
    pub(crate) receive: bool,
    pub(crate) hears: HearsPlan,
}

/// How a browser's endpoint is reached.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct BrowserPlan {
    pub(crate) ufrag: String,
    pub(crate) pwd: String,
    /// Of the certificate that the browser was told of.
    pub(crate) fingerprint: Bytes,
    /// Whether that is this node's.
    pub(crate) may_shake: bool,
    /// Of the browser's certificate, once that is known.
    pub(crate) theirs: Option<Bytes>,
}

impl fmt::Debug for BrowserPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrowserPlan").field("ufrag", &self.ufrag).finish_non_exhaustive()
    }
}

#[derive(Debug)]
pub(crate) enum HearsPlan {
    Silence,
    /// The endpoint of this id; silence when there is none.
    Peer(Arc<str>),
    /// The sum of the endpoints of these ids, as far as they are there.
    Mix(Vec<Arc<str>>),
    /// Itself, so much later.
    Echo {
        delay_us: u64,
    },
    /// All others in the session's conference.
    Conference {
        is_muted: bool,
        chimes: bool,
    },
    Play {
        id: Arc<str>,
        prompts: Arc<[Arc<Prompt>]>,
        repeat: bool,
        /// The frame to begin with.
        place: u64,
    },
}

/// How far a play is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) owner: Owner,
    pub(crate) endpoint: Arc<str>,
    pub(crate) play: Arc<str>,
    pub(crate) frames: u64,
}

/// A recording that the recorder knows by `number`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordingPlan {
    pub(crate) number: u64,
    pub(crate) left: String,
    pub(crate) right: String,
    /// Whose sound is added to that of `left` and `right`.
    pub(crate) left_too: Vec<String>,
    pub(crate) right_too: Vec<String>,
    pub(crate) pause: Option<Paused>,
}

/// A pause of a recording: nothing of its sound leaves the thread but to listeners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paused {
    /// Of the recording, as control knows it.
    pub(crate) recording: String,
    /// Which of its pauses.
    pub(crate) number: u64,
}
