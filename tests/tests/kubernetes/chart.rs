//! Helm on this repository's chart, and what it rendered.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, ensure};
use mangrove_tests::product::root;
use serde_json::Value;

/// The version that manifests are rendered for: the chart's oldest.
const KUBERNETES: &str = "1.35";

/// One of the files in the chart's `ci`.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

impl Values {
    /// All of them.
    pub(crate) fn all() -> Result<Vec<Self>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder().join("ci"))? {
            paths.push(entry?.path());
        }
        paths.sort();
        ensure!(!paths.is_empty(), "the chart has no value sets in ci/");
        paths.iter().map(|path| Self::of(path)).collect()
    }

    /// `default` for `ci/default.yaml`.
    pub(crate) fn named(name: &str) -> Result<Self> {
        Self::of(&folder().join("ci").join(format!("{name}.yaml")))
    }

    fn of(path: &Path) -> Result<Self> {
        let name = path.file_stem().context("a value set without a name")?.to_string_lossy().into_owned();
        Ok(Self { name, path: path.to_owned() })
    }

    /// `helm template`, with values of its own after the file's, as `--set` takes them. An error carries what Helm said.
    pub(crate) fn render(&self, set: &[&str]) -> Result<String> {
        let mut command = helm(&["template", "mangrove"]);
        command.arg(folder()).args(["--namespace", "calls", "--kube-version", KUBERNETES]);
        command.arg("--values").arg(&self.path);
        for value in set {
            command.args(["--set", value]);
        }
        succeed(command.output()?)
    }

    /// What was rendered, object by object.
    pub(crate) fn objects(&self, set: &[&str]) -> Result<Objects> {
        let text = self.render(set)?;
        let objects: Vec<Value> = serde_saphyr::from_multiple(&text).with_context(|| self.name.clone())?;
        Ok(Objects(objects.into_iter().filter(|object| !object.is_null()).collect()))
    }
}

/// The chart.
pub(crate) fn folder() -> PathBuf {
    root().join("helm/mangrove")
}

/// Helm with arguments, not yet run.
pub(crate) fn helm(arguments: &[&str]) -> Command {
    let mut command = Command::new(root().join("scripts/helm"));
    command.args(arguments);
    command
}

/// What a command printed; an error with all of it if it failed.
pub(crate) fn succeed(output: Output) -> Result<String> {
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    Ok(printed)
}

/// Rendered objects.
#[derive(Debug)]
pub(crate) struct Objects(pub(crate) Vec<Value>);

impl Objects {
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<&Value> {
        self.0.iter().filter(|object| object["kind"] == kind).collect()
    }

    /// The workloads, each with its role's name.
    pub(crate) fn workloads(&self) -> Vec<(&str, &Value)> {
        let kinds = ["StatefulSet", "Deployment", "DaemonSet", "Job", "CronJob", "Pod", "ReplicaSet"];
        let is_one = |object: &&Value| kinds.iter().any(|kind| object["kind"] == *kind);
        self.0.iter().filter(is_one).map(|object| (role(object), object)).collect()
    }

    /// The workload of a role.
    pub(crate) fn workload(&self, wanted: &str) -> Result<&Value> {
        let found = self.workloads().into_iter().find(|(role, _)| *role == wanted);
        found.map(|(_, object)| object).with_context(|| format!("no workload of {wanted}"))
    }
}

/// The role that an object belongs to.
pub(crate) fn role(object: &Value) -> &str {
    object["metadata"]["labels"]["app.kubernetes.io/component"].as_str().unwrap_or_default()
}

/// The elements of a list, none if it is missing.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The pod that a workload makes.
pub(crate) fn pod(workload: &Value) -> &Value {
    &workload["spec"]["template"]["spec"]
}

/// All containers of a pod, those that run first included.
pub(crate) fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    list(&pod["initContainers"]).iter().chain(list(&pod["containers"]))
}

/// The element of a list that has this name.
pub(crate) fn named<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    list(value).iter().find(|element| element["name"] == name)
}

/// Whether labels are as a selector wants them; an empty selector selects nothing here.
pub(crate) fn selects(selector: &Value, labels: &Value) -> bool {
    let wanted = selector.as_object();
    wanted.is_some_and(|wanted| !wanted.is_empty() && wanted.iter().all(|(key, value)| labels[key] == *value))
}
