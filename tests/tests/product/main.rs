//! The product with real phones: SIPp as the carrier's callers, baresip as employees' phones, processes killed.
#![allow(clippy::unwrap_used)]

mod address_hook;
mod backup;
mod bad_input;
mod calls_out;
mod certificate;
mod chaos;
mod clocks;
mod cluster;
mod command_line;
mod consoles;
mod damage;
mod database;
mod demo;
mod disks;
mod employees;
mod full_disks;
mod hang_up;
mod limits;
mod lost_media;
mod machines;
mod many_calls;
mod moving;
mod nat;
mod office;
mod overflow;
mod page;
mod poison;
mod queue_call;
mod restart;
mod rolling;
mod starting;
mod telemetry;
mod transfer;
mod voters;
mod websocket;
