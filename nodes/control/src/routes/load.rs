//! What a load is, and when it is worth telling.

use mangrove_proto::routes::Load;

use crate::control::Control;

/// Smaller changes of the lag are noise.
const NOISE_MS: u64 = 20;

pub(super) fn of(control: &Control) -> Load {
    let led: Vec<_> = control.groups().into_iter().filter(|group| group.is_led()).collect();
    Load {
        lag_ms: led.iter().map(|group| group.lag_ms()).max().unwrap_or(0),
        led: led.iter().map(|group| group.id).collect(),
    }
}

/// Whether an edge that was told `told` would decide otherwise now.
pub(super) fn differs(told: &Load, now: &Load) -> bool {
    let noise = NOISE_MS.max(told.lag_ms / 4);
    told.led != now.led || told.lag_ms.abs_diff(now.lag_ms) > noise
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_worth_telling() {
        let load = |lag_ms, led: &[u32]| Load { lag_ms, led: led.to_vec() };
        for (told, now, wanted) in [
            (load(0, &[1]), load(0, &[1]), false),
            (load(0, &[1]), load(20, &[1]), false),
            (load(0, &[1]), load(21, &[1]), true),
            (load(400, &[1]), load(480, &[1]), false),
            (load(400, &[1]), load(0, &[1]), true),
            (load(0, &[1]), load(0, &[1, 2]), true),
            (load(0, &[1]), load(0, &[]), true),
        ] {
            assert_eq!(differs(&told, &now), wanted, "{told:?} {now:?}");
        }
    }
}
