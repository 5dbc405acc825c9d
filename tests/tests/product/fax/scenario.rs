//! What SIPp says about T.38, and about audio after it.

/// Attributes of the two: each is to get the other's.
pub(super) const CALLERS: &str = "T38FaxVersion:0";
pub(super) const AGENTS: &str = "T38FaxVersion:3";

fn image(term: &str) -> String {
    format!(
        "v=0\no=sipp 1 2 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\n\
         m=image [media] udptl t38\na={term}\na=T38MaxBitRate:14400\na=T38FaxRateManagement:transferredTCF\n\
         a=T38FaxMaxDatagram:400\na=T38FaxUdpEC:t38UDPRedundancy\n"
    )
}

fn audio() -> String {
    "v=0\no=sipp 1 3 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio [media] RTP/AVP 8\n\
     a=rtpmap:8 PCMA/8000\na=ptime:20\n"
        .to_owned()
}

/// The caller's re-INVITE under this number, its answer and the ACK.
fn caller_offers(cseq: u32, body: &str) -> String {
    let head = |method: &str| {
        format!(
            "{method} [next_url] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n\
             From: \"Caller\" <sip:79161112233@[local_ip]:[local_port]>;tag=[pid]c[call_number]\n\
             To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]\n[routes]\nCall-ID: [call_id]\n\
             CSeq: {cseq} {method}\nContact: <sip:79161112233@[local_ip]:[local_port]>\nMax-Forwards: 70\n"
        )
    };
    exchange(&head("INVITE"), body, &head("ACK"))
}

/// A re-INVITE, its answer and the ACK.
fn exchange(invite: &str, body: &str, ack: &str) -> String {
    format!(
        "<send retrans=\"500\"><![CDATA[\n{invite}Content-Type: application/sdp\nContent-Length: [len]\n\n{body}]]></send>\n\
         <recv response=\"100\" optional=\"true\"/>\n<recv response=\"200\"/>\n\
         <send><![CDATA[\n{ack}Content-Length: 0\n\n]]></send>\n"
    )
}

/// Waits for a re-INVITE and answers it so.
fn takes(body: &str) -> String {
    format!(
        "<recv request=\"INVITE\"/>\n<send retrans=\"500\"><![CDATA[\nSIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n\
         [last_Call-ID:]\n[last_CSeq:]\nContact: <sip:[local_ip]:[local_port]>\nContent-Type: application/sdp\n\
         Content-Length: [len]\n\n{body}]]></send>\n<recv request=\"ACK\"/>\n"
    )
}

pub(super) fn caller_offers_fax(cseq: u32) -> String {
    caller_offers(cseq, &image(CALLERS))
}

pub(super) fn caller_offers_audio(cseq: u32) -> String {
    caller_offers(cseq, &audio())
}

pub(super) fn caller_takes_fax() -> String {
    takes(&image(CALLERS))
}

pub(super) fn agent_takes_fax() -> String {
    takes(&image(AGENTS))
}

pub(super) fn agent_takes_audio() -> String {
    takes(&audio())
}

/// The agent's side of a call, as `sipp::ANSWER`, which keeps the names of the dialog and re-INVITEs to T.38 at once.
pub(super) fn agent_answers_and_offers_fax(answer: &str) -> String {
    let keep = "<recv request=\"INVITE\" rrs=\"true\"><action>\
        <ereg regexp=\".*\" search_in=\"hdr\" header=\"From:\" assign_to=\"theirs\"/>\
        <ereg regexp=\".*\" search_in=\"hdr\" header=\"To:\" assign_to=\"own\"/></action></recv>";
    let answer = answer.replace("<recv request=\"INVITE\" rrs=\"true\"/>", keep);
    let head = |method: &str| {
        format!(
            "{method} [next_url] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n\
             From: [$own];tag=[pid]u[call_number]\nTo: [$theirs]\nCall-ID: [call_id]\nCSeq: 1 {method}\n\
             Contact: <sip:[local_ip]:[local_port]>\nMax-Forwards: 70\n"
        )
    };
    answer + &exchange(&head("INVITE"), &image(AGENTS), &head("ACK"))
}
