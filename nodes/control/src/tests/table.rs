//! The edges' table while it is made again.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use mangrove_proto::service::Routes;

use super::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_a_hole_while_a_groups_routes_are_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    let stop = Arc::<AtomicBool>::default();
    let (control, stopped) = (house.control.clone(), stop.clone());
    let reader = std::thread::spawn(move || {
        let mut seen = 0_u64;
        while !stopped.load(Ordering::Relaxed) {
            assert!(control.tenant("acme").is_some(), "gone after {seen} looks");
            seen += 1;
        }
        seen
    });
    let current = house.group(1).shared.get();
    for _ in 0..20_000 {
        house.control.table().rebuild(1, &current);
    }
    stop.store(true, Ordering::Relaxed);
    assert!(reader.join().unwrap() > 0);
    house.close().await;
}
