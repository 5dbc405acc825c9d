//! `mangrove restore --from FILE`: works on files alone, no node need run.

use std::path::Path;

use anyhow::Result;
use mangrove_control::backup;
use serde_json::json;

use crate::{
    arguments::Format,
    configuration::{Configuration, Role},
    database, output,
};

pub(crate) fn restore(
    mut configuration: Configuration,
    from: &Path,
    data_dir: Option<&Path>,
    format: Format,
) -> Result<()> {
    if let Some(folder) = data_dir {
        configuration.data_dir = folder.to_owned();
    }
    let done = backup::restore(from, &options(&configuration))?;
    let (folder, node) = (configuration.data_dir.display(), &configuration.node);
    let answer = json!({
        "data_dir": configuration.data_dir, "node": node, "cluster": format!("{:016x}", done.incarnation),
        "tenants": done.tenants, "calls_ended": done.calls, "made_at": done.made_at,
    });
    output::show(format, &answer, || {
        format!(
            "{folder} has {} companies of the backup; {} calls that were going on have ended\n\
             start node {node} on it with `mangrove serve`: it founds cluster {:016x}, other nodes join it with empty folders\n",
            done.tenants, done.calls, done.incarnation
        )
    })
}

/// Who founds the cluster. Its addresses become known when it starts.
fn options(configuration: &Configuration) -> mangrove_membership::Options {
    let mut options = mangrove_membership::Options::new(&configuration.data_dir, configuration.node.clone());
    options.roles = configuration.roles.iter().copied().map(Role::as_str).map(str::to_owned).collect();
    options.version = env!("CARGO_PKG_VERSION").to_owned();
    options.zone = configuration.zone.clone();
    options.database = database::named(&configuration.database.url);
    options
}
