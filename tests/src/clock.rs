//! A wall clock of its own for one process, by Debian's libfaketime: it can be set while the process runs. Time that passes
//! is counted as everywhere.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// The clock of one node.
#[derive(Debug)]
pub struct WallClock {
    orders: PathBuf,
    library: PathBuf,
}

impl WallClock {
    /// Shows what all clocks show, until it is set. `folder` keeps what is needed for it.
    pub fn new(folder: &Path) -> Result<Self> {
        let clock = Self { orders: folder.join("wall-clock"), library: library()? };
        clock.set(0)?;
        Ok(clock)
    }

    /// Ahead of the others by so many seconds, or behind.
    pub fn set(&self, seconds: i64) -> Result<()> {
        let partial = self.orders.with_extension("partial");
        std::fs::write(&partial, format!("{seconds:+}\n"))?;
        Ok(std::fs::rename(partial, &self.orders)?)
    }

    /// What makes a process go by it.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        vec![
            ("LD_PRELOAD", self.library.clone().into()),
            ("FAKETIME_TIMESTAMP_FILE", self.orders.clone().into()),
            // Seconds between two looks at the orders.
            ("FAKETIME_CACHE_DURATION", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            // What files are dated by is the machine's.
            ("NO_FAKE_STAT", "1".into()),
        ]
    }
}

fn library() -> Result<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib")?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut found =
        folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).filter(|path| path.exists());
    found.next().context("libfaketime is missing: install Debian's package `faketime`")
}
