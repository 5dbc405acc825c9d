//! The file as documented, and each mistake with its line.

use std::path::Path;

use super::{Configuration, Profile, Public, SmtpTls, read};

fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mangrove.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn the_documented_file_is_the_default() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/mangrove.toml");
    let mut wanted = Configuration::default();
    wanted.fill();
    assert_eq!(read(Some(&path)).unwrap(), wanted);
}

#[test]
fn a_data_folder_takes_database_and_objects_along() {
    let (_folder, path) = file("data_dir = \"/srv/mangrove\"\n");
    let configuration = read(Some(&path)).unwrap();
    assert_eq!(configuration.database.url, "sqlite:/srv/mangrove/mangrove.db");
    assert_eq!(configuration.objects.url, "file:/srv/mangrove/objects");
}

#[test]
fn every_key_can_be_set() {
    let (_folder, path) = file(
        r#"
        node = "b"
        roles = ["console", "edge", "control", "media"]
        data_dir = "/var/lib/mangrove"
        [sip]
        udp = "0.0.0.0:0"
        tcp = "[::1]:5070"
        public = "auto"
        [rtp]
        address = "0.0.0.0"
        ports = "0"
        public = "203.0.113.10"
        [http]
        listen = "0.0.0.0:80"
        public = "https://Desk.example:8443"
        [turn]
        servers = ["turn:turn.example:3478?transport=udp", "turns:[2001:db8::1]", "stun:turn.example"]
        secret_file = "/etc/mangrove/turn"
        lifetime = 600
        [cluster]
        listen = "10.0.0.1:7400"
        join = ["10.0.0.2:7400"]
        shard_groups = 4
        replicas = 5
        profile = "wan"
        tls = {ca = "/etc/mangrove/ca.pem", cert = "/etc/mangrove/b.pem", key = "/etc/mangrove/b.key"}
        [database]
        url = "postgres://db/mangrove"
        [objects]
        url = "s3://calls/centre"
        region = "eu-central-1"
        endpoint = "http://minio:9000"
        allow_http = true
        credentials = "/etc/mangrove/s3"
        keys = "/etc/mangrove/masters"
        spool_mb = 100
        [smtp]
        server = "mail.example:465"
        from = "Mangrove <mangrove@acme.example>"
        username = "mangrove"
        password_file = "/etc/mangrove/smtp"
        tls = "implicit"
        [telemetry]
        otlp = "http://127.0.0.1:4317"
        format = "json"
        level = "debug"
        [limits]
        lag_ms = 100
        silent_seconds = 90
        "#,
    );
    let configuration = read(Some(&path)).unwrap();
    assert_eq!(configuration.sip.public, Some(Public::Auto));
    assert_eq!(configuration.rtp.ports.0, 0..=0);
    let public = configuration.http.public.unwrap();
    assert_eq!((public.as_str(), public.is_https()), ("https://desk.example:8443", true));
    let turn = configuration.turn;
    assert_eq!((turn.servers.len(), turn.lifetime), (3, 600));
    assert_eq!(turn.secret_file, Some("/etc/mangrove/turn".into()));
    assert_eq!(configuration.cluster.join, ["10.0.0.2:7400"]);
    assert_eq!(configuration.cluster.replicas, 5);
    assert_eq!(configuration.cluster.profile, Profile::Wan);
    let objects = configuration.objects;
    assert_eq!((objects.region.as_deref(), objects.allow_http), (Some("eu-central-1"), true));
    assert_eq!((objects.keys, objects.spool_mb), (Some("/etc/mangrove/masters".into()), 100));
    let smtp = configuration.smtp.unwrap();
    assert_eq!((smtp.place(), smtp.tls), (("mail.example", 465), SmtpTls::Implicit));
    assert_eq!(smtp.password_file, Some("/etc/mangrove/smtp".into()));
    let tls = configuration.cluster.tls.unwrap();
    assert_eq!(
        (tls.ca, tls.cert, tls.key),
        ("/etc/mangrove/ca.pem".into(), "/etc/mangrove/b.pem".into(), "/etc/mangrove/b.key".into())
    );
    assert_eq!((configuration.limits.lag_ms, configuration.limits.silent_seconds), (100, 90));
}

#[test]
fn a_mistake_is_named_with_line_key_and_what_is_allowed() {
    for (text, place, parts) in [
        (
            "node = \"a\"\n[sip]\nupd = \"127.0.0.1:5060\"\n",
            ":3: sip.upd:",
            ["unknown key `upd`", "udp, tcp, tls, public"],
        ),
        ("[sip]\n\nudp = \"localhost\"\n", ":3: sip.udp:", ["`localhost`", "127.0.0.1:5060"]),
        ("colour = 1\n", ":1: colour:", ["unknown key", "data_dir"]),
        ("roles = [\n \"egde\"]\n", ":1: roles:", ["`egde`", "edge, control, media, console"]),
        ("[rtp]\nports = \"39999-20000\"\n", ":2: rtp.ports:", ["no range", "20000-39999"]),
        ("[http]\nlisten = 8080\n", ":2: http.listen:", ["`8080`", "127.0.0.1"]),
        ("[http]\npublic = \"desk.example\"\n", ":2: http.public:", ["`desk.example`", "https://"]),
        ("[http]\npublic = \"https://desk.example/\"\n", ":2: http.public:", ["desk.example/", "a path"]),
        ("[telemetry]\nformat = \"xml\"\n", ":2: telemetry.format:", ["`xml`", "text, json"]),
        ("[cluster]\nprofile = \"moon\"\n", ":2: cluster.profile:", ["`moon`", "lan, wan"]),
        ("[database]\nurl = \"mysql://u:5ec4e7@h/d\"\n", ":2: database.url:", ["`mysql:`", "sqlite"]),
        ("[objects]\nurl = \"gs://bucket\"\n", ":2: objects.url:", ["not built into", "file:PATH"]),
        ("[objects]\nurl = \"s3:///calls\"\n", ":2: objects.url:", ["`s3:`", "s3://BUCKET"]),
        ("[objects]\nregion = \"eu\"\n", ":2: objects.region:", ["belongs to S3", "s3://"]),
        (
            "[objects]\nurl = \"s3://b\"\nendpoint = \"http://minio\"\n",
            ":3: objects.endpoint:",
            ["no address with TLS", "objects.allow_http"],
        ),
        ("[turn]\nservers = [\"turn.example\"]\n", ":2: turn.servers:", ["`turn.example`", "turn:HOST:PORT"]),
        ("[turn]\nservers = [\"stun:a?transport=udp\"]\n", ":2: turn.servers:", ["no server", "stun:HOST"]),
        ("[turn]\nservers = [\"turn:a\"]\n", ":2: turn.servers:", ["credentials", "turn.secret_file"]),
        ("[turn]\nsecret_file = \"s\"\n", ":2: turn.secret_file:", ["without a server", "turn.servers"]),
        ("[turn]\nlifetime = 5\n", ":2: turn.lifetime:", ["5 s", "60 to 604800"]),
        ("[smtp]\nserver = \"m\"\n", ":1: smtp:", ["`from`", "missing"]),
        (
            "[smtp]\nserver = \"a b\"\nfrom = \"a@b.example\"\n",
            ":2: smtp.server:",
            ["no mail server", "mail.example"],
        ),
        ("[smtp]\nserver = \"m\"\nfrom = \"me\"\n", ":3: smtp.from:", ["no sender", "name@host"]),
        (
            "[smtp]\nserver = \"m\"\nfrom = \"a@b.example\"\nusername = \"u\"\n",
            ":4: smtp.username:",
            ["belong together", "smtp.password_file"],
        ),
        (
            "[smtp]\nserver = \"m\"\nfrom = \"a@b.example\"\nusername = \"u\"\npassword_file = \"p\"\ntls = \"off\"\n",
            ":6: smtp.tls:",
            ["readable", "starttls"],
        ),
        (
            "[smtp]\nserver = \"m\"\nfrom = \"a@b.example\"\ntls = \"on\"\n",
            ":4: smtp.tls:",
            ["`on`", "starttls, implicit, off"],
        ),
        ("[limits]\nlag_ms = 0\n", ":2: limits.lag_ms:", ["0 is out", "1 to 1000000"]),
        ("[limits]\nsilent_seconds = 29\n", ":2: limits.silent_seconds:", ["29 is out", "30 to 1000000"]),
        ("[limits]\nlag_ms = \"fast\"\n", ":2: limits.lag_ms:", ["fast", "u64"]),
        ("[http]\ntls = {cert = \"c\"}\n", ":2: http.tls:", ["belong together", "{}"]),
        ("[rtp]\npublic = \"media.example\"\n", ":2: rtp.public:", ["`media.example`", "203.0.113.10"]),
        ("[sip]\ntls = \"0.0.0.0:5061\"\n", ":2: sip.tls:", ["TLS", "leave it out"]),
        ("[cluster]\ntls = {ca = \"c\", crt = \"c\"}\n", ":2: cluster.tls.crt:", ["`crt`", "ca, cert, key"]),
        ("[cluster]\ntls = {ca = \"c\", key = \"k\"}\n", ":2: cluster.tls:", ["`cert`", "missing"]),
        ("[cluster.tls]\nca = 1\ncert = \"c\"\nkey = \"k\"\n", ":2: cluster.tls.ca:", ["`1`", "path"]),
        ("node = \"a\"\nnode = \"b\"\n", ":2: ", ["duplicate", "key"]),
        ("node = \"a\n", ":1: ", ["string", ""]),
    ] {
        let (_folder, path) = file(text);
        let error = read(Some(&path)).unwrap_err().to_string();
        assert!(error.contains(&format!("mangrove.toml{place}")), "{text}: {error}");
        assert!(parts.iter().all(|part| error.contains(part)), "{text}: {error}");
        assert!(!error.contains("5ec4e7"), "{error}");
    }
}

#[test]
fn nodes_on_several_machines_share_no_sqlite_file() {
    for (listen, join, url, roles, refused) in [
        ("10.0.0.1:7400", "10.0.0.2:7400", "sqlite:data/mangrove.db", "control", true),
        ("10.0.0.1:7400", "10.0.0.2:7400", "", "control", true),
        ("10.0.0.1:7400", "10.0.0.2:7400", "sqlite:data/mangrove.db", "console", true),
        ("10.0.0.1:7400", "10.0.0.2:7400", "postgres://db/mangrove", "control", false),
        ("10.0.0.1:7400", "10.0.0.2:7400", "sqlite:data/mangrove.db", "edge", false),
        ("127.0.0.1:7400", "127.0.0.1:7401", "sqlite:data/mangrove.db", "control", false),
        ("10.0.0.1:7400", "", "sqlite:data/mangrove.db", "control", false),
    ] {
        let join = if join.is_empty() { String::new() } else { format!("{join:?}") };
        let text = format!(
            "roles = [{roles:?}]\n[cluster]\nlisten = {listen:?}\njoin = [{join}]\n[database]\nurl = {url:?}\n"
        );
        let (_folder, path) = file(&text);
        let said = read(Some(&path)).err().map(|error| error.to_string()).unwrap_or_default();
        let parts = ["mangrove.toml:6: database.url:", "several machines", "postgres://"];
        assert_eq!(parts.iter().all(|part| said.contains(part)), refused, "{text}: {said}");
        assert_eq!(said.is_empty(), !refused, "{text}: {said}");
    }
}

#[test]
fn a_missing_file_that_was_named_is_an_error() {
    assert!(
        read(Some(Path::new("/nowhere/mangrove.toml")))
            .unwrap_err()
            .to_string()
            .contains("/nowhere/mangrove.toml")
    );
}
