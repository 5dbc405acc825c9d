//! A company's file: YAML to a document, its passwords filled in, and every mistake with its line. Nothing is sent
//! from here.

mod locate;
mod secrets;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use mangrove_domain::config::{
    document::{Document, Problem},
    validate::validate,
};
use serde::{Deserialize, Serialize};
use serde_saphyr::{MessageFormatter, UserMessageFormatter};

pub(crate) use locate::{Place, Places};

/// Why a file can't be applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("can't read {}: {source}", file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    /// One mistake a line; nothing was sent.
    #[error("{}\nnothing was changed", lines(.0))]
    Wrong(Vec<Mistake>),
}

impl Error {
    /// What is wrong in the file, if it could be read at all.
    pub(crate) fn mistakes(&self) -> Option<&[Mistake]> {
        match self {
            Self::Wrong(mistakes) => Some(mistakes),
            Self::Unreadable { .. } => None,
        }
    }
}

/// A problem and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Mistake {
    pub(crate) file: String,
    #[serde(flatten)]
    pub(crate) place: Option<Place>,
    pub(crate) path: String,
    pub(crate) message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(place) = self.place {
            write!(f, ":{}:{}", place.line, place.column)?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.message)
    }
}

fn lines(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(Mistake::to_string).collect::<Vec<_>>().join("\n")
}

/// A file that can be applied.
#[derive(Debug)]
pub(crate) struct Company {
    pub(crate) document: Document,
    /// About passwords that stand in the file.
    pub(crate) warnings: Vec<String>,
    source: Source,
}

impl Company {
    /// Problems that the server found, with their lines.
    pub(crate) fn mistakes(&self, problems: Vec<Problem>) -> Error {
        Error::Wrong(self.source.mistakes(problems))
    }
}

/// The text and its name in messages.
#[derive(Debug)]
struct Source {
    name: String,
    places: Places,
}

impl Source {
    fn mistakes(&self, problems: Vec<Problem>) -> Vec<Mistake> {
        problems.into_iter().map(|problem| self.mistake(problem, None)).collect()
    }

    fn mistake(&self, problem: Problem, place: Option<Place>) -> Mistake {
        let place = self.places.exactly(&problem.path).or(place).or_else(|| self.places.of(&problem.path));
        Mistake { file: self.name.clone(), place, path: problem.path, message: problem.message }
    }
}

/// Reads and checks `file`; `-` is the standard input.
pub(crate) fn read(file: &Path) -> Result<Company, Error> {
    let text =
        if file == Path::new("-") { io::read_to_string(io::stdin()) } else { std::fs::read_to_string(file) };
    let text = text.map_err(|source| Error::Unreadable { file: file.to_owned(), source })?;
    check(&text, file)
}

/// Checks `text`, which came from `file`: `{file: PATH}` is taken from beside it.
fn check(text: &str, file: &Path) -> Result<Company, Error> {
    let source = Source { name: file.display().to_string(), places: Places::read(text) };
    let mut document =
        parse(text).map_err(|(problem, place)| Error::Wrong(vec![source.mistake(problem, place)]))?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let plain = secrets::plain(&mut document);
    let mut problems = secrets::fill(&mut document, folder);
    problems.extend(validate(&document));
    if !problems.is_empty() {
        return Err(Error::Wrong(source.mistakes(problems)));
    }
    let warnings = warning(&plain, &source).into_iter().collect();
    Ok(Company { document, warnings, source })
}

fn warning(plain: &[String], source: &Source) -> Option<String> {
    let lines: Vec<String> =
        plain.iter().filter_map(|path| Some(source.places.of(path)?.line.to_string())).collect();
    (!plain.is_empty()).then(|| {
        let (count, name, lines) = (plain.len(), &source.name, lines.join(", "));
        format!("{count} passwords stand in {name} as plain text (lines {lines}); use {{env: NAME}}, {{file: PATH}} or leave them out")
    })
}

/// The place is the reader's, for texts that have no path there.
fn parse(text: &str) -> Result<Document, (Problem, Option<Place>)> {
    let mut track = serde_path_to_error::Track::new();
    let parsed = serde_saphyr::with_deserializer_from_str(text, |reader| {
        Document::deserialize(serde_path_to_error::Deserializer::new(reader, &mut track))
    });
    parsed.map_err(|error| {
        let place = error.location().map(Place::from);
        let path = track.path().to_string();
        let message = UserMessageFormatter.format_message(error.without_snippet()).escape_debug().to_string();
        let message = message.replace("\\'", "'").replace("\\\"", "\"").replace("\\n", " ");
        (Problem { path: Some(path).filter(|path| path != ".").unwrap_or_default(), message }, place)
    })
}
