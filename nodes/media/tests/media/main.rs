//! A media node from outside: real sockets on loopback, phones that send tones and measure what they hear.
#![allow(clippy::unwrap_used)]

mod browser;
mod codecs;
mod commands;
mod conference;
mod digits;
mod echo;
mod fax;
mod grpc;
mod handover;
mod keys;
mod mixing;
mod numbering;
mod page;
mod pause;
mod phone;
mod play;
mod recording;
mod relay;
mod secret;
mod strangers;
mod support;
mod takeover;
mod talk;
