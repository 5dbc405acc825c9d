//! The table of end causes: every call ends with exactly one, every leg too. A cause says how the call counts
//! (outcome), what SIP status refuses an unanswered INVITE, and what Q.850 value goes into `Reason` (RFC 3326).

use mangrove_proto::live::Outcome;
use serde::{Deserialize, Serialize};

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident, $text:literal, $status:literal, $q850:literal, $outcome:ident;)*) => {
        /// Why a call or a leg ended.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Cause {
            $($(#[$doc])* $name,)*
        }

        impl Cause {
            /// Every cause, in the table's order.
            pub const ALL: &[Cause] = &[$(Cause::$name),*];

            /// The name in records and on pages.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The final response to an INVITE that ends this way.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// ITU-T Q.850 value.
            pub fn q850(self) -> u8 {
                match self { $(Self::$name => $q850,)* }
            }

            /// How a call that ends this way counts, if nobody had answered. See [`Cause::outcome`].
            fn unanswered(self) -> Outcome {
                match self { $(Self::$name => Outcome::$outcome,)* }
            }
        }
    };
}

causes! {
    /// A party of an answered call hung up.
    HungUp, "hung-up", 200, 16, Completed;
    /// The caller gave up before anyone answered.
    Abandoned, "abandoned", 487, 16, Abandoned;
    /// It rang and nobody answered in time.
    NoAnswer, "no-answer", 480, 19, NoAnswer;
    /// The caller waited as long as the queue allows.
    WaitedTooLong, "waited-too-long", 480, 19, NoAnswer;
    /// The called person or number is in another call.
    Busy, "busy", 486, 17, Busy;
    /// All channels of the called number are taken.
    NumberBusy, "number-busy", 486, 17, Busy;
    /// The queue has no place left.
    QueueFull, "queue-full", 486, 17, Busy;
    /// The called person declined.
    Rejected, "rejected", 603, 21, Rejected;
    /// No phone of the called person is registered, or none can be reached.
    Unreachable, "unreachable", 480, 20, Unreachable;
    /// Nobody serves the group now.
    NobodyThere, "nobody-there", 480, 20, Unreachable;
    /// There is no such number or extension.
    NotFound, "not-found", 404, 1, Unreachable;
    /// The caller may not call there.
    Forbidden, "forbidden", 403, 21, Rejected;
    /// The trunk's channels or calls per second are used up.
    TrunkFull, "trunk-full", 503, 34, Failed;
    /// No trunk leads there, or the carrier failed.
    NoRoute, "no-route", 502, 27, Failed;
    /// The scheme ended the call.
    SchemeEnded, "scheme-ended", 480, 16, Completed;
    /// The scheme told the caller that it is busy.
    SchemeBusy, "scheme-busy", 486, 17, Busy;
    /// The caller has left a message.
    VoicemailLeft, "voicemail-left", 480, 16, Voicemail;
    /// The box has no room for another message.
    VoicemailFull, "voicemail-full", 480, 42, Unreachable;
    /// An administrator or supervisor ended it.
    EndedByOperator, "ended-by-operator", 480, 16, Failed;
    /// The tenant was removed.
    TenantRemoved, "tenant-removed", 480, 16, Failed;
    /// It was going on when the backup was made that the cluster was restored from.
    Restored, "restored", 480, 41, Failed;
    /// The far end's sound stopped without a word.
    MediaLost, "media-lost", 480, 41, Failed;
    /// No media node could take the call.
    NoMedia, "no-media", 503, 34, Failed;
    /// Offer and answer found no common codec.
    NotAcceptable, "not-acceptable", 488, 88, Failed;
    /// The far end stopped answering requests.
    FarEndGone, "far-end-gone", 408, 27, Failed;
    /// The session was not refreshed in time (RFC 4028).
    SessionExpired, "session-expired", 408, 102, Failed;
    /// Our answer was never acknowledged (RFC 3261 13.3.1.4).
    NotAcknowledged, "not-acknowledged", 408, 102, Failed;
    /// Longer than any call may be.
    TooLong, "too-long", 480, 31, Failed;
    /// The INVITE could not be used.
    BadRequest, "bad-request", 400, 95, Failed;
    /// Another phone of the same offer, or another agent, was faster.
    AnsweredElsewhere, "answered-elsewhere", 487, 26, NoAnswer;
    /// The offer was withdrawn by us.
    Withdrawn, "withdrawn", 487, 16, NoAnswer;
    /// The leg left because it was transferred away.
    Transferred, "transferred", 200, 16, Completed;
    /// Another phone of the same person took the leg's place.
    Replaced, "replaced", 200, 16, Completed;
    /// A supervisor went on with the talk in the leg's place.
    TakenOver, "taken-over", 200, 16, Completed;
    /// The rules failed on the call; it was taken out.
    Quarantined, "quarantined", 500, 41, Failed;
}

impl Cause {
    /// How the call counts. A failure of ours stays one after an answer; what a person did does not matter then.
    pub fn outcome(self, answered: bool) -> Outcome {
        match self.unanswered() {
            Outcome::Failed if !matches!(self, Self::EndedByOperator | Self::TenantRemoved) => {
                Outcome::Failed
            }
            _ if answered => Outcome::Answered,
            outcome => outcome,
        }
    }

    /// What a final response of a called phone or carrier means.
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            486 | 600 => Self::Busy,
            603 | 607 | 608 => Self::Rejected,
            403 | 401 | 407 => Self::Forbidden,
            404 | 410 | 484 | 604 => Self::NotFound,
            488 | 606 | 415 => Self::NotAcceptable,
            480 | 487 => Self::NoAnswer,
            408 | 430 => Self::Unreachable,
            _ => Self::NoRoute,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_cause_has_a_name_of_its_own_a_final_status_and_a_q850_value() {
        let names: BTreeSet<_> = Cause::ALL.iter().map(|cause| cause.name()).collect();
        assert_eq!(names.len(), Cause::ALL.len());
        for cause in Cause::ALL {
            assert!((200..700).contains(&cause.status()), "{cause:?}");
            assert!((1..=127).contains(&cause.q850()), "{cause:?}");
        }
    }

    #[test]
    fn an_answer_decides_how_a_call_counts_unless_we_failed() {
        for (cause, before, after) in [
            (Cause::HungUp, Outcome::Completed, Outcome::Answered),
            (Cause::Abandoned, Outcome::Abandoned, Outcome::Answered),
            (Cause::Busy, Outcome::Busy, Outcome::Answered),
            (Cause::NumberBusy, Outcome::Busy, Outcome::Answered),
            (Cause::Rejected, Outcome::Rejected, Outcome::Answered),
            (Cause::Unreachable, Outcome::Unreachable, Outcome::Answered),
            (Cause::NoAnswer, Outcome::NoAnswer, Outcome::Answered),
            (Cause::EndedByOperator, Outcome::Failed, Outcome::Answered),
            (Cause::MediaLost, Outcome::Failed, Outcome::Failed),
            (Cause::FarEndGone, Outcome::Failed, Outcome::Failed),
        ] {
            assert_eq!(cause.outcome(false), before, "{cause:?}");
            assert_eq!(cause.outcome(true), after, "{cause:?}");
        }
    }

    #[test]
    fn what_a_called_phone_says_becomes_a_cause() {
        for (status, cause) in [
            (486, Cause::Busy),
            (600, Cause::Busy),
            (603, Cause::Rejected),
            (404, Cause::NotFound),
            (480, Cause::NoAnswer),
            (408, Cause::Unreachable),
            (488, Cause::NotAcceptable),
            (403, Cause::Forbidden),
            (503, Cause::NoRoute),
        ] {
            assert_eq!(Cause::of_status(status), cause, "{status}");
        }
    }
}
