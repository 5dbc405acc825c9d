//! Answers on the standard output: text for people, JSON for programs.

use std::io::{self, Write};

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use crate::{arguments::Format, company, configuration};

/// Prints `answer` whole as JSON, or what `text` makes of it.
pub(crate) fn show(format: Format, answer: &Value, text: impl FnOnce() -> String) -> Result<()> {
    let out = match format {
        Format::Json => format!("{answer:#}\n"),
        Format::Text => text(),
    };
    match io::stdout().write_all(out.as_bytes()) {
        // The reader has seen enough: `mangrove get | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}

/// Reports a failure: on the standard error as text, with `-o json` as an object on the standard output too, which has
/// each mistake of a bad file as an object of its own.
pub(crate) fn fail(format: Format, error: &anyhow::Error) {
    let text = chain(error);
    if format == Format::Json {
        let answer = serde_json::json!({ "error": text, "mistakes": mistakes(error) });
        // Nothing is left to be done where even this can't be written.
        let _unwritable = writeln!(io::stdout(), "{answer:#}");
    }
    let _unwritable = writeln!(io::stderr(), "error: {text}");
}

/// The mistakes of the file that the failure is about; empty where it is about something else.
fn mistakes(error: &anyhow::Error) -> Value {
    let company = error.downcast_ref::<company::Error>().and_then(company::Error::mistakes).map(json_list);
    let own =
        error.downcast_ref::<configuration::Error>().and_then(configuration::Error::mistakes).map(json_list);
    company.or(own).unwrap_or_else(|| Value::Array(Vec::new()))
}

fn json_list<T: Serialize>(list: &[T]) -> Value {
    serde_json::to_value(list).unwrap_or_default()
}

/// The failure with its causes; a cause that is part of the sentence before it is not told twice.
fn chain(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |text, cause| match text.as_str() {
        "" => cause,
        told if told.contains(&cause) => text,
        _ => format!("{text}: {cause}"),
    })
}

/// The answer in the format of the companies' files.
pub(crate) fn yaml(answer: &impl Serialize) -> String {
    serde_saphyr::to_string(answer)
        .unwrap_or_else(|error| format!("the answer can't be shown as text: {error}\n"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{chain, company, configuration, mistakes};

    #[test]
    fn causes_are_told_once() {
        let error =
            anyhow::anyhow!("address in use").context("can't listen: address in use").context("no edge");
        assert_eq!(chain(&error), "no edge: can't listen: address in use");
    }

    #[test]
    fn each_mistake_of_a_file_is_an_object_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let toml = folder.path().join("mangrove.toml");
        std::fs::write(&toml, "node = \"a\"\n[sip]\nupd = \"127.0.0.1:1\"\n").unwrap();
        let error = anyhow::Error::from(configuration::read(Some(&toml)).unwrap_err());
        let list = mistakes(&error);
        assert_eq!(list[0]["key"], "sip.upd", "{list:#}");
        assert_eq!((&list[0]["line"], &list[0]["file"]), (&3.into(), &toml.display().to_string().into()));

        let yaml = folder.path().join("acme.yaml");
        std::fs::write(&yaml, "format: 1\ntenant: acme\nname: 7\ncolour: red\n").unwrap();
        let list = mistakes(&anyhow::Error::from(company::read(&yaml).unwrap_err()));
        assert!(list[0]["line"].is_u64() && list[0]["message"].is_string(), "{list:#}");
        assert_eq!(mistakes(&anyhow::anyhow!("no server")), serde_json::json!([]));
    }
}
