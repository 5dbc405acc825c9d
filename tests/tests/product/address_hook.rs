//! `deploy/address-hook` by itself, on machines of one network, with a neighbour that hears what they announce.

use std::{
    net::Ipv4Addr,
    process::{Command, Output},
    time::Duration,
};

use anyhow::{Context, Result};
use mangrove_tests::{
    net::{Announcements, Internet, Namespace},
    product::root,
};

const NEIGHBOUR: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 200);
/// What moves.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 101);
/// How often it is announced.
const TIMES: usize = 7;
/// One announcement may take this long to come after another.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the hook as a node does: its outputs are read to their ends.
fn hook(machine: &Namespace, change: &str, address: Ipv4Addr) -> Result<Output> {
    let program = std::path::absolute(root())?.join("deploy/address-hook");
    machine.within(|| Ok(Command::new(&program).args([change, &address.to_string()]).output()?))
}

fn done(machine: &Namespace, change: &str) -> Result<()> {
    let output = hook(machine, change, ADDRESS)?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success() && said.is_empty(), "{change}: {} {said}", output.status);
    Ok(())
}

fn machine(internet: &Internet, number: u8) -> Result<Namespace> {
    internet.host(Ipv4Addr::new(198, 51, 100, number))
}

/// A node that waited for the end of its outputs would take seconds longer to take an address over.
#[test]
fn a_caller_waits_for_no_announcement_and_the_neighbours_hear_all() -> Result<()> {
    let internet = Internet::new()?;
    let (neighbour, a) = (internet.host(NEIGHBOUR)?, machine(&internet, 1)?);
    let heard = Announcements::heard_at(&neighbour)?;
    done(&a, "acquire")?;
    let mut count = 0;
    while heard.next(ADDRESS, Duration::ZERO)?.is_some() {
        count += 1;
    }
    assert!(count < TIMES, "all were made before its outputs ended");
    for at in count..TIMES {
        heard.next(ADDRESS, PATIENCE)?.with_context(|| format!("{at} of {TIMES} were heard"))?;
    }
    Ok(())
}

/// Neighbours would follow it back to where it has gone from.
#[test]
fn announcements_end_when_the_address_has_gone_to_another_machine() -> Result<()> {
    let internet = Internet::new()?;
    let neighbour = internet.host(NEIGHBOUR)?;
    let (a, b) = (machine(&internet, 1)?, machine(&internet, 2)?);
    let heard = Announcements::heard_at(&neighbour)?;
    done(&a, "acquire")?;
    let old = heard.next(ADDRESS, PATIENCE)?.context("the first machine does not announce it")?;
    done(&a, "release")?;
    done(&b, "acquire")?;
    // What the first one still had to say would come before the last of the second one's.
    let (mut cards, mut of_new) = (vec![old], 0);
    while of_new < TIMES {
        let card = heard.next(ADDRESS, PATIENCE)?.with_context(|| format!("heard so far: {cards:02x?}"))?;
        of_new += usize::from(card != old);
        cards.push(card);
    }
    let mut machines = cards.clone();
    machines.dedup();
    assert_eq!(machines.len(), 2, "the first one goes on: {cards:02x?}");
    Ok(())
}

#[test]
fn what_can_not_be_done_is_told_and_what_is_done_already_is_no_failure() -> Result<()> {
    let internet = Internet::new()?;
    let a = machine(&internet, 1)?;
    done(&a, "release")?;
    done(&a, "acquire")?;
    done(&a, "acquire")?;
    done(&a, "release")?;
    for (change, address, code, why) in [
        ("acquire", Ipv4Addr::new(203, 0, 113, 1), 1, "no interface is in the network of 203.0.113.1"),
        ("keep", ADDRESS, 2, "allowed: acquire release"),
    ] {
        let output = hook(&a, change, address)?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(code) && said.contains(why), "{change}: {output:?}");
    }
    Ok(())
}
