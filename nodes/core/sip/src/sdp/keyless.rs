//! What of a description is shown to nobody but the far end.

/// Lines that open the sound: keys of SRTP (RFC 4568; RFC 8866 section 5.12) and the password of ICE.
const SECRETS: [&str; 3] = ["a=crypto:", "a=ice-pwd:", "k="];

/// A description without the values of such lines. A whole message may be given: none of its headers begins like one.
pub fn keyless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.split_inclusive('\n').for_each(|line| push(line, &mut out));
    out
}

/// One line, its end included.
fn push(line: &str, out: &mut String) {
    let starts = |name: &&&str| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    match SECRETS.iter().find(starts) {
        Some(name) => {
            out.push_str(name);
            out.push('…');
            out.push_str(&line[line.trim_end().len()..]);
        }
        None => out.push_str(line),
    }
}

#[cfg(test)]
mod tests {
    use super::keyless;

    #[test]
    fn keys_are_left_out_and_all_else_stays() {
        let text = "v=0\r\nm=audio 4000 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:NzB4|2^20\r\n\
            A=ICE-PWD:asd88\nk=clear:geheim\r\na=ice-ufrag:8hhY\r\na=sendrecv";
        let shown = "v=0\r\nm=audio 4000 RTP/SAVP 8\r\na=crypto:…\r\na=ice-pwd:…\nk=…\r\na=ice-ufrag:8hhY\r\n\
            a=sendrecv";
        assert_eq!(keyless(text), shown);
    }
}
