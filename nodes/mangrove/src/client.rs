//! The HTTP API as the commands use it: with the administrator's token, JSON both ways.

use std::time::Duration;

use reqwest::{Certificate, Method, StatusCode, Url};
use serde_json::Value;

use crate::token::Token;

/// A long answer may take this long.
const LONG: Duration = Duration::from_secs(3600);

/// Why there is no answer to work with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("`{0}` is no server; allowed: http://host:port or https://host:port")]
    Address(String),
    #[error(
        "nothing answers at {server}: {why}; is `mangrove serve` running there? --server names another one"
    )]
    Unreachable { server: String, why: String },
    #[error("the server does not accept the token from {0}")]
    Unauthorized(String),
    #[error("{message}")]
    Refused { status: StatusCode, message: String },
    #[error("the answer of {server} is no JSON: is it a mangrove?")]
    Unreadable { server: String },
}

impl Error {
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == StatusCode::NOT_FOUND)
    }

    /// Whether the same request may well succeed in a moment.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => *status == StatusCode::SERVICE_UNAVAILABLE,
            _ => false,
        }
    }
}

/// A connection to one node.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    token: Token,
}

/// A long answer on its way.
#[derive(Debug)]
pub(crate) struct Parts {
    response: reqwest::Response,
    server: String,
}

impl Client {
    pub(crate) fn new(server: &str, token: Token) -> Result<Self, Error> {
        Self::believing(server, token, Vec::new())
    }

    /// Over https believes these certificates and no others.
    pub(crate) fn believing(
        server: &str,
        token: Token,
        certificates: Vec<Certificate>,
    ) -> Result<Self, Error> {
        let wrong = || Error::Address(server.to_owned());
        let base = Url::parse(server).map_err(|_| wrong())?;
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            return Err(wrong());
        }
        let http = reqwest::Client::builder()
            .tls_certs_only(certificates)
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(60));
        let http = http
            .build()
            .map_err(|error| Error::Unreachable { server: server.to_owned(), why: error.to_string() })?;
        Ok(Self { http, base, token })
    }

    /// Reads `/api/v1/<path>`.
    pub(crate) async fn get(&self, path: &[&str]) -> Result<Value, Error> {
        self.send(Method::GET, self.url(path), None).await
    }

    /// As `get`, with a query.
    pub(crate) async fn get_with(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Value, Error> {
        let mut url = self.url(path);
        url.query_pairs_mut().extend_pairs(query);
        self.send(Method::GET, url, None).await
    }

    /// Reads what is no JSON (a recording) from `/api/v1/<path>`.
    pub(crate) async fn file(&self, path: &[&str]) -> Result<Vec<u8>, Error> {
        let request = self.http.get(self.url(path)).bearer_auth(self.token.secret());
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(Error::Refused { status, message: format!("the server answers {status}") });
        }
        Ok(response.bytes().await.map_err(|error| self.unreachable(&error))?.into())
    }

    /// Puts a file at `/api/v1/<path>`.
    pub(crate) async fn put_file(&self, path: &[&str], file: Vec<u8>) -> Result<Value, Error> {
        let request = self.http.put(self.url(path)).bearer_auth(self.token.secret()).timeout(LONG);
        let response = request.body(file).send().await.map_err(|error| self.unreachable(&error))?;
        self.answer(response).await
    }

    /// Reads what is long from `/api/v1/<path>`, part by part.
    pub(crate) async fn stream(&self, path: &[&str]) -> Result<Parts, Error> {
        let request = self.http.get(self.url(path)).bearer_auth(self.token.secret()).timeout(LONG);
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() {
            return Ok(Parts { response, server: self.base.to_string() });
        }
        self.answer(response).await.and(Err(Error::Unreadable { server: self.base.to_string() }))
    }

    /// Asks for what needs no body.
    pub(crate) async fn post(&self, path: &[&str]) -> Result<Value, Error> {
        self.send(Method::POST, self.url(path), None).await
    }

    /// Asks with a body.
    pub(crate) async fn post_with(&self, path: &[&str], body: &Value) -> Result<Value, Error> {
        self.send(Method::POST, self.url(path), Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &[&str]) -> Result<Value, Error> {
        self.delete_with(path, &[]).await
    }

    /// As `delete`, with a query.
    pub(crate) async fn delete_with(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Value, Error> {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.send(Method::DELETE, url, None).await
    }

    /// Sends a company's whole document. Problems with it are part of the answer.
    pub(crate) async fn configure(
        &self,
        tenant: &str,
        document: &Value,
        dry_run: bool,
    ) -> Result<Value, Error> {
        let mut url = self.url(&["tenants", tenant, "configuration"]);
        if dry_run {
            url.query_pairs_mut().append_pair("dry_run", "true");
        }
        self.send(Method::POST, url, Some(document)).await
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        url
    }

    async fn send(&self, method: Method, url: Url, body: Option<&Value>) -> Result<Value, Error> {
        let mut request = self.http.request(method, url).bearer_auth(self.token.secret());
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        self.answer(response).await
    }

    async fn answer(&self, response: reqwest::Response) -> Result<Value, Error> {
        let status = response.status();
        let text = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        let answer = serde_json::from_slice(&text);
        match (status, answer) {
            (StatusCode::UNAUTHORIZED, _) => Err(Error::Unauthorized(self.token.origin().to_owned())),
            (status, Ok(answer)) if status.is_success() || has_problems(&answer) => Ok(answer),
            (StatusCode::NO_CONTENT, _) => Ok(Value::Null),
            (status, Ok(answer)) if !status.is_success() => {
                Err(Error::Refused { status, message: message(&answer, status) })
            }
            (status, Err(_)) if !status.is_success() => {
                Err(Error::Refused { status, message: status.to_string() })
            }
            _ => Err(Error::Unreadable { server: self.base.to_string() }),
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Error {
        unreachable_at(self.base.as_str(), error)
    }
}

impl Parts {
    /// The next part; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let part = self.response.chunk().await;
        Ok(part.map_err(|error| unreachable_at(&self.server, &error))?.map(Into::into))
    }
}

fn unreachable_at(server: &str, error: &reqwest::Error) -> Error {
    let mut why: &dyn std::error::Error = error;
    while let Some(source) = why.source() {
        why = source;
    }
    Error::Unreachable { server: server.to_owned(), why: why.to_string() }
}

fn has_problems(answer: &Value) -> bool {
    answer["problems"].as_array().is_some_and(|problems| !problems.is_empty())
}

/// What the server says, with what to do.
fn message(answer: &Value, status: StatusCode) -> String {
    let text = |key: &str| answer[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    match (text("message"), text("action")) {
        (Some(message), Some(action)) => format!("{message}; {action}"),
        (Some(message), None) => message,
        _ => format!("the server answers {status}"),
    }
}
