//! A statement in the making: text with numbered placeholders, which SQLite and PostgreSQL both understand, and
//! the values that belong to them. Texts that come from outside only ever become values.

use std::time::Duration;

use sqlx::{
    Any, AssertSqlSafe,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use crate::Error;

/// No statement is waited for longer.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Sql {
    text: String,
    values: Vec<Value>,
}

/// A bound value.
#[derive(Debug)]
pub(crate) enum Value {
    Text(Option<String>),
    Number(i64),
}

impl Sql {
    pub(crate) fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Adds a piece of our own text.
    pub(crate) fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a placeholder and its value.
    pub(crate) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.text.push('$');
        self.text.push_str(&self.values.len().to_string());
        self
    }

    /// Adds placeholders with commas between.
    pub(crate) fn bind_all<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self {
        for (place, value) in values.into_iter().enumerate() {
            if place > 0 {
                self.push(", ");
            }
            self.bind(value);
        }
        self
    }

    /// Adds a condition that `column` contains `part`, whatever the case of its letters.
    pub(crate) fn contains(&mut self, column: &'static str, part: &str) -> &mut Self {
        self.push("LOWER(").push(column).push(") LIKE ");
        self.bind(format!("%{}%", escape(&part.to_lowercase())));
        self.push(" ESCAPE '\\'")
    }

    pub(crate) fn query(self) -> Query<'static, Any, AnyArguments> {
        let query = sqlx::query(AssertSqlSafe(self.text));
        self.values.into_iter().fold(query, |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
        })
    }

    /// All rows that the statement answers with.
    pub(crate) async fn rows(self, pool: &sqlx::AnyPool, what: &'static str) -> Result<Vec<AnyRow>, Error> {
        bounded(what, self.query().fetch_all(pool)).await
    }
}

/// Waits for the database, but not for ever.
pub(crate) async fn bounded<T>(
    what: &'static str,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done.map_err(|source| Error::Unavailable { what, source }),
        Err(_) => Err(Error::Slow { what, seconds: PATIENCE.as_secs() }),
    }
}

/// Takes the meaning from what LIKE would read as a pattern.
fn escape(part: &str) -> String {
    part.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        // PostgreSQL refuses NUL inside texts, and far ends do send it.
        Self::Text(text.map(|text| if text.contains('\0') { text.replace('\0', "") } else { text }))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Some(text).into()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}
