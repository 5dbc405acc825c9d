//! The image is built from the binary of this run, and started once as a pod of the layout `single`: as the user, with
//! the environment, on the mounts and to the probes that the chart names.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use mangrove_tests::{
    ports,
    product::{binary, root},
    wait,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::chart::{Values, list, named, pod, succeed};

/// What a pod's name is in the layout `single`.
const NODE: &str = "mangrove-0";
const TOKEN: &str = "the-token-of-this-test";

/// A container of the image in storage of its own.
struct Container {
    folder: TempDir,
    name: String,
}

impl Container {
    fn build() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let archive = folder.path().join("mangrove.tar");
        succeed(Command::new(root().join("scripts/image")).arg(binary()?).arg(&archive).output()?)?;
        let mut container = Self { folder, name: String::new() };
        let from = format!("oci-archive:{}", archive.display());
        container.name = container.buildah(&["from", "--quiet", &from])?;
        Ok(container)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(root().join("scripts/buildah"));
        command.arg(self.folder.path().join("storage"));
        command
    }

    fn buildah(&self, arguments: &[&str]) -> Result<String> {
        Ok(succeed(self.command().args(arguments).output()?)?.trim().to_owned())
    }

    /// What the image says of itself.
    fn configuration(&self) -> Result<Value> {
        let inspected: Value = serde_json::from_str(&self.buildah(&["inspect", &self.name])?)?;
        Ok(inspected["OCIv1"]["config"].clone())
    }

    /// A program of the image, as `pod` has it run. Isolation by chroot works where namespaces are not to be had.
    fn run(&self, pod: &Pod, program: &[&str]) -> Command {
        let mut command = self.command();
        command.args(["run", "--isolation", "chroot", "--cap-drop", "all", "--user", &pod.user]);
        for (name, value) in &pod.environment {
            command.arg("--env").arg(format!("{name}={value}"));
        }
        for (inside, outside) in &pod.mounts {
            command.arg("--volume").arg(format!("{}:{inside}", outside.display()));
        }
        command.args([&self.name, "--"]).args(program);
        command
    }
}

/// What Kubernetes would make of the pod's specification.
struct Pod {
    user: String,
    environment: BTreeMap<String, String>,
    mounts: BTreeMap<String, PathBuf>,
    arguments: Vec<String>,
    ready: String,
}

impl Pod {
    fn of(spec: &Value, folder: &Path) -> Result<Self> {
        let container = &spec["containers"][0];
        let ids = &spec["securityContext"];
        let (user, group) = ids["runAsUser"].as_u64().zip(ids["runAsGroup"].as_u64()).context("no user")?;
        let mut mounts = BTreeMap::new();
        for mount in list(&container["volumeMounts"]) {
            let outside = folder.join(mount["name"].as_str().context("a mount without a name")?);
            fs::create_dir(&outside)?;
            chown(&outside, Some(u32::try_from(user)?), Some(u32::try_from(group)?))?;
            mounts.insert(mount["mountPath"].as_str().context("a mount without a path")?.to_owned(), outside);
        }
        let probe = &container["readinessProbe"]["httpGet"];
        let port =
            named(&container["ports"], probe["port"].as_str().unwrap_or_default()).context("no port")?;
        let path = probe["path"].as_str().context("a probe without a path")?;
        Ok(Self {
            user: format!("{user}:{group}"),
            environment: environment(&container["env"])?,
            mounts,
            arguments: list(&container["args"])
                .iter()
                .filter_map(|a| a.as_str().map(str::to_owned))
                .collect(),
            ready: format!("http://127.0.0.1:{}{path}", port["containerPort"]),
        })
    }
}

/// Fills in what Kubernetes fills in, in order.
fn environment(variables: &Value) -> Result<BTreeMap<String, String>> {
    let mut filled = BTreeMap::<String, String>::new();
    for variable in list(variables) {
        let name = variable["name"].as_str().context("a variable without a name")?;
        let from = &variable["valueFrom"];
        let value = match (variable["value"].as_str(), from["fieldRef"]["fieldPath"].as_str()) {
            (Some(value), _) => {
                filled.iter().fold(value.to_owned(), |v, (k, with)| v.replace(&format!("$({k})"), with))
            }
            (None, Some("metadata.name")) => NODE.to_owned(),
            (None, Some("status.podIP")) => "127.0.0.1".to_owned(),
            (None, None) if from["secretKeyRef"]["key"] == "token" => TOKEN.to_owned(),
            _ => anyhow::bail!("nobody fills in {variable}"),
        };
        filled.insert(name.to_owned(), value);
    }
    Ok(filled)
}

/// A running node of the image.
struct Node {
    buildah: Child,
    log: PathBuf,
    /// A line of its environment that no other process has.
    mark: String,
}

impl Node {
    fn start(container: &Container, pod: &Pod) -> Result<Self> {
        let log = container.folder.path().join("log.txt");
        let file = fs::File::create(&log)?;
        let entrypoint = &container.configuration()?["Entrypoint"];
        let mut program: Vec<&str> = list(entrypoint).iter().filter_map(Value::as_str).collect();
        program.extend(pod.arguments.iter().map(String::as_str));
        let listen = pod.environment.get("MANGROVE_HTTP__LISTEN").context("no address of HTTP")?;
        let mark = format!("MANGROVE_HTTP__LISTEN={listen}");
        let mut command = container.run(pod, &program);
        let buildah = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn()?;
        Ok(Self { buildah, log, mark })
    }

    /// The process of the binary, for buildah passes no signals on.
    fn process(&self) -> Option<i32> {
        let is_ours = |folder: &Path| {
            let environment = fs::read(folder.join("environ")).unwrap_or_default();
            fs::read(folder.join("cmdline")).is_ok_and(|line| line.starts_with(b"/usr/bin/mangrove\0serve\0"))
                && environment.split(|byte| *byte == 0).any(|line| line == self.mark.as_bytes())
        };
        let folders = fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path());
        folders.filter(|folder| is_ours(folder)).find_map(|folder| folder.file_name()?.to_str()?.parse().ok())
    }

    fn signal(&self, signal: i32) -> Result<()> {
        let process = self.process().context("the node runs no more")?;
        // SAFETY: no memory is passed.
        ensure!(unsafe { libc::kill(process, signal) } == 0, "{}", std::io::Error::last_os_error());
        Ok(())
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // A node that has stopped already is what most tests end with.
        let _ = self.signal(libc::SIGKILL);
        let _ = self.buildah.wait();
    }
}

#[tokio::test]
async fn the_image_runs_as_the_chart_has_it() -> Result<()> {
    let container = Container::build()?;
    let (http, grpc, sip) = (ports::free(), ports::free(), ports::free());
    let set = [
        format!("single.ports.http={http}"),
        format!("single.ports.grpc={grpc}"),
        format!("edge.sip.port={sip}"),
    ];
    let objects = Values::named("single")?.objects(&set.each_ref().map(String::as_str))?;
    let pod = Pod::of(pod(objects.workload("single")?), container.folder.path())?;
    ensure!(container.configuration()?["User"] == pod.user, "the chart names another user than the image");

    let mut node = Node::start(&container, &pod)?;
    let ready = async || reqwest::get(&pod.ready).await.ok()?.error_for_status().ok();
    wait::until("the node of the image to be ready", ready).await.with_context(|| node.log())?;
    // As `kubectl exec`: the pod's environment says whom to ask, and lets in.
    let said = succeed(container.run(&pod, &["/usr/bin/mangrove", "-o", "json", "status"]).output()?)?;
    ensure!(said.contains(NODE), "{said}");

    node.signal(libc::SIGTERM)?;
    let ended = wait::until("the node to stop", async || node.buildah.try_wait().ok()?).await?;
    ensure!(ended.success() && node.log().contains("node has stopped"), "{ended}: {}", node.log());
    Ok(())
}

/// The fewer files, the less there is to break into: no shell, and nothing that the node may change.
#[test]
fn in_the_image_is_the_binary_and_what_it_needs() -> Result<()> {
    let container = Container::build()?;
    let mounted = PathBuf::from(container.buildah(&["mount", &container.name])?);
    let mut files = Vec::new();
    collect(&mounted, &mut files)?;
    for file in &files {
        let name = file.strip_prefix(&mounted)?.to_string_lossy().into_owned();
        let known = ["etc/passwd", "etc/group", "etc/ssl/certs/ca-certificates.crt", "usr/bin/mangrove"];
        ensure!(known.contains(&name.as_str()) || name.starts_with("lib") && name.contains(".so"), "{name}");
        let of = fs::metadata(file)?;
        ensure!(of.uid() == 0 && of.mode() & 0o022 == 0, "{name} is {:o} of {}", of.mode(), of.uid());
    }
    ensure!(files.len() > 4, "{files:?}");
    container.buildah(&["umount", &container.name]).map(drop)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
