//! `hang up`: ends the call. A caller not answered yet gets the wanted status.

use mangrove_proto::live::EndedBy;

use super::Flow;
use crate::{
    call::{Call, end},
    cause::Cause,
    config::HangUp,
    scene::Scene,
};

pub(super) fn run(how: HangUp, call: &mut Call, scene: &mut Scene<'_>) -> Flow {
    match how {
        HangUp::Normal => end::end(call, Cause::SchemeEnded, EndedBy::System, scene),
        HangUp::Busy => end::end(call, Cause::SchemeBusy, EndedBy::System, scene),
        HangUp::Status(status) => {
            end::end_with(call, Cause::SchemeEnded, Some(status), EndedBy::System, scene);
        }
    }
    Flow::Wait
}
