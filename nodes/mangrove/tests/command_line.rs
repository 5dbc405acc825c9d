//! The binary as an operator meets it before any node runs: help, and mistakes that are named.
#![allow(clippy::unwrap_used)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Output, Stdio},
};

fn mangrove(folder: &std::path::Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mangrove")).args(arguments).current_dir(folder).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

#[test]
fn help_names_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let output = mangrove(folder.path(), &["--help"]);
    assert!(output.status.success());
    let commands = ["serve", "apply", "get", "delete", "status", "call", "certs", "demo", "loadtest"];
    for command in commands.into_iter().chain([
        "nodes",
        "drain",
        "leave",
        "replace",
        "move-tenant",
        "backup",
        "restore",
        "upload",
        "download",
    ]) {
        assert!(said(&output).contains(command), "{command}: {}", said(&output));
    }
}

#[test]
fn a_bad_configuration_names_file_line_key_and_what_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.toml"), "node = \"a\"\n[sip]\nudp = 5060\n").unwrap();
    let output = mangrove(folder.path(), &["serve", "-c", "bad.toml"]);
    assert!(!output.status.success());
    let text = said(&output);
    assert!(text.contains("bad.toml:3") && text.contains("sip.udp") && text.contains("127.0.0.1"), "{text}");
    assert!(!folder.path().join("data").exists(), "nothing was touched");
}

#[test]
fn a_port_that_strangers_could_reach_is_refused_for_grpc() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("open.toml"), "[cluster]\nlisten = \"0.0.0.0:0\"\n").unwrap();
    let output = mangrove(folder.path(), &["serve", "-c", "open.toml"]);
    assert!(!output.status.success());
    let text = said(&output);
    assert!(text.contains("loopback") && text.contains("mangrove certs init"), "{text}");
}

/// A node's process, killed when the test is over.
struct Node(Child);

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Authority and certificate of node `name` in `certs`, and a configuration that listens to everybody.
fn with_certificate(folder: &std::path::Path, name: &str) {
    for line in
        ["certs init --out certs".to_owned(), format!("certs issue --ca certs --node {name} --out certs")]
    {
        let output = mangrove(folder, &line.split(' ').collect::<Vec<_>>());
        assert!(output.status.success(), "{}", said(&output));
    }
    let text = format!(
        "node = \"a\"\n[sip]\nudp = \"127.0.0.1:0\"\ntcp = \"127.0.0.1:0\"\n[rtp]\nports = \"0\"\n\
         [http]\nlisten = \"127.0.0.1:0\"\n[cluster]\nlisten = \"0.0.0.0:0\"\n\
         tls = {{ca = \"certs/ca.pem\", cert = \"certs/{name}.pem\", key = \"certs/{name}.key\"}}\n"
    );
    std::fs::write(folder.join("mangrove.toml"), text).unwrap();
}

#[test]
fn with_a_certificate_a_node_listens_to_all_and_says_when_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    with_certificate(folder.path(), "a");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mangrove"));
    command.args(["serve", "-o", "json"]).current_dir(folder.path());
    let mut node = Node(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(node.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address = lines.find_map(|line| http(&line)).expect("the node has started");
    let wanted = "\nmangrove_cluster_certificate_expires_seconds 1";
    // The gauge is set beside the start: the next look has it.
    assert!((0..1000).any(|_| metrics(&address).contains(wanted)), "{}", metrics(&address));
}

#[test]
fn a_node_that_signed_its_own_certificate_is_asked_over_https() {
    let folder = tempfile::tempdir().unwrap();
    let text = "node = \"a\"\n[sip]\nudp = \"127.0.0.1:0\"\ntcp = \"127.0.0.1:0\"\n[rtp]\nports = \"0\"\n\
                [http]\nlisten = \"127.0.0.1:0\"\ntls = {}\n[cluster]\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(folder.path().join("mangrove.toml"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mangrove"));
    command.args(["serve", "-o", "json"]).current_dir(folder.path());
    let mut node = Node(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(node.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address = lines.find_map(|line| http(&line)).expect("the node has started");
    let server = format!("https://{address}");
    let output = mangrove(folder.path(), &["status", "--server", &server]);
    assert!(output.status.success(), "{}", said(&output));
    // Without its certificate it is not believed.
    std::fs::rename(folder.path().join("data/https/cert.pem"), folder.path().join("cert.pem")).unwrap();
    assert!(!mangrove(folder.path(), &["status", "--server", &server]).status.success());
    let output = mangrove(folder.path(), &["status", "--server", &server, "--ca", "cert.pem"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(metrics(&address).contains("Location: https://localhost/metrics"));
}

/// The address of the pages, if this is the line of a node that is ready.
fn http(line: &str) -> Option<String> {
    let ready: serde_json::Value = serde_json::from_str(line).ok()?;
    ready["http"].as_str().map(str::to_owned)
}

fn metrics(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}

#[test]
fn another_nodes_certificate_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    with_certificate(folder.path(), "b");
    let output = mangrove(folder.path(), &["serve"]);
    assert!(!output.status.success());
    let text = said(&output);
    assert!(text.contains("cluster.tls") && text.contains("a.mangrove.internal"), "{text}");
}

#[test]
fn the_environment_goes_before_the_file_for_certificates_too() {
    let folder = tempfile::tempdir().unwrap();
    with_certificate(folder.path(), "a");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mangrove"));
    let command = command.arg("serve").current_dir(folder.path());
    let output = command.env("MANGROVE_CLUSTER__TLS__KEY", "elsewhere.key").output().unwrap();
    assert!(!output.status.success());
    assert!(said(&output).contains("can't read the key elsewhere.key"), "{}", said(&output));
}

#[test]
fn a_certificate_is_shown_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    with_certificate(folder.path(), "a");
    let output = mangrove(folder.path(), &["certs", "show", "certs/a.pem", "-o", "json"]);
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown[0]["nodes"], serde_json::json!(["a"]), "{shown:#}");
    // 365 in the second in which it was made.
    assert!(matches!(shown[0]["days_left"].as_i64(), Some(364 | 365)), "{shown:#}");
}

#[test]
fn without_a_node_a_command_says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let output = mangrove(folder.path(), &["status", "--server", "http://127.0.0.1:9"]);
    assert!(!output.status.success());
    assert!(said(&output).contains("127.0.0.1:9") || said(&output).contains("token"), "{}", said(&output));
}
