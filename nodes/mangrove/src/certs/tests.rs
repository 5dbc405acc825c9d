//! What the commands make is what nodes take.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use clap::Parser;
use mangrove_transport::{Files, Identity, Mutual};
use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::certs;
use crate::arguments::{Arguments, Command, Format};

fn run(line: &str) -> anyhow::Result<()> {
    let arguments = Arguments::try_parse_from(line.split_whitespace())?;
    let Command::Certs { command } = arguments.command else { anyhow::bail!("another command") };
    certs(&command, Format::Json)
}

fn folder() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    (folder, path)
}

fn files(at: &str, node: &str) -> Files {
    let at = Path::new(at);
    let file = |end| at.join(format!("{node}.{end}"));
    Files { ca: at.join("ca.pem"), cert: file("pem"), key: file("key") }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn an_issued_certificate_is_one_that_its_node_takes() {
    let (_folder, at) = folder();
    run(&format!("mangrove certs init --out {at}")).unwrap();
    run(&format!(
        "mangrove certs issue --ca {at} --node a --address 10.0.0.1 --address a.example --out {at}"
    ))
    .unwrap();
    let files = files(&at, "a");
    assert_eq!((mode(&files.key), mode(&Path::new(&at).join("ca.key"))), (0o600, 0o600));
    assert!(Mutual::open(files.clone(), "a").is_ok());
    assert!(Mutual::open(files.clone(), "b").is_err(), "it is no other node's");

    let der = CertificateDer::from_pem_slice(&fs::read(&files.cert).unwrap()).unwrap();
    let identity = Identity::of(&der).unwrap();
    assert_eq!(identity.nodes, ["a"]);
    assert_eq!(identity.addresses, ["10.0.0.1", "a.example"]);
    assert!(identity.both_sides && !identity.authority);
    let year = identity.not_after - identity.not_before;
    assert_eq!(year, 365 * 24 * 3600 + 3600);
    run(&format!("mangrove certs show {at}/a.pem")).unwrap();
}

#[tokio::test]
async fn one_certificate_may_be_for_all_nodes() {
    let (_folder, at) = folder();
    run(&format!("mangrove certs init --out {at}")).unwrap();
    run(&format!("mangrove certs issue --ca {at} --node * --out {at}")).unwrap();
    for node in ["a", "control-0"] {
        assert!(Mutual::open(files(&at, "nodes"), node).is_ok(), "{node}");
    }
}

#[test]
fn nothing_is_written_over() {
    let (_folder, at) = folder();
    run(&format!("mangrove certs init --out {at}")).unwrap();
    run(&format!("mangrove certs issue --ca {at} --node a --out {at}")).unwrap();
    let kept = fs::read(format!("{at}/a.key")).unwrap();
    for line in ["init --out AT", "issue --ca AT --node a --out AT"] {
        let error = run(&format!("mangrove certs {}", line.replace("AT", &at))).unwrap_err().to_string();
        assert!(error.contains("exists and is not written over"), "{error}");
    }
    assert_eq!(fs::read(format!("{at}/a.key")).unwrap(), kept);
}

#[test]
fn mistakes_say_what_to_do_and_leave_nothing_behind() {
    let (_folder, at) = folder();
    let (_other, other) = folder();
    run(&format!("mangrove certs init --out {at}/ca --days 100")).unwrap();
    run(&format!("mangrove certs init --out {other}")).unwrap();
    fs::create_dir(format!("{at}/mixed")).unwrap();
    fs::copy(format!("{at}/ca/ca.pem"), format!("{at}/mixed/ca.pem")).unwrap();
    fs::copy(format!("{other}/ca.key"), format!("{at}/mixed/ca.key")).unwrap();
    for (line, part) in [
        ("issue --ca AT --node a --out AT/out", "mangrove certs init"),
        ("issue --ca AT/mixed --node a --out AT/out", "is not the key of the authority"),
        ("issue --ca AT/ca --node a_b --out AT/out", "letters, digits and hyphens"),
        ("issue --ca AT/ca --node a --address 10.0.0.1:7400 --out AT/out", "without port"),
        ("issue --ca AT/ca --node a --address b.mangrove.internal --out AT/out", "is no address"),
        ("issue --ca AT/ca --node a --days 101 --out AT/out", "fewer --days"),
        ("issue --ca AT/ca --node a --days 0 --out AT/out", "--days"),
        ("show AT/ca/ca.key", "there is no certificate in"),
        ("show AT/none.pem", "there is no"),
    ] {
        let error = run(&format!("mangrove certs {}", line.replace("AT", &at))).unwrap_err().to_string();
        assert!(error.contains(part), "{line}: {error}");
    }
    let left: Vec<_> = fs::read_dir(format!("{at}/out")).into_iter().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn two_authorities_in_one_file_sign_with_the_one_whose_key_is_there() {
    let (_folder, at) = folder();
    for name in ["old", "new"] {
        run(&format!("mangrove certs init --out {at}/{name}")).unwrap();
    }
    let both = [format!("{at}/old/ca.pem"), format!("{at}/new/ca.pem")]
        .map(|file| fs::read_to_string(file).unwrap());
    fs::write(format!("{at}/new/ca.pem"), both.concat()).unwrap();
    run(&format!("mangrove certs issue --ca {at}/new --node a --out {at}/new")).unwrap();
    let wanted = files(&format!("{at}/new"), "a");
    assert!(Mutual::open(wanted.clone(), "a").is_ok());
    let only_old = Files { ca: format!("{at}/old/ca.pem").into(), ..wanted };
    assert!(Mutual::open(only_old, "a").is_err());
}
