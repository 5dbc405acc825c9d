//! Who speaks plain HTTP to a port that speaks TLS: a browser gets the address that it should have asked for.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A request's head that is longer names no place.
const HEAD: usize = 4096;

/// Reads one request's head and answers it. An error of the network ends it.
pub(crate) async fn send_on(mut stream: TcpStream) {
    let mut head = Vec::with_capacity(HEAD);
    while !is_whole(&head) && head.len() < HEAD {
        match stream.read_buf(&mut head).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
    let answer = answer(&String::from_utf8_lossy(&head));
    if stream.write_all(answer.as_bytes()).await.is_ok() {
        // Who asks no more may have hung up already.
        let _ = stream.shutdown().await;
    }
}

fn is_whole(head: &[u8]) -> bool {
    head.windows(4).any(|end| end == b"\r\n\r\n")
}

/// 308 keeps the method (RFC 9110 section 15.4.9).
fn answer(head: &str) -> String {
    const SAID: &str = "This port speaks https.\n";
    let (status, location) = match place(head) {
        Some(place) => ("308 Permanent Redirect", format!("Location: https://{place}\r\n")),
        None => ("400 Bad Request", String::new()),
    };
    let length = SAID.len();
    format!(
        "HTTP/1.1 {status}\r\n{location}Content-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{SAID}"
    )
}

/// Host and path that were asked for, if both can be written into an address.
fn place(head: &str) -> Option<String> {
    let mut lines = head.split("\r\n");
    let path = lines.next()?.split(' ').nth(1)?;
    let host = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host").then_some(value.trim())
    })?;
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
    let is_well = path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic());
    (is_well && !host.is_empty() && host.chars().all(is_host)).then(|| format!("{host}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_learns_the_right_address_and_nobody_else_gets_one() {
        let get =
            |path: &str, host: &str| format!("GET {path} HTTP/1.1\r\nAccept: */*\r\nhost: {host}\r\n\r\n");
        let table = [
            (get("/desk?tab=2", "desk.example:8443"), Some("desk.example:8443/desk?tab=2")),
            (get("/", "[2001:db8::1]:8080"), Some("[2001:db8::1]:8080/")),
            (get("http://evil.example/", "desk.example"), None),
            (get("/", "evil.example/@desk"), None),
            (get("/", ""), None),
            ("GET / HTTP/1.0\r\n\r\n".to_owned(), None),
            ("OPTIONS sip:a SIP/2.0\r\nHost: a\r\n\r\n".to_owned(), None),
        ];
        for (head, expected) in table {
            assert_eq!(place(&head).as_deref(), expected, "{head}");
            let status = if expected.is_some() { "HTTP/1.1 308 " } else { "HTTP/1.1 400 " };
            assert!(answer(&head).starts_with(status), "{head}");
        }
    }
}
