//! Starts and stops the role: one listener for API, pages, probes and whatever routes the binary adds. It listens before
//! the node has anything to serve, so that whoever watches the process sees it alive; what it serves is exchanged then.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    serve::ListenerExt,
};
use mangrove_history::History;
use mangrove_proto::service;
use object_store::ObjectStore;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tower::ServiceExt;

use crate::{
    api,
    app::App,
    bare::{self, Trouble},
    demo::Demo,
    door::{Certificate, Door},
    headers, pages, probes,
    turn::Turn,
};

/// How long requests under way may take to end when the role stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// Why the role did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address can't be listened on.
    #[error("can't listen for http on {listen}, set another `http.listen`")]
    Listen {
        /// What was wanted.
        listen: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    /// The password hash that stands for unknown logins can't be made.
    #[error("password hashing does not work: {why}")]
    Password {
        /// What argon2 says.
        why: String,
    },
}

/// What the role needs to know.
#[derive(Clone)]
pub struct Options {
    /// Port 0 takes any free one.
    pub listen: SocketAddr,
    /// The node's data folder; its free space belongs to the node's health.
    pub data_dir: PathBuf,
    /// Lets the operator in as `Authorization: Bearer`. Empty: nobody.
    pub admin_token: String,
    /// The certificate with which the port speaks TLS; plain http without one.
    pub certificate: Option<Certificate>,
    /// Whether browsers reach us over https: cookies then never travel without it.
    pub secure_cookies: bool,
    /// Origins of pages that may write besides our own host, such as `https://desk.example`.
    pub allowed_origins: Vec<String>,
    /// What browsers of phones in pages may use.
    pub turn: Turn,
    /// Shown in the API document.
    pub version: String,
    /// Renders `/metrics`.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Further routes of the same port, such as SIP over WebSocket. They bring their own access rules.
    pub routes: Option<Router>,
    /// Set in a demo's nodes only: supervisors may kill and start nodes then.
    pub demo: Option<Arc<dyn Demo>>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("listen", &self.listen)
            .field("data_dir", &self.data_dir)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// Plain http, no metrics, no further routes.
    pub fn new(listen: SocketAddr, admin_token: String) -> Self {
        Self {
            listen,
            data_dir: PathBuf::from("data"),
            admin_token,
            certificate: None,
            secure_cookies: false,
            allowed_origins: Vec::new(),
            turn: Turn::default(),
            version: env!("CARGO_PKG_VERSION").into(),
            metrics: Arc::new(String::new),
            routes: None,
            demo: None,
        }
    }
}

/// The running role.
#[derive(Debug)]
pub struct Console {
    /// Where it listens.
    pub addr: SocketAddr,
    options: Options,
    routes: watch::Sender<Router>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl Console {
    /// Listens until `shutdown`. The node is alive and not ready, for the reason `why`; whoever asks for anything else is
    /// told to come again.
    pub async fn open(options: Options, why: &str) -> Result<Self, Error> {
        let listen = options.listen;
        let failed = |source| Error::Listen { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let (stop, stopping) = watch::channel(false);
        let (routes, served) = watch::channel(bare::starting(&options, why));
        let server = tokio::spawn(serve(listener, options.certificate.clone(), served, stopping));
        tracing::info!(%addr, tls = options.certificate.is_some(), "http listens");
        Ok(Self { addr, options, routes, stop, server })
    }

    /// Whether it speaks TLS.
    pub fn speaks_tls(&self) -> bool {
        self.options.certificate.is_some()
    }

    /// The node is still not ready, for another reason.
    pub fn wait(&self, why: &str) {
        self.serve(bare::starting(&self.options, why));
    }

    /// Further routes of the same port, as in the options, from the next `serve_…` on.
    pub fn add_routes(&mut self, routes: Router) {
        self.options.routes = Some(routes);
    }

    /// From now on serves `/healthz`, `/readyz`, `/metrics`, and what was added.
    pub fn serve_probes(&self, trouble: Trouble) {
        self.serve(bare::running(&self.options, trouble));
    }

    /// From now on serves everything.
    pub fn serve_pages(
        &self,
        control: Arc<dyn service::Console>,
        history: History,
        objects: Arc<dyn ObjectStore>,
    ) -> Result<(), Error> {
        let further = self.options.routes.clone();
        let app = App::new(self.options.clone(), control, history, objects, self.stop.subscribe())?;
        self.serve(router(app, further));
        Ok(())
    }

    fn serve(&self, router: Router) {
        self.routes.send_modify(|routes| *routes = router);
    }

    /// Stops listening, ends event streams, and gives the other requests a moment to end.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if tokio::time::timeout(FAREWELL, &mut self.server).await.is_err() {
            self.server.abort();
        }
    }
}

fn router(app: Arc<App>, further: Option<Router>) -> Router {
    let own = api::router(app.clone())
        .merge(probes::router())
        .merge(pages::router())
        .layer(axum::middleware::from_fn_with_state(app.clone(), headers::add))
        .with_state(app);
    bare::with(own, further)
}

async fn serve(
    listener: TcpListener,
    certificate: Option<Certificate>,
    routes: watch::Receiver<Router>,
    mut stopping: watch::Receiver<bool>,
) {
    let current = Router::new().fallback(pass).with_state(routes);
    let service = current.into_make_service_with_connect_info::<SocketAddr>();
    let stopped = async move {
        // An error means that the console was dropped: stop as well.
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    let ended = match certificate {
        None => axum::serve(listener, service).with_graceful_shutdown(stopped).await,
        Some(certificate) => {
            // Who asks is known by address through axum's own wrapper alone.
            let door = Door::new(listener, certificate).tap_io(|_| {});
            axum::serve(door, service).with_graceful_shutdown(stopped).await
        }
    };
    if let Err(error) = ended {
        tracing::error!(%error, "http server ended");
    }
}

/// To what is served at this moment.
async fn pass(State(routes): State<watch::Receiver<Router>>, request: Request) -> Response {
    let router = routes.borrow().clone();
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
