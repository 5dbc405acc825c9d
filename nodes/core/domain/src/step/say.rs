//! `say`: answers and speaks the time of day or a number; the next step begins when it was heard to its end.

use super::{Flow, play};
use crate::{
    call::Call,
    config::Said,
    line,
    scene::Scene,
    speech::{self, Saying},
};

pub(super) fn run(what: Said, call: &mut Call, scene: &mut Scene<'_>) -> Flow {
    line::answer(call, call.guest, scene);
    let config = scene.tenant.config.clone();
    let (name, saying) = match what {
        Said::Number(number) => ("number", Saying::Number(number)),
        Said::Time => {
            let (hour, minute) = config.timezone.clock(scene.stamp.wall);
            ("time", Saying::Clock { hour, minute })
        }
    };
    let said = speech::say(&config.language, saying);
    let play = format!("say-{}", scene.tenant.next_number());
    scene.tell(call, format!("says the {name}"), said.join(" "));
    play::wait_for(play, name.into(), said, call, scene)
}
