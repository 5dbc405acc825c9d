//! Every value set is linted, and renders to what Kubernetes takes.

use std::{collections::BTreeSet, process::Command};

use anyhow::{Context, Result, ensure};
use mangrove_tests::product::root;

use crate::chart::{Values, folder, helm, succeed};

/// Kinds of others than Kubernetes, for which there are no schemas.
const OF_OTHERS: &[&str] = &["Certificate", "Issuer", "ServiceMonitor"];

#[test]
fn every_value_set_is_linted() -> Result<()> {
    let mut lint = helm(&["lint", "--strict"]);
    succeed(lint.arg(folder()).output()?).context("the chart's own values")?;
    for values in Values::all()? {
        let mut lint = helm(&["lint", "--strict"]);
        succeed(lint.arg(folder()).arg("--values").arg(&values.path).output()?)
            .with_context(|| values.name.clone())?;
    }
    Ok(())
}

#[test]
fn what_is_rendered_fits_kubernetes_own_schemas() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut validate = Command::new(root().join("scripts/kubernetes-validate"));
    for values in Values::all()? {
        let path = folder.path().join(format!("{}.yaml", values.name));
        std::fs::write(&path, values.render(&[])?)?;
        validate.arg(path);
    }
    let output = validate.output()?;
    let unknown =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{unknown}");
    let kinds: BTreeSet<&str> =
        unknown.lines().filter_map(|line| line.split("for kind ").nth(1)?.split(' ').next()).collect();
    ensure!(kinds.iter().all(|kind| OF_OTHERS.contains(kind)), "kinds that nothing validates: {unknown}");
    Ok(())
}

/// The validation itself is no use if it lets through what Kubernetes refuses.
#[test]
fn a_manifest_with_a_misspelled_key_does_not_fit() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("broken.yaml");
    let whole = Values::named("default")?.render(&[])?;
    ensure!(whole.contains("readOnlyRootFilesystem: true"), "the example has nothing to misspell");
    std::fs::write(&path, whole.replace("readOnlyRootFilesystem", "readOnlyRootFileSystem"))?;
    let output = Command::new(root().join("scripts/kubernetes-validate")).arg(&path).output()?;
    ensure!(!output.status.success(), "a misspelled key was let through");
    Ok(())
}
