//! Status codes in words, and their Q.850 causes (RFC 3398 sections 7.2.4.1 and 8.2.6.1, RFC 3326).

/// The usual reason phrase of a status; a general one of its class for others.
pub fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        300..400 => redirection(status),
        400..500 => client_failure(status),
        500..600 => server_failure(status),
        600.. => global_failure(status),
        201..300 => "Success",
        _ => "Progress",
    }
}

fn redirection(status: u16) -> &'static str {
    match status {
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        305 => "Use Proxy",
        380 => "Alternative Service",
        _ => "Redirection",
    }
}

fn client_failure(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        412 => "Conditional Request Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        430 => "Flow Failed",
        439 => "First Hop Lacks Outbound Support",
        _ => call_failure(status),
    }
}

fn call_failure(status: u16) -> &'static str {
    match status {
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        485 => "Ambiguous",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        493 => "Undecipherable",
        494 => "Security Agreement Required",
        _ => "Request Failure",
    }
}

fn server_failure(status: u16) -> &'static str {
    match status {
        500 => "Server Internal Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        580 => "Precondition Failure",
        _ => "Server Failure",
    }
}

fn global_failure(status: u16) -> &'static str {
    match status {
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        607 => "Unwanted",
        608 => "Rejected",
        _ => "Global Failure",
    }
}

/// The Q.850 cause of a final status (RFC 3398 section 8.2.6.1); 16, normal clearing, for a success.
pub fn q850(status: u16) -> u8 {
    match status {
        200..300 => 16,
        404 | 485 | 604 => 1,
        410 => 22,
        401 | 402 | 403 | 407 | 603 | 607 | 608 => 21,
        405 => 63,
        406 | 415 | 416 | 420 | 421 | 488 | 493 | 606 => 79,
        408 | 504 => 102,
        413 | 414 | 422 | 423 | 505 | 513 => 127,
        480 => 18,
        481 | 500 | 503 => 41,
        482 | 483 => 25,
        484 => 28,
        486 | 600 => 17,
        487 => 16,
        501 => 79,
        502 => 38,
        400 => 41,
        _ => 31,
    }
}

/// The status that says a Q.850 cause (RFC 3398 section 7.2.4.1); 480 for causes it does not name.
pub fn status_of_q850(cause: u8) -> u16 {
    match cause {
        1..=3 => 404,
        17 => 486,
        18 => 408,
        19 | 20 | 31 => 480,
        21 | 55 | 57 | 87 => 403,
        22 | 23 => 410,
        26 => 404,
        27 => 502,
        28 => 484,
        29 => 501,
        34 | 38 | 41 | 42 | 47 | 58 => 503,
        65 | 70 => 488,
        79 => 501,
        88 => 503,
        102 => 504,
        111 | 127 => 500,
        _ => 480,
    }
}

/// What a Q.850 cause is called.
pub fn q850_text(cause: u8) -> &'static str {
    match cause {
        1 => "Unallocated (unassigned) number",
        16 => "Normal call clearing",
        17 => "User busy",
        18 => "No user responding",
        19 => "No answer from user (user alerted)",
        21 => "Call rejected",
        22 => "Number changed",
        25 => "Exchange routing error",
        26 => "Non-selected user clearing",
        27 => "Destination out of order",
        28 => "Invalid number format (address incomplete)",
        31 => "Normal, unspecified",
        34 => "No circuit/channel available",
        38 => "Network out of order",
        41 => "Temporary failure",
        42 => "Switching equipment congestion",
        63 => "Service or option not available, unspecified",
        79 => "Service or option not implemented, unspecified",
        102 => "Recovery on timer expiry",
        127 => "Interworking, unspecified",
        _ => "Unspecified",
    }
}

/// The value of a `Reason` header for a Q.850 cause (RFC 3326).
pub fn q850_reason(cause: u8) -> String {
    format!("Q.850;cause={cause};text=\"{}\"", q850_text(cause))
}

/// The value of a `Reason` header for a status: what a CANCEL says to the devices that were too late.
pub fn sip_reason(status: u16, text: &str) -> String {
    format!("SIP;cause={status};text=\"{}\"", text.replace(['"', '\\'], ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_causes_agree_with_rfc_3398() {
        for (status, phrase, cause) in [
            (404, "Not Found", 1),
            (480, "Temporarily Unavailable", 18),
            (484, "Address Incomplete", 28),
            (486, "Busy Here", 17),
            (487, "Request Terminated", 16),
            (503, "Service Unavailable", 41),
            (603, "Decline", 21),
        ] {
            assert_eq!((reason_phrase(status), q850(status)), (phrase, cause), "{status}");
        }
    }

    #[test]
    fn every_cause_gives_a_failure() {
        assert!((0..=u8::MAX).all(|cause| (400..700).contains(&status_of_q850(cause))));
    }

    #[test]
    fn a_reason_header_cannot_be_broken_by_its_text() {
        assert_eq!(sip_reason(200, "answered \"elsewhere\\"), "SIP;cause=200;text=\"answered elsewhere\"");
    }
}
