//! Answers on the standard output: text for people, JSON for programs.

use std::io::{self, Write};

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use crate::arguments::Format;

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

/// Reports a failure: on the standard error as text, with `-o json` as an object on the standard output too.
pub(crate) fn fail(format: Format, error: &anyhow::Error) {
    let text = chain(error);
    if format == Format::Json {
        let answer = serde_json::json!({ "error": text });
        // Nothing is left to be done where even this can't be written.
        let _unwritable = writeln!(io::stdout(), "{answer:#}");
    }
    let _unwritable = writeln!(io::stderr(), "error: {text}");
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
mod tests {
    use super::chain;

    #[test]
    fn causes_are_told_once() {
        let error =
            anyhow::anyhow!("address in use").context("can't listen: address in use").context("no edge");
        assert_eq!(chain(&error), "no edge: can't listen: address in use");
    }
}
