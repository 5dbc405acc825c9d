//! What a node refuses to start with.

use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};

use super::authority::{Authority, Pair, Wish, put};
use crate::Mutual;

#[tokio::test]
async fn files_that_others_would_refuse_are_refused_at_once() {
    let (one, two) = (Authority::new("one"), Authority::new("two"));
    let impostor = Authority::new("one");
    let (good, other) = (one.issue(Wish::good("a")), one.issue(Wish::good("a")));
    let mixed = Pair { cert: good.cert.clone(), key: other.key };
    let nonsense = || "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned();
    for (ca, pair, part) in [
        (two.pem(), one.issue(Wish::good("a")), "not of this cluster's authority"),
        (impostor.pem(), one.issue(Wish::good("a")), "not of this cluster's authority"),
        (one.pem(), one.issue(Wish::good("a").days(-1)), "expired"),
        (one.pem(), one.issue(Wish::good("b")), "a.mangrove.internal"),
        (one.pem(), one.issue(Wish::good("a").names(&["a.example"])), "names no node"),
        (one.pem(), one.issue(Wish::good("a").purpose(ServerAuth)), "both sides"),
        (one.pem(), one.issue(Wish::good("a").purpose(ClientAuth)), "both sides"),
        (one.pem(), mixed, "does not fit the key"),
        (String::new(), one.issue(Wish::good("a")), "ca.pem is no authority's certificate"),
        (nonsense(), one.issue(Wish::good("a")), "ca.pem is no authority's certificate"),
        (one.pem(), Pair { cert: nonsense(), key: good.key.clone() }, "node.pem"),
        (one.pem(), Pair { cert: good.cert, key: "no key".to_owned() }, "node.key is no key"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let error = Mutual::open(put(folder.path(), &ca, &pair), "a").unwrap_err().to_string();
        assert!(error.contains(part), "{part}: {error}");
        assert!(!error.contains("PRIVATE"), "{error}");
    }
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let one = Authority::new("one");
    for missing in ["ca.pem", "node.pem", "node.key"] {
        let folder = tempfile::tempdir().unwrap();
        let files = put(folder.path(), &one.pem(), &one.issue(Wish::good("a")));
        std::fs::remove_file(folder.path().join(missing)).unwrap();
        let error = Mutual::open(files, "a").unwrap_err().to_string();
        assert!(error.contains(missing) && error.contains("mangrove certs"), "{error}");
    }
}

#[tokio::test]
async fn a_certificate_may_be_shared_by_nodes_and_its_authority_be_one_of_several() {
    let (one, two) = (Authority::new("one"), Authority::new("two"));
    let both = one.pem() + &two.pem();
    for names in [&["a.mangrove.internal", "b.mangrove.internal"][..], &["*.mangrove.internal"]] {
        let folder = tempfile::tempdir().unwrap();
        let pair = two.issue(Wish::good("a").names(names));
        Mutual::open(put(folder.path(), &both, &pair), "b").unwrap();
    }
}
