//! S3, Amazon's or another server that speaks it. Files are created only where none is (`If-None-Match`), on which the
//! writers of one recording rely: a server that does not know that header can't be used.

use std::{path::Path, time::Duration};

use object_store::{
    BackoffConfig, ClientOptions, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut},
};

use crate::{Error, Settings};

/// One request, its repeats included: whoever asked tries again for as long as it takes, and says so.
const PATIENCE: Duration = Duration::from_secs(10);
const CONNECTS: Duration = Duration::from_secs(3);
/// A part of 8 MiB over a slow line.
const REQUEST: Duration = Duration::from_secs(25);

/// Bucket and prefix of a URL; None for other URLs.
pub(crate) fn split(url: &str) -> Option<(&str, &str)> {
    let place = url.strip_prefix("s3://")?;
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    (!bucket.is_empty()).then_some((bucket, prefix.trim_matches('/')))
}

pub(crate) fn open(settings: &Settings, bucket: &str) -> Result<AmazonS3, Error> {
    let mut builder = match &settings.credentials {
        // Nothing of another account's may mix with the file's.
        Some(file) => keys(file)?.fill(AmazonS3Builder::new()),
        None => AmazonS3Builder::from_env(),
    };
    if let Some(region) = &settings.region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    let backoff = BackoffConfig::default();
    let retry = RetryConfig { backoff, max_retries: 2, retry_timeout: PATIENCE };
    builder
        .with_bucket_name(bucket)
        .with_client_options(ClientOptions::new().with_connect_timeout(CONNECTS).with_timeout(REQUEST))
        .with_allow_http(settings.allow_http)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_retry(retry)
        .build()
        .map_err(|error| Error::S3(error.to_string()))
}

/// The keys of one account.
#[derive(Default)]
struct Keys {
    id: Option<String>,
    secret: Option<String>,
    token: Option<String>,
}

impl Keys {
    fn fill(self, builder: AmazonS3Builder) -> AmazonS3Builder {
        let builder = self.id.into_iter().fold(builder, AmazonS3Builder::with_access_key_id);
        let builder = self.secret.into_iter().fold(builder, AmazonS3Builder::with_secret_access_key);
        self.token.into_iter().fold(builder, AmazonS3Builder::with_token)
    }
}

fn keys(file: &Path) -> Result<Keys, Error> {
    let unreadable = |source| Error::File { file: file.to_owned(), source };
    let keys = parse(&std::fs::read_to_string(file).map_err(unreadable)?);
    if keys.id.is_none() || keys.secret.is_none() {
        return Err(Error::Credentials { file: file.to_owned() });
    }
    Ok(keys)
}

/// The profile `default` of a file as Amazon's tools keep it, or lines without any profile.
fn parse(text: &str) -> Keys {
    let (mut keys, mut is_ours) = (Keys::default(), true);
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            is_ours = line == "[default]";
        }
        let Some((name, value)) = line.split_once('=').filter(|_| is_ours) else { continue };
        let value = Some(value.trim().to_owned());
        match name.trim() {
            "aws_access_key_id" => keys.id = value,
            "aws_secret_access_key" => keys.secret = value,
            "aws_session_token" => keys.token = value,
            _ => {}
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_bucket_and_prefix() {
        for (url, wanted) in [
            ("s3://calls", Some(("calls", ""))),
            ("s3://calls/", Some(("calls", ""))),
            ("s3://calls/a/b/", Some(("calls", "a/b"))),
            ("s3:///a", None),
            ("gs://calls", None),
        ] {
            assert_eq!(split(url), wanted, "{url}");
        }
    }

    #[test]
    fn keys_are_those_of_the_default_profile() {
        let text = "# ours\n[other]\naws_access_key_id = x\n[default]\naws_access_key_id = id\n\
                    aws_secret_access_key=a=b\n[more]\naws_session_token = t\n";
        let keys = parse(text);
        assert_eq!(keys.id.as_deref(), Some("id"));
        assert_eq!(keys.secret.as_deref(), Some("a=b"));
        assert_eq!(keys.token, None);
        assert_eq!(parse("aws_access_key_id = id").id.as_deref(), Some("id"));
    }
}
