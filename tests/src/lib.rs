//! What tests of the whole product share: the product as a process, phones that are not ours (SIPp, baresip), a stream
//! of sound with a tone to send and to listen for, networks with address translation, clusters over several machines, and the HTTP API as its user sees it.

pub mod api;
pub mod baresip;
pub mod browser;
pub mod chaos;
pub mod clock;
pub mod cluster;
pub mod disk;
pub mod floor;
pub mod machines;
pub mod mail;
pub mod net;
pub mod people;
pub mod ports;
pub mod postgres;
pub mod product;
pub mod recording;
pub mod sipp;
pub mod sound;
pub mod turn;
pub mod wait;
