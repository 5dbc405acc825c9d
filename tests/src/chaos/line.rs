//! Whose place in line got worse. Pure.

use std::collections::BTreeSet;

use crate::floor::Floor;

/// Callers who waited before a fault and in a later look have somebody ahead who was not: one who came after them. Who
/// came earlier and rang at an agent in between may go back to the front. Callers of a run are numbered as they come.
pub(super) fn worse(before: &Floor, later: impl Iterator<Item = Floor>) -> Vec<String> {
    let found: BTreeSet<String> = later.flat_map(|after| overtaken(&before.line, &after.line)).collect();
    found.into_iter().collect()
}

fn overtaken(before: &[String], after: &[String]) -> Vec<String> {
    let passes = |caller: &String, ahead: &[String]| {
        let Some(place) = before.iter().position(|one| one == caller) else { return false };
        ahead.iter().any(|one| !before[..place].contains(one) && one > caller)
    };
    let places = after.iter().enumerate();
    places
        .filter(|(place, caller)| passes(caller, &after[..*place]))
        .map(|(_, caller)| caller.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floor(line: &[&str]) -> Floor {
        Floor { talks: Default::default(), line: line.iter().map(|one| (*one).to_owned()).collect() }
    }

    fn worse_in(after: &[&str]) -> Vec<String> {
        worse(&floor(&["3", "4", "5"]), [floor(after)].into_iter())
    }

    #[test]
    fn those_who_move_up_and_those_who_come_behind_harm_nobody() {
        assert!(worse_in(&["4", "5", "6"]).is_empty());
        assert!(worse_in(&["5", "7", "6"]).is_empty());
    }

    #[test]
    fn who_rang_and_comes_back_may_stand_in_front() {
        assert!(worse_in(&["2", "3", "4", "5"]).is_empty());
    }

    #[test]
    fn whoever_is_overtaken_is_named_once() {
        assert_eq!(worse_in(&["3", "5", "4"]), ["4"]);
        assert_eq!(worse_in(&["6", "3", "4", "5"]), ["3", "4", "5"]);
    }
}
