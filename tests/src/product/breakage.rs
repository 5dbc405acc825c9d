//! What a test may break of a node.

use std::{ffi::OsString, path::Path};

use anyhow::{Context, Result};

use super::{Fragile, Product};
use crate::{
    clock::WallClock,
    disk::{Faults, SmallDisk},
};

/// The handle of what can be broken.
#[derive(Debug)]
pub(super) enum Breakage {
    None,
    Room(SmallDisk),
    Sync(Faults),
    Clock(WallClock),
}

impl Breakage {
    /// For a node with this folder.
    pub(super) fn of(fragile: Option<Fragile>, folder: &Path) -> Result<Self> {
        let data = folder.join("data");
        Ok(match fragile {
            None => Self::None,
            Some(Fragile::Room(megabytes)) => Self::Room(SmallDisk::mount(&data, megabytes)?),
            Some(Fragile::Sync) => Self::Sync(Faults::new(folder, &data)?),
            Some(Fragile::Clock) => Self::Clock(WallClock::new(folder)?),
        })
    }

    pub(super) fn environment(&self) -> Vec<(&'static str, OsString)> {
        match self {
            Self::None | Self::Room(_) => Vec::new(),
            Self::Sync(faults) => faults.environment(),
            Self::Clock(clock) => clock.environment(),
        }
    }
}

impl Product {
    /// Its disk, of a node that was started with `Fragile::Room`.
    pub fn disk(&self) -> Result<&SmallDisk> {
        match &self.breakage {
            Breakage::Room(disk) => Some(disk),
            _ => None,
        }
        .with_context(|| format!("node {} has no disk of its own", self.name()))
    }

    /// Its syncs, of a node that was started with `Fragile::Sync`.
    pub fn faults(&self) -> Result<&Faults> {
        match &self.breakage {
            Breakage::Sync(faults) => Some(faults),
            _ => None,
        }
        .with_context(|| format!("node {}'s syncs can't be broken", self.name()))
    }

    /// Its clock, of a node that was started with `Fragile::Clock`.
    pub fn clock(&self) -> Result<&WallClock> {
        match &self.breakage {
            Breakage::Clock(clock) => Some(clock),
            _ => None,
        }
        .with_context(|| format!("node {} has no clock of its own", self.name()))
    }
}
