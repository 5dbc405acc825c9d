//! What every request may use.

use std::sync::Arc;

use mangrove_history::History;
use mangrove_proto::service;
use object_store::ObjectStore;
use tokio::sync::watch;

use crate::{
    access::{Passwords, Sessions, Throttle},
    console::{Error, Options},
};

#[derive(Debug)]
pub(crate) struct App {
    pub options: Options,
    pub control: Arc<dyn service::Console>,
    pub history: History,
    pub objects: Arc<dyn ObjectStore>,
    pub sessions: Sessions,
    pub passwords: Passwords,
    pub throttle: Throttle,
    /// Turns true when the role stops: event streams end then.
    pub stopping: watch::Receiver<bool>,
}

impl App {
    pub(crate) fn new(
        options: Options,
        control: Arc<dyn service::Console>,
        history: History,
        objects: Arc<dyn ObjectStore>,
        stopping: watch::Receiver<bool>,
    ) -> Result<Arc<Self>, Error> {
        let passwords = Passwords::new().map_err(|e| Error::Password { why: e.to_string() })?;
        let sessions = Sessions::new(control.token_key(), options.secure_cookies);
        let throttle = Throttle::default();
        Ok(Arc::new(Self { options, control, history, objects, sessions, passwords, throttle, stopping }))
    }
}
