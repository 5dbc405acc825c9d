//! `Debug` of messages that carry secrets: without them, so that no log can have them.

use std::fmt::{Debug, Formatter, Result};

use crate::{
    control::{Login, SetPasswordRequest},
    edge::{Received, SendRequest, SendResponse},
    media::{EndpointAddress, Srtp, Webrtc},
    routes::{Device, Founding},
};

impl Debug for Founding {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Founding")
            .field("incarnation", &self.incarnation)
            .field("shard_groups", &self.shard_groups)
            .finish_non_exhaustive()
    }
}

impl Debug for Device {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Device").field("username", &self.username).finish_non_exhaustive()
    }
}

impl Debug for Login {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Login")
            .field("tenant", &self.tenant)
            .field("employee", &self.employee)
            .finish_non_exhaustive()
    }
}

impl Debug for SetPasswordRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("SetPasswordRequest").field("author", &self.author).finish_non_exhaustive()
    }
}

impl Debug for Srtp {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Srtp").field("suite", &self.suite).finish_non_exhaustive()
    }
}

impl Debug for Webrtc {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Webrtc").field("ufrag", &self.ufrag).finish_non_exhaustive()
    }
}

impl Debug for EndpointAddress {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("EndpointAddress")
            .field("endpoint", &self.endpoint)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

// Whole SIP messages: credentials, numbers, and keys of the sound are in them.

impl Debug for Received {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Received")
            .field("bytes", &self.message.len())
            .field("source", &self.source)
            .field("ingress", &self.ingress)
            .field("received_at_unix_ms", &self.received_at_unix_ms)
            .finish_non_exhaustive()
    }
}

impl Debug for SendRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("SendRequest")
            .field("branch", &self.branch)
            .field("method", &self.method)
            .field("destination", &self.destination)
            .field("bytes", &self.message.len())
            .finish_non_exhaustive()
    }
}

impl Debug for SendResponse {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("SendResponse")
            .field("destination", &self.destination)
            .field("bytes", &self.message.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        edge::{Received, SendRequest, SendResponse},
        media::{Endpoint, Ready},
        routes::{RoutesUpdate, Step, TenantRoutes, routes_update::Content},
    };

    use super::{Device, EndpointAddress, Founding, Login, SetPasswordRequest, Srtp, Webrtc};

    #[test]
    fn no_key_of_the_sound_is_shown() {
        let key = || vec![b'k'; 30].into();
        let srtp = Srtp { suite: "AEAD_AES_128_GCM".into(), ours: key(), theirs: key() };
        let address = EndpointAddress { address: "10.0.0.2:20000".into(), key: key(), ..Default::default() };
        let (endpoint, ready) = (
            Endpoint { srtp: Some(srtp), ..Endpoint::default() },
            Ready { version: 1, addresses: vec![address] },
        );
        let shown = format!("{endpoint:?} {ready:?}");
        assert!(!shown.contains("kkk") && !shown.contains("107, 107"), "{shown}");
        assert!(shown.contains("AEAD_AES_128_GCM") && shown.contains("10.0.0.2:20000"), "{shown}");
    }

    #[test]
    fn no_key_in_a_message_is_shown() {
        let message = || bytes::Bytes::from_static(b"a=crypto:1 inline:kkkkkkkk");
        let received = Received { message: message(), ..Received::default() };
        let request = SendRequest { message: message(), method: "INVITE".into(), ..SendRequest::default() };
        let response = SendResponse { message: message(), ..SendResponse::default() };
        let shown = format!("{received:?} {request:?} {response:?}");
        assert!(!shown.contains("kkk") && !shown.contains("107, 107"), "{shown}");
        assert!(shown.contains("INVITE") && shown.contains("bytes: 26"), "{shown}");
    }

    #[test]
    fn no_password_of_ice_is_shown() {
        let (ufrag, pwd) = ("8hhY".into(), "asd88fgpdd777uzjYhagZg".into());
        let webrtc = Webrtc { ufrag, pwd, ..Webrtc::default() };
        let endpoint = Endpoint { webrtc: Some(webrtc), ..Endpoint::default() };
        let shown = format!("{endpoint:?}");
        assert!(shown.contains("8hhY") && !shown.contains("asd88"), "{shown}");
    }

    #[test]
    fn no_password_hash_is_shown() {
        let login = Login { employee: "anna".into(), password_hash: "5ec4e7".into(), ..Login::default() };
        let change = SetPasswordRequest { hash: "5ec4e7".into(), ..SetPasswordRequest::default() };
        let shown = format!("{login:?} {change:?}");
        assert!(shown.contains("anna") && !shown.contains("5ec4e7"), "{shown}");
    }

    #[test]
    fn no_secret_is_shown() {
        let founding = Founding { incarnation: 1, shard_groups: 2, nonce_key: vec![b'k'; 32].into() };
        let device = Device { username: "101".into(), md5: "5ec4e7".into(), sha256: "5ec4e7".into() };
        let tenant = TenantRoutes { devices: vec![device], ..TenantRoutes::default() };
        let step = Step { tenants: vec![tenant], ..Step::default() };
        for content in [Content::Founding(founding), Content::Step(step)] {
            let shown = format!("{:?}", RoutesUpdate { content: Some(content) });
            assert!(!shown.contains("kkk") && !shown.contains("5ec4e7"), "{shown}");
            assert!(shown.contains("shard_groups: 2") || shown.contains("101"), "{shown}");
        }
    }
}
