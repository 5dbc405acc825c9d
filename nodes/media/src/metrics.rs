//! What a media node counts.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

pub(crate) const ENDPOINTS: &str = "media_endpoints";
pub(crate) const RECEIVED: &str = "media_packets_received_total";
pub(crate) const SENT: &str = "media_packets_sent_total";
pub(crate) const FOREIGN: &str = "media_packets_foreign_total";
pub(crate) const MALFORMED: &str = "media_packets_malformed_total";
pub(crate) const UNAUTHENTIC: &str = "media_packets_unauthentic_total";
pub(crate) const TRANSCODERS: &str = "media_transcoders_open";
pub(crate) const TRANSCODED: &str = "media_frames_transcoded_total";
pub(crate) const CONCEALED: &str = "media_frames_concealed_total";
pub(crate) const MIXED: &str = "media_sessions_mixed";
pub(crate) const CONFERENCES: &str = "media_conferences_open";
pub(crate) const FALLS: &str = "media_falls_total";
pub(crate) const ROUND_TRIP: &str = "media_round_trip_seconds";
pub(crate) const LATE_COMMANDS: &str = "media_commands_late_total";
pub(crate) const EVENTS_WAITING: &str = "media_events_waiting";
pub(crate) const RECORDINGS: &str = "media_recordings_open";
pub(crate) const RECORDING_WAITING: &str = "media_recording_waiting_bytes";
pub(crate) const RECORDING_SPOOLED: &str = "media_recording_spooled_bytes";
pub(crate) const RECORDING_FAILURES: &str = "media_recording_store_failures_total";
pub(crate) const RECORDING_DROPPED: &str = "media_recording_dropped_bytes_total";

/// Registers all of them with unit and meaning. Call once, after the recorder is installed.
pub fn describe() {
    describe_gauge!(ENDPOINTS, Unit::Count, "RTP endpoints that are open");
    describe_counter!(RECEIVED, Unit::Count, "RTP packets, and datagrams of T.38, accepted from far ends");
    describe_counter!(SENT, Unit::Count, "RTP packets, and datagrams of T.38, sent to far ends");
    describe_counter!(FOREIGN, Unit::Count, "packets dropped because of where they came from");
    describe_counter!(MALFORMED, Unit::Count, "packets dropped because they are no RTP, RTCP or UDPTL");
    describe_counter!(
        UNAUTHENTIC,
        Unit::Count,
        "SRTP and SRTCP packets dropped because their tag is wrong or they came before"
    );
    describe_gauge!(
        TRANSCODERS,
        Unit::Count,
        "codecs at work, for listeners, recordings and announcements that are not passed on or played as they are"
    );
    describe_counter!(TRANSCODED, Unit::Count, "frames of 20 ms that were made into another encoding");
    describe_counter!(CONCEALED, Unit::Count, "frames of 20 ms that were made up in place of lost packets");
    describe_gauge!(MIXED, Unit::Count, "sessions in which somebody hears several others");
    describe_gauge!(CONFERENCES, Unit::Count, "conferences in which somebody is");
    describe_counter!(FALLS, Unit::Count, "sessions that a media thread fell over and dropped");
    describe_histogram!(ROUND_TRIP, Unit::Seconds, "round trips to far ends, from their RTCP reports");
    describe_counter!(
        LATE_COMMANDS,
        Unit::Count,
        "commands refused as late: by fence, or as a newer one went before"
    );
    describe_gauge!(EVENTS_WAITING, Unit::Count, "events that control has not acknowledged");
    describe_gauge!(RECORDINGS, Unit::Count, "recordings that run or wait for the object store");
    describe_gauge!(
        RECORDING_WAITING,
        Unit::Bytes,
        "sound of recordings that waits in memory for the object store"
    );
    describe_gauge!(
        RECORDING_SPOOLED,
        Unit::Bytes,
        "sound of recordings that waits on this node's disk for the object store"
    );
    describe_counter!(RECORDING_FAILURES, Unit::Count, "failed attempts to write to the object store");
    describe_counter!(RECORDING_DROPPED, Unit::Bytes, "sound recorded as silence because too much waited");
}
