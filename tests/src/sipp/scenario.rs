//! What SIPp's calls are made of: elements of its own XML, put together by tests. One message of a call each, or a wait.

/// The INVITE of a caller at the carrier, with the test's sound in its SDP.
pub const INVITE: &str = r#"
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: "Caller" <sip:79161112233@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:79161112233@[local_ip]:[local_port]>
Max-Forwards: 70
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS
Content-Type: application/sdp
Content-Length: [len]

v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [media] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=ptime:20
]]></send>"#;

/// The caller's ACK to a 200 or a failure. `[next_url]` and routes are kept by `rrs` on the response.
pub const ACK: &str = r#"
<send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: "Caller" <sip:79161112233@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
[routes]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>"#;

/// The caller hangs up and waits for the answer.
pub const BYE: &str = r#"
<send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: "Caller" <sip:79161112233@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
[routes]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"/>"#;

/// Waits for the other side's BYE and answers it.
pub const AWAIT_BYE: &str = r#"
<recv request="BYE"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>"#;

/// SIPp plays its `tone` from now on; its SDP must name `[rtpstream_audio_port]`.
pub const PLAY: &str = r#"<nop><action><exec rtp_stream="tone.alaw,-1,8"/></action></nop>"#;

/// Waits for the test's `Sipp::cue`, however long it takes.
pub const CUE: &str = r#"<recv request="MESSAGE"/>"#;

/// After an INVITE: it rings, and at the cue the caller gives up. `[branch-N]` is that of N elements back, the INVITE's.
pub const GIVE_UP: &str = r#"
<recv response="100" optional="true"/>
<recv response="180"/>
<recv request="MESSAGE"/>
<send retrans="500"><![CDATA[
CANCEL sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch-4]
From: "Caller" <sip:79161112233@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 CANCEL
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"/>
<recv response="487"/>
<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch-7]
From: "Caller" <sip:79161112233@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>"#;

/// A called party at the carrier: rings, answers with the test's sound, and waits for the ACK.
pub const ANSWER: &str = r#"
<recv request="INVITE" rrs="true"/>
<send><![CDATA[
SIP/2.0 180 Ringing
[last_Via:]
[last_From:]
[last_To:];tag=[pid]u[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
Content-Length: 0

]]></send>
<send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[pid]u[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS
Content-Type: application/sdp
Content-Length: [len]

v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [media] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=ptime:20
]]></send>
<recv request="ACK"/>"#;

/// Provisional answers in any number, then 200.
pub const ANSWERED: &str = r#"
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="183" optional="true"/>
<recv response="200" rrs="true"/>"#;

/// A pause of the call, milliseconds.
pub fn pause(milliseconds: u32) -> String {
    format!("<pause milliseconds=\"{milliseconds}\"/>")
}

/// A caller who is refused with this status, at once.
pub fn refused(status: u16) -> String {
    let answer = format!("<recv response=\"{status}\" rrs=\"true\"/>");
    [INVITE, "<recv response=\"100\" optional=\"true\"/>", &answer, ACK].concat()
}
