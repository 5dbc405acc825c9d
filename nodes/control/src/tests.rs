//! The role with a real cluster of one node or a few, and an edge and a media node that only note what they are told.

#![allow(clippy::unwrap_used)]

pub(crate) mod company;
mod configuring;
mod desk;
mod effects;
mod events;
pub(crate) mod fakes;
mod formats;
mod groups;
pub(crate) mod house;
mod invite;
mod moods;
mod moving;
mod proposing;
mod rules;
mod table;
mod takeover;
mod town;
mod trouble;
mod watch;
