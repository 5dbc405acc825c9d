//! What can be wrong with a store, its keys, or a sealed object.

use std::path::PathBuf;

/// Why something can't be opened, sealed or read. Never says a key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("this names no object store; allowed: file:PATH, s3://BUCKET or s3://BUCKET/PREFIX")]
    Url,
    #[error("the folder {} can't be used: {source}", folder.display())]
    Folder { folder: PathBuf, source: std::io::Error },
    #[error("S3 can't be used as it is configured: {0}")]
    S3(String),
    #[error("{} can't be read: {source}", file.display())]
    File { file: PathBuf, source: std::io::Error },
    #[error(
        "{} holds no keys of S3; it needs the lines aws_access_key_id = ... and aws_secret_access_key = ...",
        file.display()
    )]
    Credentials { file: PathBuf },
    /// Line from 1; 0 where there is none.
    #[error("line {line}: {what}; a line is an id and 32 bytes in Base64, the last line's key seals")]
    Masters { line: usize, what: &'static str },
    #[error(
        "it is sealed under master key `{master}`, which this node does not have: add that key to the file of objects.keys"
    )]
    NoMaster { master: String },
    #[error("its key {key} is not in the object store: it can't be opened any more")]
    NoKey { key: String },
    #[error("its key {key} is damaged, or was made for another recording")]
    DamagedKey { key: String },
    #[error("{what} is damaged: it was changed, cut off or put in another's place")]
    Damaged { what: String },
    #[error("the cryptographic library refuses to work")]
    Crypto,
}

impl From<aws_lc_rs::error::Unspecified> for Error {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Crypto
    }
}

/// As the error of a store. `path` is what was asked for.
pub(crate) fn refused(path: &object_store::path::Path, error: Error) -> object_store::Error {
    match error {
        error @ Error::NoMaster { .. } => {
            object_store::Error::PermissionDenied { path: path.to_string(), source: Box::new(error) }
        }
        error => object_store::Error::Generic { store: "sealed", source: Box::new(error) },
    }
}

/// What of sealing is behind an error of a store, if it is that.
pub fn of_sealing(error: &object_store::Error) -> Option<&Error> {
    match error {
        object_store::Error::PermissionDenied { source, .. }
        | object_store::Error::Generic { source, .. } => source.downcast_ref(),
        _ => None,
    }
}

/// Without what the store says of credentials: its answers repeat parts of the request.
pub(crate) fn discreet(error: object_store::Error) -> object_store::Error {
    let unknown = "the object store refuses this node: its credentials are wrong, or lack a right";
    match error {
        object_store::Error::PermissionDenied { path, source } if !source.is::<Error>() => {
            object_store::Error::PermissionDenied { path, source: unknown.into() }
        }
        object_store::Error::Unauthenticated { path, .. } => {
            object_store::Error::Unauthenticated { path, source: unknown.into() }
        }
        object_store::Error::Generic { store, source } if !source.is::<Error>() => {
            let said = refusal(&source.to_string());
            object_store::Error::Generic { store, source: said.map_or(source, Into::into) }
        }
        other => other,
    }
}

/// Of an error's text that holds an answer of S3 only what that says is wrong.
fn refusal(text: &str) -> Option<String> {
    let (_, answer) = text.split_once("<Error")?;
    let code = answer.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    let code =
        code.map(|(code, _)| code).filter(|code| code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    Some(format!("the object store refuses what this node asks: {}", code.unwrap_or("it does not say why")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_s3_answers_only_its_code_is_told() {
        let refuses = "the object store refuses what this node asks: ";
        for (text, told) in [
            (
                "400: <Error><Code>AuthorizationHeaderMalformed</Code><X>secret</X></Error>",
                "AuthorizationHeaderMalformed",
            ),
            ("403: <Error xmlns=\"x\"><Code>a secret</Code></Error>", "it does not say why"),
            ("<Error>secret", "it does not say why"),
        ] {
            let error = object_store::Error::Generic { store: "S3", source: text.into() };
            let said = discreet(error).to_string();
            assert!(said.ends_with(&format!("{refuses}{told}")) && !said.contains("secret"), "{said}");
        }
        let error = object_store::Error::Generic { store: "S3", source: "connection refused".into() };
        assert!(discreet(error).to_string().contains("connection refused"));
        let error = object_store::Error::Generic { store: "sealed", source: Box::new(Error::Crypto) };
        assert!(of_sealing(&discreet(error)).is_some());
    }
}
