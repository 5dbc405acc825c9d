//! The chart as Helm renders it, held against Kubernetes' own schemas and against what it promises; and the container
//! image, built and started with the configuration that the chart gives it.
#![allow(clippy::unwrap_used)]

mod access;
mod chart;
mod image;
mod refused;
mod rendered;
mod workloads;
