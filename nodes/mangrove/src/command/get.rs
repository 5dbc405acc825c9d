//! `mangrove get [KIND[/ID]]`: the configuration without secrets, in the format of `apply`.

use anyhow::{Result, bail};
use mangrove_domain::config::document::Document;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Session, is_named, kind};
use crate::output;

/// Shows the whole document, the objects of a kind, or one object.
pub(crate) async fn get(session: &Session, object: Option<&str>) -> Result<()> {
    let answer = match object {
        Some("tenant" | "tenants") => session.client.get(&["tenants"]).await?,
        Some("sound" | "sounds") => {
            session.client.get(&["tenants", &session.tenant().await?, "sounds"]).await?
        }
        _ => {
            pick(session.client.get(&["tenants", &session.tenant().await?, "configuration"]).await?, object)?
        }
    };
    output::show(session.arguments.output, &answer, || text(&answer))
}

/// A whole document in the order of its format, anything else as it comes.
fn text(answer: &Value) -> String {
    Document::deserialize(answer).map_or_else(|_| output::yaml(answer), |document| output::yaml(&document))
}

fn pick(mut document: Value, object: Option<&str>) -> Result<Value> {
    let Some(object) = object else { return Ok(document) };
    let (kind_name, id) = object.split_once('/').map_or((object, None), |(kind, id)| (kind, Some(id)));
    let (list, name) = kind(kind_name)?;
    let list = document.get_mut(list).map(Value::take).unwrap_or(json!([]));
    let Some(id) = id else { return Ok(list) };
    match list.as_array().and_then(|objects| objects.iter().find(|object| is_named(object, name, id))) {
        Some(found) => Ok(found.clone()),
        None => bail!("there is no {object}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_found_by_id_or_extension() {
        let document =
            || json!({"employees": [{"extension": "101", "id": "anna"}, {"extension": "102"}], "version": 3});
        assert_eq!(pick(document(), None).unwrap(), document());
        assert_eq!(pick(document(), Some("employees")).unwrap(), document()["employees"]);
        for name in ["employee/anna", "employee/101", "employees/101"] {
            assert_eq!(pick(document(), Some(name)).unwrap()["id"], "anna", "{name}");
        }
        assert_eq!(pick(document(), Some("employee/102")).unwrap()["extension"], "102");
        assert_eq!(pick(document(), Some("group")).unwrap(), json!([]));
        assert!(
            pick(document(), Some("employee/boris")).unwrap_err().to_string().contains("no employee/boris")
        );
        assert!(
            pick(document(), Some("queue/200")).unwrap_err().to_string().contains("allowed: trunk, number")
        );
    }
}
