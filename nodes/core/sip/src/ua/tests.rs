//! Legs in virtual time: two against each other over a network that loses messages ([`pair`]), and one
//! against a hand-written far end ([`far`]).

mod calls;
mod changes;
mod codecs;
mod far;
mod fax;
mod forks;
mod hops;
mod hostile;
mod pair;
mod races;
mod secret;
mod takeover;
mod timers;
mod transfers;
