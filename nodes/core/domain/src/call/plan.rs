//! What is to happen to a call: a scheme's steps, one outside number to ring, or an echo.

use std::sync::Arc;

use mangrove_proto::live::EndedBy;
use serde::{Deserialize, Serialize};

use super::{Call, dial_out, echo, end};
use crate::{
    cause::Cause,
    config::Step,
    scene::Scene,
    step::{self, Flow},
};

/// The intention behind a call. A copy of the configuration at the time: later changes do not touch it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Plan {
    /// Steps, the next one to run, and why the call ends when they run out.
    Steps { steps: Arc<[Step]>, next: usize, otherwise: Cause },
    /// Ring this number through the call's trunk.
    Outside { number: String },
    /// Let the caller hear themselves.
    Echo,
}

impl Plan {
    pub(crate) fn steps(steps: &[Step]) -> Self {
        Self::Steps { steps: steps.into(), next: 0, otherwise: Cause::SchemeEnded }
    }
}

/// Begins once the media session stands.
pub(crate) fn begin(call: &mut Call, scene: &mut Scene<'_>) {
    match &call.plan {
        Plan::Steps { .. } => proceed(call, scene),
        Plan::Outside { number } => dial_out::ring_outside(call, &number.clone(), scene),
        Plan::Echo => echo::begin(call, scene),
    }
}

/// Runs steps until one waits or ends the call. Out of steps, the call ends for the last step's reason.
pub(crate) fn proceed(call: &mut Call, scene: &mut Scene<'_>) {
    while let Plan::Steps { steps, next, otherwise } = &mut call.plan {
        let Some(step) = steps.get(*next).cloned() else {
            let cause = *otherwise;
            return end::end(call, cause, EndedBy::System, scene);
        };
        *next += 1;
        match step::run(&step, call, scene) {
            Flow::Wait => return,
            Flow::Next(cause) => failed(call, cause),
            Flow::Diverted => {}
        }
    }
}

/// Notes why the present step led nowhere.
pub(crate) fn failed(call: &mut Call, cause: Cause) {
    if let Plan::Steps { otherwise, .. } = &mut call.plan {
        *otherwise = cause;
    }
}

/// Other steps from now on, for [`proceed`] to run; none of them left is the end, for `cause`. It runs nothing itself: a
/// thousand queues in a row, each sending callers on to the next, are a loop there and no recursion.
pub(crate) fn divert(call: &mut Call, steps: &[Step], cause: Cause) {
    call.plan = Plan::Steps { steps: steps.into(), next: 0, otherwise: cause };
}
