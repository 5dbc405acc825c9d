//! The role from outside: real HTTP against a control that the test plays itself.
#![allow(clippy::unwrap_used)]

mod conferences;
mod fake;
mod house;
mod https;
mod monitors;

mod configuration;
mod demo;
mod events;
mod foreign;
mod messages;
mod moves;
mod nodes;
mod pages;
mod past_calls;
mod phone;
mod recordings;
mod roles;
mod session;
mod sight;
mod sounds;
mod transfers;
