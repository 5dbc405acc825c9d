//! Sessions: signed tokens that any node can check. A token is void when its login's epoch has risen (password
//! changed, login withdrawn, logged out everywhere), and on this node when it was logged out.

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, header};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, get_current_timestamp};
use mangrove_proto::service::{self, Login};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// Seconds that a session lasts.
pub(crate) const LIFETIME: u64 = 12 * 60 * 60;
/// How long a login read from control may be used: withdrawals take effect within it.
const FRESH: Duration = Duration::from_secs(1);
const MOST: usize = 10_000;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The login's e-mail.
    pub sub: String,
    pub epoch: u64,
    /// Names this one session.
    pub jti: String,
    /// Unix seconds.
    pub exp: u64,
}

pub(crate) struct Sessions {
    sign: EncodingKey,
    check: DecodingKey,
    secure: bool,
    ended: Mutex<BTreeMap<String, u64>>,
    logins: Mutex<BTreeMap<String, (Instant, Option<Login>)>>,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

impl Sessions {
    pub(crate) fn new(key: [u8; 32], secure: bool) -> Self {
        Self {
            sign: EncodingKey::from_secret(&key),
            check: DecodingKey::from_secret(&key),
            secure,
            ended: Mutex::default(),
            logins: Mutex::default(),
        }
    }

    /// A new session and its token.
    pub(crate) fn begin(
        &self,
        email: &str,
        epoch: u64,
    ) -> Result<(Session, String), jsonwebtoken::errors::Error> {
        let jti = format!("{:032x}", rand::random::<u128>());
        let session = Session { sub: email.to_owned(), epoch, jti, exp: get_current_timestamp() + LIFETIME };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &session, &self.sign)?;
        Ok((session, token))
    }

    /// The session of a token that is ours, not expired and not logged out here.
    pub(crate) fn read(&self, token: &str) -> Option<Session> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        let session = jsonwebtoken::decode::<Session>(token, &self.check, &validation).ok()?.claims;
        (!self.ended.lock().contains_key(&session.jti)).then_some(session)
    }

    /// The login of a session, unless the session is void.
    pub(crate) async fn login(
        &self,
        session: &Session,
        control: &dyn service::Console,
    ) -> Result<Option<Login>, service::Error> {
        let login = self.known(&session.sub, control).await?;
        let ended = self.ended.lock().contains_key(&session.jti) || session.exp <= get_current_timestamp();
        Ok(login.filter(|login| login.epoch == session.epoch && !ended))
    }

    async fn known(
        &self,
        email: &str,
        control: &dyn service::Console,
    ) -> Result<Option<Login>, service::Error> {
        if let Some((at, login)) = self.logins.lock().get(email)
            && at.elapsed() < FRESH
        {
            return Ok(login.clone());
        }
        let login = control.login(email).await?;
        let mut logins = self.logins.lock();
        if logins.len() >= MOST {
            logins.clear();
        }
        logins.insert(email.to_owned(), (Instant::now(), login.clone()));
        Ok(login)
    }

    /// Logs this session out on this node.
    pub(crate) fn end(&self, session: &Session) {
        let mut ended = self.ended.lock();
        let now = get_current_timestamp();
        ended.retain(|_, until| *until > now);
        ended.insert(session.jti.clone(), session.exp);
    }

    /// Reads the login again at the next request.
    pub(crate) fn forget(&self, email: &str) {
        self.logins.lock().remove(email);
    }

    /// The `Set-Cookie` of a token; an empty one takes the cookie away.
    pub(crate) fn cookie(&self, token: &str) -> String {
        let age = if token.is_empty() { 0 } else { LIFETIME };
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{}={token}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}", self.name())
    }

    /// The token in the request's cookie.
    pub(crate) fn token<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.name()).map(|(_, token)| token)
    }

    /// With the prefix a browser takes the cookie from this very host over https only.
    fn name(&self) -> &'static str {
        if self.secure { "__Host-mangrove_session" } else { "mangrove_session" }
    }
}
