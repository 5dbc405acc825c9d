//! A few seeds, and the test of the tests: bugs put in on purpose must be found.
#![allow(clippy::unwrap_used)]

use std::process::Command;

/// What the program says, if it ends well.
fn sim(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sim")).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "sim {}:\n{said}", arguments.join(" "));
    said
}

#[test]
fn seeds_are_clean_and_the_same_twice() {
    let said = sim(&["--from", "1", "--seeds", "8", "--twice"]);
    assert!(said.contains("8 seeds") && said.contains("0 failed"), "{said}");
}

#[test]
fn a_look_at_a_run_does_not_change_it() {
    let hash = |said: &str| said.lines().find(|line| line.starts_with("seed 1: hash")).unwrap().to_owned();
    let (dark, shown) = (sim(&["--seed", "1"]), sim(&["--seed", "1", "--trace"]));
    assert_eq!(hash(&dark), hash(&shown));
    assert!(shown.contains("HEALED"), "{shown}");
}

/// Other processes run the same seeds at the same time, and so draw the same.
#[test]
fn runs_side_by_side_do_not_change_one_another() {
    let start = || {
        let mut sim = Command::new(env!("CARGO_BIN_EXE_sim"));
        sim.args(["--seed", "3"]).stdout(std::process::Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = (0..4).map(|_| start()).collect();
    let said = running.into_iter().map(|sim| sim.wait_with_output().unwrap().stdout);
    let said: Vec<_> = said.map(|said| String::from_utf8_lossy(&said).into_owned()).collect();
    let hash = |said: &str| said.lines().find(|line| line.starts_with("seed 3: hash")).map(str::to_owned);
    assert!(hash(&said[0]).is_some(), "{}", said[0]);
    assert!(said.iter().all(|one| hash(one) == hash(&said[0])), "{said:?}");
}

fn is_found(plant: &str, by: &[&str]) {
    let said = sim(&["--plant", plant, "--seeds", "100"]);
    let broken = said.lines().find(|line| line.starts_with("seed")).unwrap();
    let invariant = broken.split(' ').nth(2).unwrap().trim_end_matches(':');
    assert!(by.contains(&invariant), "{plant} was found by something else than {by:?}:\n{said}");
    assert!(said.contains(&format!("--plant {plant} --trace")), "it says how to see it again:\n{said}");
}

#[test]
fn commands_of_a_deposed_leader_that_are_carried_out_are_found() {
    is_found("no-fence", &["I5"]);
}

#[test]
fn a_disk_that_acknowledges_before_it_has_synced_is_found() {
    is_found("ack-before-fsync", &["I3", "I4", "I11"]);
}

#[test]
fn an_agent_reserved_twice_is_found() {
    is_found("double-reservation", &["I2", "I5"]);
}

#[test]
fn records_kept_as_often_as_they_come_are_found() {
    is_found("outbox-without-key", &["I3"]);
}
