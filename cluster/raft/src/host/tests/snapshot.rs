//! A snapshot is written beside the running state machine.

use std::sync::mpsc;

use super::*;

/// A book whose snapshots are not written before the test says so.
struct Slow {
    book: Book,
    asked: Arc<Mutex<mpsc::Sender<()>>>,
    released: Arc<Mutex<mpsc::Receiver<()>>>,
}

impl StateMachine for Slow {
    fn apply(&mut self, index: u64, term: u64, payload: &[u8]) -> Vec<u8> {
        self.book.apply(index, term, payload)
    }

    fn leader_blank(&mut self, index: u64, term: u64) {
        self.book.leader_blank(index, term);
    }

    fn snapshot(&self) -> SnapshotWriter {
        let (write, asked, released) = (self.book.snapshot(), self.asked.clone(), self.released.clone());
        Box::new(move || {
            let _ = lock(&asked).send(());
            let _ = lock(&released).recv();
            write()
        })
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        self.book.restore(bytes)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_applied_while_a_snapshot_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let host = open(folder.path(), Tuning { snapshot_every: 20, ..Tuning::default() }).await;
    let ((ask, asked), (release, released)) = (mpsc::channel(), mpsc::channel());
    let book = Book::default();
    let slow = Slow {
        book: book.clone(),
        asked: Arc::new(Mutex::new(ask)),
        released: Arc::new(Mutex::new(released)),
    };
    let handle = host.start_group(1, Box::new(slow), Alone).await.unwrap();
    host.found_group(1, BTreeMap::from([(1, Peer::default())])).await.unwrap();
    let Leadership::Leader { term, .. } = lead(&handle).await else { panic!("leads") };
    for number in 0..40 {
        handle.propose(number.to_string().into_bytes()).await.unwrap();
    }
    tokio::task::block_in_place(|| asked.recv_timeout(Duration::from_secs(10)))
        .expect("a snapshot is asked for");
    for number in 40..100 {
        handle.propose(number.to_string().into_bytes()).await.expect("nothing waits for the snapshot");
    }
    assert_eq!(book.lines().len(), 100);
    assert_eq!(handle.status().term, term);
    // This one, and those that follow.
    drop(release);
    host.shutdown().await;
}
