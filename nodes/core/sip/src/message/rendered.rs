//! A whole message as it goes out, kept so that it can be said again byte for byte.

use std::{fmt, ops::Deref};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::sdp;

/// The bytes of a message. `Debug` shows their text without the keys of SRTP that a description in it has.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rendered(Bytes);

impl Deref for Rendered {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Rendered {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<Rendered> for Bytes {
    fn from(rendered: Rendered) -> Self {
        rendered.0
    }
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&shown(self), f)
    }
}

/// The text of a message, or of its body, as `Debug` shows it.
pub(super) fn shown(bytes: &[u8]) -> String {
    sdp::keyless(&String::from_utf8_lossy(bytes))
}
