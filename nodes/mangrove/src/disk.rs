//! What becomes of a node whose disk has failed. It acknowledges nothing more and leads nothing; only a new start, which
//! reads the disk anew, may go on. So the process ends where others carry on with all that it had, for whoever supervises
//! it to start it again; where nobody can, it stays up for the sake of the talk on it, until the disk takes data again.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
    time::Duration,
};

use mangrove_membership::{Cluster, Directory, NodeId};
use tokio::time::sleep;

/// Between two looks at the disk.
const PERIOD: Duration = Duration::from_secs(2);
/// A disk that takes this much is worth a start.
const PROBE_BYTES: usize = 4 << 20;

/// Returns the reason when the disk has failed and the process should end.
pub(crate) async fn failed(cluster: &Cluster, data_dir: &Path) -> String {
    let mut disk = cluster.watch_disk();
    let Ok(why) = disk.wait_for(Option::is_some).await.map(|why| why.clone().unwrap_or_default()) else {
        // The node stops: there is nothing to watch any more.
        return std::future::pending().await;
    };
    loop {
        if others_carry_on(&cluster.directory(), cluster.node()) {
            return format!(
                "the disk failed ({why}); the other nodes go on with what this one led and carried"
            );
        }
        if takes_data(data_dir).await {
            return format!(
                "the disk failed ({why}) and takes data again; a new start goes on from what it holds"
            );
        }
        sleep(PERIOD).await;
    }
}

/// Whether each group that has a replica on this node keeps its majority without it.
fn others_carry_on(directory: &Directory, node: NodeId) -> bool {
    let is_alive = |id: &NodeId| *id != node && directory.member(*id).is_some_and(|member| member.alive);
    directory.groups_of(node).all(|(_, place)| {
        let left = place.replicas.iter().filter(|id| is_alive(id)).count();
        left * 2 > place.replicas.len()
    })
}

async fn takes_data(data_dir: &Path) -> bool {
    let path = data_dir.join("probe");
    tokio::task::spawn_blocking(move || probe(&path)).await.is_ok_and(|outcome| outcome.is_ok())
}

/// Writes and syncs a file, which goes again in any case.
fn probe(path: &Path) -> io::Result<()> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(&vec![1; PROBE_BYTES])?;
        file.sync_all()
    });
    written.and(fs::remove_file(path))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mangrove_membership::{Member, Place};

    use super::*;

    /// A group on the first `replicas` of three nodes, of which these answer.
    fn directory(replicas: u64, alive: &[u64]) -> Directory {
        let mut directory = Directory::default();
        for id in 1..=3 {
            let member = Member { id, alive: alive.contains(&id), ..Member::default() };
            directory.members.insert(id, member);
        }
        let place = Place { replicas: (1..=replicas).collect(), leader: 1 };
        directory.plan.groups.insert(1, place);
        directory
    }

    #[test]
    fn a_node_ends_only_where_a_majority_is_left() {
        for (replicas, alive, expected) in [
            (1, &[1, 2, 3][..], false),
            (2, &[1, 2, 3], false),
            (3, &[1, 2, 3], true),
            (3, &[1, 3], false),
            (3, &[1], false),
        ] {
            assert_eq!(others_carry_on(&directory(replicas, alive), 1), expected, "{replicas} {alive:?}");
        }
        assert!(others_carry_on(&directory(1, &[1, 2, 3]), 2), "it has no replica");
    }

    #[test]
    fn a_disk_that_takes_data_keeps_nothing_of_the_look() {
        let folder = tempfile::tempdir().unwrap();
        probe(&folder.path().join("probe")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        // A file on a disk that is full.
        std::os::unix::fs::symlink("/dev/full", folder.path().join("probe")).unwrap();
        assert!(probe(&folder.path().join("probe")).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
