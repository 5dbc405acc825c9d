//! What several nodes say, in any order, and what comes of it.

use mangrove_proto::routes::TenantRoutes;

use super::*;

const GROUPS: u32 = 2;

fn founding_of(incarnation: u64) -> Content {
    Content::Founding(Founding {
        incarnation,
        shard_groups: GROUPS,
        nonce_key: vec![incarnation as u8; 32].into(),
    })
}

fn founding() -> Content {
    founding_of(1)
}

/// `acme@new` is tenant acme with the domain `new`.
fn tenants(told: &str) -> Vec<TenantRoutes> {
    let tenant = |text: &str| {
        let (id, domain) = text.split_once('@').expect("tenant@domain");
        TenantRoutes { tenant: id.into(), epoch: 1, domain: domain.into(), ..TenantRoutes::default() }
    };
    told.split_whitespace().map(tenant).collect()
}

fn whole(group: u32, to: u64, told: &str) -> Content {
    Content::Step(Step { group, to, tenants: tenants(told), ..Step::default() })
}

fn change(group: u32, (from, to): (u64, u64), told: &str, removed: &[&str]) -> Content {
    let removed = removed.iter().map(ToString::to_string).collect();
    Content::Step(Step { group, from: Some(from), to, tenants: tenants(told), removed, more: false })
}

fn more(content: Content) -> Content {
    let Content::Step(step) = content else { return content };
    Content::Step(Step { more: true, ..step })
}

fn load(lag_ms: u64, led: &[u32]) -> Content {
    Content::Load(Load { lag_ms, led: led.to_vec() })
}

fn tell(merge: &mut Merge, source: &str, content: Content) -> Result<(), Misfit> {
    merge.take(source, RoutesUpdate { content: Some(content) })
}

/// With streams of these nodes open and founded.
fn hearing(sources: &[&str]) -> Merge {
    let mut merge = Merge::default();
    for source in sources {
        merge.admit(source);
        merge.begin(source).expect("admitted");
        tell(&mut merge, source, founding()).expect("founded");
    }
    merge
}

/// All that is known, as it was told.
fn known(merge: &Merge) -> String {
    let all = merge.groups.values().flat_map(|edition| edition.tenants.keys());
    let ids: BTreeSet<_> = all.cloned().collect();
    let found = |id: &Arc<str>| merge.lookup().tenant(id).map(|route| format!("{id}@{}", route.domain));
    ids.iter().filter_map(found).collect::<Vec<_>>().join(" ")
}

/// A case, what is told by whom, and what is known then.
type Told = (&'static str, Vec<(&'static str, Content)>, &'static str);

#[test]
fn the_newest_edition_of_each_group_stands() {
    let table: Vec<Told> = vec![
        ("groups add up", vec![("a", whole(1, 5, "acme@x")), ("b", whole(2, 3, "bolt@y"))], "acme@x bolt@y"),
        (
            "older is ignored",
            vec![("a", whole(1, 5, "acme@new")), ("b", whole(1, 4, "acme@old"))],
            "acme@new",
        ),
        (
            "newer replaces whole",
            vec![("a", whole(1, 5, "acme@x bolt@x")), ("b", whole(1, 6, "acme@y"))],
            "acme@y",
        ),
        (
            "a change keeps the rest",
            vec![("a", whole(1, 5, "acme@x bolt@x")), ("a", change(1, (5, 7), "acme@y", &[]))],
            "acme@y bolt@x",
        ),
        (
            "a removal",
            vec![("a", whole(1, 5, "acme@x bolt@x")), ("a", change(1, (5, 7), "", &["bolt"]))],
            "acme@x",
        ),
        (
            "one that is behind does not bring back what was removed",
            vec![
                ("a", whole(1, 5, "acme@x bolt@x")),
                ("b", whole(1, 5, "acme@x bolt@x")),
                ("a", change(1, (5, 7), "", &["bolt"])),
                ("b", change(1, (5, 6), "acme@y", &[])),
            ],
            "acme@x",
        ),
        (
            "changes joined over what another told in between",
            vec![
                ("a", whole(1, 5, "acme@x")),
                ("b", whole(1, 5, "acme@x")),
                ("a", change(1, (5, 6), "bolt@x", &[])),
                // Bolt came and went between 5 and 7: this node never told of it.
                ("b", change(1, (5, 7), "acme@y", &[])),
            ],
            "acme@y",
        ),
        (
            "a step in parts stands with its last",
            vec![
                ("a", whole(1, 5, "acme@x")),
                ("b", more(whole(1, 9, "acme@y"))),
                ("a", change(1, (5, 6), "acme@z", &[])),
            ],
            "acme@z",
        ),
        (
            "parts add up",
            vec![("a", more(whole(1, 9, "acme@y"))), ("a", whole(1, 9, "bolt@y"))],
            "acme@y bolt@y",
        ),
    ];
    for (case, updates, wanted) in table {
        let mut merge = hearing(&["a", "b"]);
        for (source, content) in updates {
            tell(&mut merge, source, content).expect(case);
        }
        assert_eq!(known(&merge), wanted, "{case}");
    }
}

#[test]
fn what_does_not_follow_ends_the_stream() {
    let hole = Misfit::Hole { group: 1 };
    let table: Vec<(&str, Vec<Content>, Misfit)> = vec![
        ("a change of nothing", vec![change(1, (5, 6), "", &[])], hole.clone()),
        ("a change of another edition", vec![whole(1, 5, ""), change(1, (6, 7), "", &[])], hole.clone()),
        ("another step before the end of one", vec![more(whole(2, 5, "")), whole(1, 5, "")], hole),
        (
            "a short key",
            vec![Content::Founding(Founding { incarnation: 1, ..Founding::default() })],
            Misfit::NonceKey { length: 0 },
        ),
    ];
    for (case, mut updates, wanted) in table {
        let mut merge = hearing(&["a"]);
        let last = updates.pop().expect("an update");
        updates.into_iter().for_each(|content| tell(&mut merge, "a", content).expect(case));
        assert_eq!(tell(&mut merge, "a", last), Err(wanted), "{case}");
    }
    let mut merge = Merge::default();
    merge.admit("a");
    assert_eq!(tell(&mut merge, "a", whole(1, 1, "")), Err(Misfit::NoFounding));
    assert_eq!(tell(&mut merge, "b", whole(1, 1, "")), Err(Misfit::Dismissed));
    assert_eq!(merge.take("a", RoutesUpdate::default()), Err(Misfit::Empty));
}

#[test]
fn it_is_ready_once_the_leaders_of_all_groups_were_heard_and_stays_so() {
    let mut merge = hearing(&["a", "b"]);
    let ready = |merge: &mut Merge, source, content| {
        tell(merge, source, content).expect("fits");
        merge.is_ready()
    };
    assert!(!Merge::default().is_ready());
    for group in 1..=GROUPS {
        assert!(!ready(&mut merge, "a", whole(group, 1, "acme@old")));
    }
    assert!(!ready(&mut merge, "a", load(0, &[1])), "group 2's edition may be from before a restart");
    assert!(!ready(&mut merge, "b", whole(2, 7, "")));
    assert!(ready(&mut merge, "b", load(0, &[2])));
    merge.lose("a");
    merge.dismiss("b");
    assert!(merge.is_ready());
}

#[test]
fn a_lost_node_leaves_its_tenants_and_no_lag() {
    let mut merge = hearing(&["a", "b"]);
    tell(&mut merge, "a", whole(1, 5, "acme@x")).expect("fits");
    tell(&mut merge, "a", load(700, &[1])).expect("fits");
    tell(&mut merge, "b", load(30, &[])).expect("fits");
    assert_eq!((merge.lag_ms(), merge.heard()), (700, 2));
    merge.lose("a");
    assert_eq!((merge.lag_ms(), merge.heard(), known(&merge).as_str()), (30, 1, "acme@x"));
    merge.dismiss("b");
    assert_eq!((merge.lag_ms(), merge.heard(), merge.begin("b")), (0, 0, None));
}

#[test]
fn a_stream_opened_again_goes_on_from_what_is_held() {
    let mut merge = hearing(&["a", "b"]);
    tell(&mut merge, "a", whole(1, 5, "acme@x bolt@x")).expect("fits");
    let request = merge.begin("b").expect("admitted");
    assert_eq!((request.incarnation, request.have), (1, vec![Held { group: 1, index: 5 }]));
    tell(&mut merge, "b", founding()).expect("fits");
    // Another's news in between is no hole in this stream.
    tell(&mut merge, "a", change(1, (5, 6), "acme@y", &[])).expect("fits");
    tell(&mut merge, "b", change(1, (5, 7), "acme@z", &[])).expect("fits");
    assert_eq!(known(&merge), "acme@z bolt@x");
}

#[test]
fn a_tenant_that_moves_is_where_its_epoch_is_higher() {
    let mut merge = hearing(&["a"]);
    let moved = |epoch| TenantRoutes { epoch, ..tenants("acme@x").remove(0) };
    let step =
        |group, epoch| Content::Step(Step { group, to: 5, tenants: vec![moved(epoch)], ..Step::default() });
    tell(&mut merge, "a", step(2, 9)).expect("fits");
    tell(&mut merge, "a", step(1, 4)).expect("fits");
    let group = |merge: &Merge| merge.lookup().tenant("acme").map(|route| route.group);
    assert_eq!(group(&merge), Some(2));
    tell(&mut merge, "a", change(1, (5, 6), "", &["acme"])).expect("fits");
    assert_eq!(group(&merge), Some(2));
    tell(&mut merge, "a", change(2, (5, 6), "", &["acme"])).expect("fits");
    assert_eq!(group(&merge), None);
}

#[test]
fn another_cluster_is_believed_only_when_nobody_tells_of_the_first() {
    let mut merge = hearing(&["a", "b"]);
    tell(&mut merge, "a", whole(1, 50, "acme@x")).expect("fits");
    let foreign = Misfit::OtherCluster { told: 2, known: 1 };
    merge.begin("b");
    assert_eq!(tell(&mut merge, "b", founding_of(2)), Err(foreign));
    assert_eq!((known(&merge).as_str(), merge.nonce_key()), ("acme@x", NonceKey([1; 32])));
    merge.lose("a");
    tell(&mut merge, "b", founding_of(2)).expect("restored from a backup");
    assert_eq!((known(&merge).as_str(), merge.nonce_key()), ("", NonceKey([2; 32])));
    tell(&mut merge, "b", whole(1, 3, "acme@restored")).expect("fits");
    assert_eq!(known(&merge), "acme@restored");
    assert!(!merge.is_ready());
}

#[test]
fn what_two_nodes_agree_on_is_kept_once() {
    let mut merge = hearing(&["a", "b"]);
    for source in ["a", "b"] {
        tell(&mut merge, source, whole(1, 5, "acme@x")).expect("fits");
    }
    let of = |source: &str| merge.sources[source].editions[&1].tenants["acme"].clone();
    assert!(Arc::ptr_eq(&of("a"), &of("b")));
}
