//! Configuration: a whole tenant is checked, compared with what stands, its unique names are claimed from the
//! directory, and then it replaces the old one in a single command. Until that command nothing has changed.

use std::{collections::BTreeSet, sync::Arc};

use mangrove_domain::{
    AuditChange, Command,
    config::{
        TenantConfig,
        diff::{Change, diff},
        document::{self, Document},
        export::export,
        resolve::{Resolved, Tools, resolve},
    },
};
use mangrove_membership as membership;
use mangrove_proto::{
    control::{self, ConfigureReply, ConfigureRequest, DeleteRequest, GeneratedSecret, Json, Problem},
    id::TenantId,
    service::Error,
};
use serde_json::json;

use super::{author, json as to_json, settle};
use crate::{control::Control, group::Group, moving};

mod password;

pub(super) async fn configure(control: &Control, request: ConfigureRequest) -> Result<ConfigureReply, Error> {
    let document = match document::read(&request.document) {
        Ok(document) => document,
        Err(problem) => return Ok(refused(vec![problem])),
    };
    if document.tenant != request.tenant {
        let message =
            format!("the document is for `{}`, the request for `{}`", document.tenant, request.tenant);
        return Ok(refused(vec![document::Problem { path: "tenant".into(), message }]));
    }
    let _alone = control.configuring().lock().await;
    change(control, &document, request.author, request.dry_run, request.if_version).await
}

pub(super) async fn delete(control: &Control, request: DeleteRequest) -> Result<ConfigureReply, Error> {
    let _alone = control.configuring().lock().await;
    if request.object.is_empty() {
        return remove(control, &request.tenant, request.author).await;
    }
    let present = present(control, &request.tenant).ok_or_else(|| control.absent(&request.tenant))?;
    let mut document = export(&present);
    let missing = || Error::NotFound { what: format!("`{}` in tenant `{}`", request.object, request.tenant) };
    if !document.remove(&request.object) {
        return Err(missing());
    }
    change(control, &document, request.author, false, present.version).await
}

/// `{id, name, version, group}` of each tenant of a group.
pub(crate) fn summaries(group: &Group) -> Vec<serde_json::Value> {
    let summary = |(id, tenant): (&TenantId, &mangrove_domain::Tenant)| {
        let config = tenant.config();
        json!({ "id": id, "name": config.name, "version": config.version, "group": group.id })
    };
    group.shared.get().state.tenants().map(summary).collect()
}

pub(super) fn configuration(control: &Control, tenant: &str) -> Result<Json, Error> {
    let present = present(control, tenant).ok_or_else(|| control.absent(tenant))?;
    let mut document = serde_json::to_value(export(&present)).unwrap_or_default();
    document["version"] = present.version.into();
    to_json(&document)
}

fn present(control: &Control, tenant: &str) -> Option<Arc<TenantConfig>> {
    let (group, id) = control.home(tenant).ok()?;
    group.shared.get().state.tenant(&id).map(|tenant| tenant.config().clone())
}

/// Under the lock of `configuring`: two changes at once would undo one another.
async fn change(
    control: &Control,
    document: &Document,
    by: Option<control::Author>,
    dry_run: bool,
    if_version: u64,
) -> Result<ConfigureReply, Error> {
    if control.is_moving(&document.tenant) {
        return Err(moving::under_way(&document.tenant));
    }
    let present = present(control, &document.tenant);
    let version = present.as_ref().map_or(0, |config| config.version);
    if if_version != 0 && if_version != version {
        return Err(Error::Conflict { what: format!("the configuration of `{}`", document.tenant) });
    }
    let resolved = match resolve_apart(document.clone(), present.clone()).await? {
        Ok(resolved) => resolved,
        Err(problems) => return Ok(refused(problems)),
    };
    if let Some(problem) = too_new(control, &resolved.config) {
        return Ok(refused(vec![problem]));
    }
    let changes = diff(present.as_deref(), Some(&resolved.config));
    let names = names(&resolved.config);
    if let Some(problem) = taken(control, &resolved.config.id, &names) {
        return Ok(refused(vec![problem]));
    }
    if !dry_run && !changes.is_empty() {
        commit(control, (present.as_deref(), &resolved.config), names, &changes, by).await?;
    }
    Ok(accepted(resolved, changes, dry_run))
}

/// Hashing passwords takes long on purpose: not on the threads that carry calls.
async fn resolve_apart(
    document: Document,
    present: Option<Arc<TenantConfig>>,
) -> Result<Result<Resolved, Vec<document::Problem>>, Error> {
    let work = move || {
        let tools = Tools { hash: &password::hash, generate: &password::generate };
        resolve(&document, present.as_deref(), tools)
    };
    let failed = |error| Error::Unavailable { what: "configuration".into(), why: format!("{error}") };
    tokio::task::spawn_blocking(work).await.map_err(failed)
}

/// Names first: a tenant without its names can't be reached, two tenants with one name must never be. The old ones go
/// last: should the change itself fail, the old configuration still has its names.
async fn commit(
    control: &Control,
    (present, config): (Option<&TenantConfig>, &TenantConfig),
    names: BTreeSet<membership::Name>,
    changes: &[Change],
    by: Option<control::Author>,
) -> Result<(), Error> {
    let tenant = config.id.to_string();
    let placed =
        direct(control.cluster(), membership::Command::PlaceTenant { tenant: tenant.clone() }).await?;
    let both = present.map(self::names).into_iter().flatten().chain(names.clone()).collect::<BTreeSet<_>>();
    let released = both != names;
    direct(control.cluster(), membership::Command::Claim { tenant: tenant.clone(), names: both }).await?;
    let epoch = match placed {
        membership::Reply::Placed { home } => home.epoch,
        _ => 0,
    };
    let (group, _) = control.home(config.id.as_str())?;
    let changes = changes.iter().map(audit).collect();
    let command =
        Command::ConfigureTenant { config: Arc::new(config.clone()), epoch, author: author(by), changes };
    settle(group.proposer.ask(command).await?)?;
    if released {
        direct(control.cluster(), membership::Command::Claim { tenant, names }).await?;
    }
    Ok(())
}

/// What is gone already, because an earlier deletion or creation was cut off half-way, is passed over.
async fn remove(
    control: &Control,
    tenant: &str,
    by: Option<control::Author>,
) -> Result<ConfigureReply, Error> {
    if control.is_moving(tenant) {
        return Err(moving::under_way(tenant));
    }
    let (group, tenant) = control.home(tenant)?;
    let command = Command::RemoveTenant { tenant: tenant.clone(), author: author(by) };
    match settle(group.proposer.ask(command).await?) {
        Ok(()) | Err(Error::NotFound { .. }) => {}
        Err(error) => return Err(error),
    }
    direct(control.cluster(), membership::Command::RemoveTenant { tenant: tenant.to_string() }).await?;
    let change =
        control::Change { object: format!("tenant/{tenant}"), action: "delete".into(), ..Default::default() };
    Ok(ConfigureReply { changes: vec![change], ..ConfigureReply::default() })
}

/// Commits a command of the directory.
pub(crate) async fn direct(
    cluster: &membership::Cluster,
    command: membership::Command,
) -> Result<membership::Reply, Error> {
    cluster.propose_directory(command).await.map_err(|error| match error {
        membership::Error::Refused(refusal) => Error::Refused { why: refusal.to_string() },
        other => Error::Unavailable { what: "the directory".into(), why: other.to_string() },
    })
}

/// Names that only one tenant in the cluster may have.
fn names(config: &TenantConfig) -> BTreeSet<membership::Name> {
    let name = |kind: &str, name: &str| membership::Name::new(kind, name);
    let numbers = config.numbers.keys().map(|number| name("number", number));
    let logins = config.employees.values().filter_map(|employee| employee.login.as_ref());
    let emails = logins.map(|login| name("email", &login.email.to_lowercase()));
    numbers.chain(emails).chain([name("domain", &config.domain)]).collect()
}

fn taken(
    control: &Control,
    tenant: &TenantId,
    names: &BTreeSet<membership::Name>,
) -> Option<document::Problem> {
    let directory = control.cluster().directory();
    let held = |name: &&membership::Name| {
        directory.tenant_of(&name.kind, &name.name).is_some_and(|holder| holder != tenant.as_str())
    };
    // Whose it is stays unsaid: tenants can't see each other.
    names.iter().find(held).map(|name| document::Problem {
        path: format!("{}s", name.kind),
        message: format!("{} `{}` belongs to another tenant of this cluster", name.kind, name.name),
    })
}

/// Since this protocol all nodes can read music of several pieces, announcements, steps that speak, what is said of SRTP,
/// rules and files of recording, and boxes for messages.
const MUSIC_SINCE: u32 = 6;

/// What older builds can't read is not written while there are such.
fn too_new(control: &Control, config: &TenantConfig) -> Option<document::Problem> {
    let is_read = !config.is_of_protocol_6() || control.cluster().directory().all_speak(MUSIC_SINCE);
    (!is_read).then(|| document::Problem {
        path: String::new(),
        message: "the company's own `music`, music of several pieces, `announce`, `say`, `srtp`, `agents_see_listeners`, \
                  `conferences`, `voicemail`, and `recording` of numbers, groups and employees, `recorded_as`, and of \
                  `recording` itself `on_demand`, `resume_after`, `keys`, `format` and mixed `channels` are not known to all \
                  nodes yet: upgrade them all first"
            .to_owned(),
    })
}

fn audit(change: &Change) -> AuditChange {
    AuditChange {
        object: change.object.clone(),
        action: change.action.to_string(),
        before: text(change.before.as_ref()),
        after: text(change.after.as_ref()),
    }
}

/// JSON, or nothing for what was not or is no more.
fn text(value: Option<&serde_json::Value>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

fn refused(problems: Vec<document::Problem>) -> ConfigureReply {
    let problem = |problem: document::Problem| Problem { path: problem.path, message: problem.message };
    ConfigureReply { problems: problems.into_iter().map(problem).collect(), ..ConfigureReply::default() }
}

fn accepted(resolved: Resolved, changes: Vec<Change>, dry_run: bool) -> ConfigureReply {
    let secrets = resolved.secrets.into_iter().filter(|_| !dry_run);
    let change = |change: Change| control::Change {
        object: change.object,
        action: change.action.to_string(),
        before: text(change.before.as_ref()),
        after: text(change.after.as_ref()),
    };
    ConfigureReply {
        version: resolved.config.version,
        changes: changes.into_iter().map(change).collect(),
        problems: Vec::new(),
        warnings: resolved.warnings,
        secrets: secrets.map(|s| GeneratedSecret { object: s.object, secret: s.secret }).collect(),
    }
}
