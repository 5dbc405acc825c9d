//! `employee`: rings all phones of one person. The guest hears their own phone's ringing tone if not answered yet.

use mangrove_proto::id::EmployeeId;

use super::Flow;
use crate::{
    call::{Call, dial_out, party::Role, stage::Stage},
    cause::Cause,
    scene::Scene,
};

pub(super) fn run(employee: &EmployeeId, call: &mut Call, scene: &mut Scene<'_>) -> Flow {
    match dial_out::ring_employee(call, employee, Role::Offer, scene) {
        Ok(()) => {
            call.move_to(Stage::Ringing { early: None }, scene.moment());
            Flow::Wait
        }
        Err(cause) => {
            scene.tell(call, format!("{employee} can't be rung"), Cause::name(cause));
            Flow::Next(cause)
        }
    }
}
