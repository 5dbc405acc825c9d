//! The edge from outside: real sockets over loopback, with a control and a directory that only pretend.

#![allow(clippy::unwrap_used)]

mod fake;
mod far_end;
mod house;

mod cancel;
mod delivery;
mod dialog;
mod digest;
mod directory;
mod execute;
mod flood;
mod grpc;
mod invite;
mod options;
mod overload;
mod stun;
mod tcp;
mod tickets;
mod torture;
mod unreached;
mod unready;
mod websocket;
