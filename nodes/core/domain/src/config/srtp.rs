//! Whether sound is SRTP where nothing is said of it.

use mangrove_sip::sdp::Security;

/// Whoever offers keys gets ours; what we offer is plain. So a phone or carrier that is set up for SRTP is understood,
/// and no other meets words that it does not know.
pub(crate) fn usual() -> Security {
    Security::Accept
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's way to ask")]
pub(crate) fn is_usual(security: &Security) -> bool {
    *security == usual()
}
