//! gRPC services of a node that may be in a bad mood: what another node asks fails, or hangs. Each counts its calls.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use mangrove_proto::service::Error;
use parking_lot::Mutex;
use tonic::{
    Status,
    body::Body,
    codegen::{BoxFuture, Service, http},
    server::NamedService,
};

/// What becomes of a call that another node makes.
#[derive(Debug, Clone, Default)]
pub(crate) enum Mood {
    #[default]
    Well,
    Fails(Error),
    /// No answer comes, ever.
    Hangs,
}

/// The mood of one service of a node, and how often it was called. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moods(Arc<Mutex<(Mood, usize)>>);

impl Moods {
    pub(crate) fn set(&self, mood: Mood) {
        self.0.lock().0 = mood;
    }

    pub(crate) fn asked(&self) -> usize {
        self.0.lock().1
    }

    /// The service, in these moods.
    pub(crate) fn of<S>(&self, inner: S) -> Moody<S> {
        Moody { inner, moods: self.clone() }
    }

    fn called(&self) -> Mood {
        let mut inner = self.0.lock();
        inner.1 += 1;
        inner.0.clone()
    }
}

/// A service with moods.
#[derive(Debug, Clone)]
pub(crate) struct Moody<S> {
    inner: S,
    moods: Moods,
}

impl<S: NamedService> NamedService for Moody<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<http::Request<Body>> for Moody<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let (mut inner, mood) = (self.inner.clone(), self.moods.called());
        Box::pin(async move {
            match mood {
                Mood::Well => inner.call(request).await,
                Mood::Fails(error) => Ok(Status::from(&error).into_http()),
                Mood::Hangs => std::future::pending().await,
            }
        })
    }
}
