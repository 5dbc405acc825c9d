//! Names of the edge's metrics, and what they mean.

use mangrove_sip::Method;
use metrics::{Unit, describe_counter, describe_gauge};

/// Messages read, by `method` (of a response: its request's) and `kind` (request, response).
pub const MESSAGES_IN: &str = "mangrove_edge_messages_in_total";
/// Messages handed to a socket or connection, retransmissions included, by `kind`.
pub const MESSAGES_OUT: &str = "mangrove_edge_messages_out_total";
/// Messages thrown away, unanswered or unsent, by `reason`.
pub const DROPPED: &str = "mangrove_edge_messages_dropped_total";
/// Requests that the edge answered by itself, by `status`.
pub const ANSWERED: &str = "mangrove_edge_answered_total";
/// STUN Binding requests answered.
pub const STUN: &str = "mangrove_edge_stun_answered_total";
/// New requests refused because of load, by `reason`.
pub const OVERLOADED: &str = "mangrove_edge_overloaded_total";
/// Requests with a wrong password or an unknown user name.
pub const AUTH_FAILURES: &str = "mangrove_edge_auth_failures_total";
/// Messages that could not be sent, by `transport`.
pub const SEND_FAILURES: &str = "mangrove_edge_send_failures_total";
/// Transactions the edge holds.
pub const TRANSACTIONS: &str = "mangrove_edge_transactions";
/// INVITEs given to control and not answered by anything yet.
pub const UNANSWERED_INVITES: &str = "mangrove_edge_unanswered_invites";
/// Connections open.
pub const CONNECTIONS: &str = "mangrove_edge_connections";
/// Connections refused or closed by us, by `reason`.
pub const CONNECTIONS_REFUSED: &str = "mangrove_edge_connections_refused_total";
/// Events given to control and acknowledged.
pub const EVENTS_DELIVERED: &str = "mangrove_edge_events_delivered_total";
/// Events lost: refused by control, expired before a leader was found, or too many.
pub const EVENTS_LOST: &str = "mangrove_edge_events_lost_total";
/// Events waiting for control's acknowledgement.
pub const EVENTS_WAITING: &str = "mangrove_edge_events_waiting";
/// Deliveries to control that failed and were tried again.
pub const DELIVERIES_RETRIED: &str = "mangrove_edge_deliveries_retried_total";
/// Commands of control, by `outcome` (executed, late, unreadable).
pub const COMMANDS: &str = "mangrove_edge_commands_total";
/// Control nodes whose routes are heard, of an edge with a copy of the directory.
pub const DIRECTORY_SOURCES: &str = "mangrove_edge_directory_sources";
/// Messages whose handling panicked: a bug, contained.
pub const PANICS: &str = "mangrove_edge_panics_total";

/// Tells the installed recorder what the names mean. Call once, after installing it.
pub fn describe() {
    describe_counter!(MESSAGES_IN, Unit::Count, "SIP messages read");
    describe_counter!(MESSAGES_OUT, Unit::Count, "SIP messages sent, retransmissions included");
    describe_counter!(DROPPED, Unit::Count, "SIP messages thrown away unanswered");
    describe_counter!(ANSWERED, Unit::Count, "requests answered by the edge itself");
    describe_counter!(STUN, Unit::Count, "STUN keep-alives answered");
    describe_counter!(OVERLOADED, Unit::Count, "new requests refused because of load");
    describe_counter!(
        AUTH_FAILURES,
        Unit::Count,
        "requests with wrong passwords or user names, pages with wrong tickets"
    );
    describe_counter!(SEND_FAILURES, Unit::Count, "messages that could not be sent");
    describe_gauge!(TRANSACTIONS, Unit::Count, "SIP transactions held");
    describe_gauge!(UNANSWERED_INVITES, Unit::Count, "INVITEs given to control and not answered yet");
    describe_gauge!(CONNECTIONS, Unit::Count, "SIP connections open");
    describe_counter!(CONNECTIONS_REFUSED, Unit::Count, "SIP connections refused or closed by us");
    describe_counter!(EVENTS_DELIVERED, Unit::Count, "events acknowledged by control");
    describe_counter!(EVENTS_LOST, Unit::Count, "events that never reached control");
    describe_gauge!(EVENTS_WAITING, Unit::Count, "events waiting for control's acknowledgement");
    describe_counter!(DELIVERIES_RETRIED, Unit::Count, "deliveries to control tried again");
    describe_counter!(COMMANDS, Unit::Count, "commands of control");
    describe_gauge!(DIRECTORY_SOURCES, Unit::Count, "control nodes whose routes are heard");
    describe_counter!(PANICS, Unit::Count, "messages whose handling panicked");
}

/// The method as a label: unknown ones share one, so that a stranger can't invent time series.
pub(crate) fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::INVITE => "INVITE",
        Method::ACK => "ACK",
        Method::BYE => "BYE",
        Method::CANCEL => "CANCEL",
        Method::OPTIONS => "OPTIONS",
        Method::REGISTER => "REGISTER",
        Method::PRACK => "PRACK",
        Method::UPDATE => "UPDATE",
        Method::INFO => "INFO",
        Method::REFER => "REFER",
        Method::NOTIFY => "NOTIFY",
        Method::SUBSCRIBE => "SUBSCRIBE",
        Method::MESSAGE => "MESSAGE",
        Method::PUBLISH => "PUBLISH",
        _ => "other",
    }
}
