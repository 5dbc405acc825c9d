//! Disks that fail: a small one that fills up, and one whose syncs fail or are slow, for one process.

use std::{
    ffi::OsString,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::product::root;

/// A file system of a few megabytes in memory, mounted on a folder until this goes.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts it; needs root.
    pub fn mount(folder: &Path, megabytes: u32) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let size = format!("size={megabytes}m");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder).output()?;
        anyhow::ensure!(mounted.status.success(), "mount: {}", String::from_utf8_lossy(&mounted.stderr));
        Ok(Self { folder: folder.into() })
    }

    /// Takes all room that is left, again whatever has become free since the last time.
    pub fn fill(&self) -> Result<()> {
        let mut filler = std::fs::OpenOptions::new().create(true).append(true).open(self.filler())?;
        let mut bytes = 1 << 20;
        while bytes > 0 {
            match filler.write(&vec![1; bytes]) {
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => bytes /= 2,
                Err(error) => return Err(error).context("the disk can't be filled"),
            }
        }
        Ok(())
    }

    /// Gives the room back.
    pub fn free(&self) -> Result<()> {
        Ok(std::fs::remove_file(self.filler())?)
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the process that used it may not be gone altogether.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}

/// What syncs of a node's files do.
#[derive(Debug, Clone, Copy)]
pub enum Sync {
    Works,
    /// Input/output error, once: later ones say that all is well.
    FailsOnce,
    FailsAlways,
    TakesMs(u32),
}

/// The orders of one node's disk.
#[derive(Debug)]
pub struct Faults {
    orders: PathBuf,
    library: PathBuf,
    folder: PathBuf,
}

impl Faults {
    /// For files below `data` of a process that gets `environment`. `folder` keeps what is needed for it.
    pub fn new(folder: &Path, data: &Path) -> Result<Self> {
        let library = folder.join("disk-faults.so");
        let source = root().join("tests/faults/disk.c");
        let built = Command::new("cc")
            .args(["-O1", "-shared", "-fPIC", "-o"])
            .args([&library, &source])
            .arg("-ldl")
            .output()
            .context("cc can't be run")?;
        anyhow::ensure!(built.status.success(), "cc: {}", String::from_utf8_lossy(&built.stderr));
        let folder_of_data = std::path::absolute(data)?;
        let faults = Self { orders: folder.join("disk-faults"), library, folder: folder_of_data };
        faults.set(Sync::Works)?;
        Ok(faults)
    }

    /// From the next sync on.
    pub fn set(&self, sync: Sync) -> Result<()> {
        let (error, times, delay_ms) = match sync {
            Sync::Works => (0, 0, 0),
            Sync::FailsOnce => (libc::EIO, 1, 0),
            Sync::FailsAlways => (libc::EIO, -1, 0),
            Sync::TakesMs(ms) => (0, 0, ms),
        };
        // Whole or not at all: the process may read it now.
        let partial = self.orders.with_extension("partial");
        std::fs::write(&partial, format!("{error} {times} {delay_ms}\n"))?;
        Ok(std::fs::rename(partial, &self.orders)?)
    }

    /// What makes a process obey.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        vec![
            ("LD_PRELOAD", self.library.clone().into()),
            ("DISK_FAULTS", self.orders.clone().into()),
            ("DISK_FAULTS_FOLDER", self.folder.clone().into()),
        ]
    }
}
