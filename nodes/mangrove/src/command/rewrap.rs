//! `mangrove recordings rewrap`: works on the object store alone, no node need run.

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::{arguments::Format, configuration::Configuration, objects, output};

pub(crate) async fn rewrap(configuration: &Configuration, format: Format) -> Result<()> {
    let file = configuration.objects.keys.as_deref();
    let file = file.context("objects.keys is not set: there are no master keys to wrap by")?;
    let masters = objects::masters(file)?;
    let store = objects::open_bare(&configuration.objects)?;
    let done = mangrove_objects::rewrap(&store, &masters).await;
    let done = done.context("the object store does not list its recordings; what was done stays done")?;
    let newest = masters.newest();
    let answer = json!({
        "master": newest, "rewrapped": done.rewrapped, "current": done.current, "open": done.open,
        "failed": done.failed,
    });
    output::show(format, &answer, || {
        format!(
            "{} keys are wrapped by master key {newest} now, {} were before; {} recordings are not finished\n",
            done.rewrapped, done.current, done.open
        )
    })?;
    match done.failed.as_slice() {
        [] if done.open > 0 => bail!(
            "{} recordings are not finished and keep their older master keys: run it again when they are, before those \
             master keys go",
            done.open
        ),
        [] => Ok(()),
        [first, ..] => bail!(
            "{} keys could not be rewrapped, so the older master keys must stay; the first is {first}",
            done.failed.len()
        ),
    }
}
