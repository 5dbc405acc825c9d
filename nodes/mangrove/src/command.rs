//! The commands that talk to a running node. Each prints its answer; a failure is the command's error.

mod apply;
mod backup;
mod call;
mod delete;
mod drain;
mod get;
mod leave;
mod loadtest;
mod monitor;
mod move_tenant;
mod nodes;
mod replace;
mod restore;
mod rewrap;
mod sounds;
mod status;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{arguments::Arguments, client::Client, configuration, https, token::Token};

pub(crate) use apply::apply;
pub(crate) use backup::backup;
pub(crate) use call::call;
pub(crate) use delete::delete;
pub(crate) use drain::{drain, end_drain};
pub(crate) use get::get;
pub(crate) use leave::leave;
pub(crate) use loadtest::loadtest;
pub(crate) use monitor::monitor;
pub(crate) use move_tenant::move_tenant;
pub(crate) use nodes::nodes;
pub(crate) use replace::replace;
pub(crate) use restore::restore;
pub(crate) use rewrap::rewrap;
pub(crate) use sounds::{download, upload};
pub(crate) use status::status;

/// What every command that asks a node has at hand.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) arguments: Arguments,
}

impl Session {
    pub(crate) fn open(arguments: Arguments) -> Result<Self> {
        let data_dir = configuration::read(arguments.config.as_deref())?.data_dir;
        let believed = match arguments.server.starts_with("https:") {
            true => https::believed(&data_dir, arguments.ca.as_deref())?,
            false => Vec::new(),
        };
        let client = Client::believing(&arguments.server, Token::find(&data_dir)?, believed)?;
        Ok(Self { client, arguments })
    }

    /// The ids of all tenants.
    async fn tenants(&self) -> Result<Vec<String>> {
        let list = self.client.get(&["tenants"]).await?;
        let ids = list.as_array().context("the list of tenants is no list")?;
        Ok(ids.iter().filter_map(|tenant| tenant["id"].as_str()).map(str::to_owned).collect())
    }

    /// The tenant that is meant: the named one, or the only one.
    async fn tenant(&self) -> Result<String> {
        if let Some(tenant) = &self.arguments.tenant {
            return Ok(tenant.clone());
        }
        match self.tenants().await?.as_slice() {
            [only] => Ok(only.clone()),
            [] => bail!("there is no tenant yet: create one with mangrove apply -f FILE"),
            several => {
                bail!("there are several tenants: name one with --tenant; there are {}", several.join(", "))
            }
        }
    }
}

/// Kinds of objects: (as in names, key of the document and of the API's paths, key of an object's name).
const KINDS: [(&str, &str, &str); 7] = [
    ("trunk", "trunks", "name"),
    ("number", "numbers", "number"),
    ("employee", "employees", "id"),
    ("group", "groups", "id"),
    ("scheme", "schemes", "name"),
    ("conference", "conferences", "name"),
    ("voicemail", "voicemail", "name"),
];

/// The kind's two keys; the plural is understood too.
fn kind(text: &str) -> Result<(&'static str, &'static str)> {
    let found = KINDS.iter().find(|(singular, plural, _)| text == *singular || text == *plural);
    let Some((_, plural, name)) = found else {
        let allowed: Vec<&str> = KINDS.iter().map(|(singular, _, _)| *singular).collect();
        bail!("`{text}` is no kind of object; allowed: {}", allowed.join(", "));
    };
    Ok((plural, name))
}

/// Whether an object of the document has this name, or this extension.
fn is_named(object: &Value, key: &str, id: &str) -> bool {
    object[key].as_str() == Some(id) || object["extension"].as_str() == Some(id)
}
