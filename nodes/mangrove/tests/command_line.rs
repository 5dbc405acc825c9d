//! The binary as an operator meets it before any node runs: help, and mistakes that are named.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

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
    let commands = ["serve", "apply", "get", "delete", "status", "call", "demo", "loadtest"];
    for command in commands.into_iter().chain(["nodes", "drain", "leave", "replace"]) {
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
    assert!(said(&output).contains("loopback"), "{}", said(&output));
}

#[test]
fn without_a_node_a_command_says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let output = mangrove(folder.path(), &["status", "--server", "http://127.0.0.1:9"]);
    assert!(!output.status.success());
    assert!(said(&output).contains("127.0.0.1:9") || said(&output).contains("token"), "{}", said(&output));
}
