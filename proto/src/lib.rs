//! Every contract that leaves a process or a disk: the messages of `protos/`, the ids that all rooms share, and the
//! service traits by which roles meet. Within one process the traits are called directly; between processes the
//! gRPC clients (feature `grpc`) implement them.

mod base62;
pub mod id;
pub mod live;
pub mod redact;
mod secret;
pub mod service;
pub mod story;
pub mod voicemail;

/// Generated code carries no documentation of its own: the `.proto` files do.
#[allow(missing_debug_implementations, clippy::all, clippy::unwrap_used, unreachable_pub)]
mod generated {
    pub mod common {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/mangrove.common.v1.rs"));
        }
    }
    pub mod edge {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/mangrove.edge.v1.rs"));
        }
    }
    pub mod media {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/mangrove.media.v1.rs"));
        }
    }
    pub mod control {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/mangrove.control.v1.rs"));
        }
    }
    pub mod routes {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/mangrove.routes.v1.rs"));
        }
    }
    pub mod cluster {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/mangrove.cluster.v1.rs"));
        }
    }
    pub mod handover {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/mangrove.handover.v1.rs"));
        }
    }
}

pub use generated::cluster::v1 as cluster;
pub use generated::common::v1 as common;
pub use generated::control::v1 as control;
pub use generated::edge::v1 as edge;
pub use generated::handover::v1 as handover;
pub use generated::media::v1 as media;
pub use generated::routes::v1 as routes;
