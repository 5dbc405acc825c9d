//! Passwords: argon2id with the library's parameters. Checking an unknown login costs as much as a known one.

use argon2::{
    Argon2, PasswordHash, PasswordHasher as _, PasswordVerifier as _,
    password_hash::{Error, SaltString},
};
use tokio::sync::Semaphore;

/// Hashes under way at once: each takes 19 MiB and tens of milliseconds of a core.
const AT_ONCE: usize = 2;

/// The hash of a password as a PHC string, with a salt of its own. Takes tens of milliseconds.
pub fn hash_password(password: &str) -> Result<String, Error> {
    let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>())?;
    Ok(Argon2::default().hash_password(password.as_bytes(), &salt)?.to_string())
}

/// Checks passwords, a few at a time.
#[derive(Debug)]
pub(crate) struct Passwords {
    turn: Semaphore,
    /// Checked for logins that don't exist. Nobody knows its password.
    stand_in: String,
}

impl Passwords {
    pub(crate) fn new() -> Result<Self, Error> {
        let nobody_knows = rand::random::<u128>().to_string();
        Ok(Self { turn: Semaphore::new(AT_ONCE), stand_in: hash_password(&nobody_knows)? })
    }

    /// Whether the password belongs to the hash; None is a login that doesn't exist.
    pub(crate) async fn check(&self, hash: Option<String>, password: String) -> bool {
        let Ok(_turn) = self.turn.acquire().await else { return false };
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.stand_in.clone());
        let checked = tokio::task::spawn_blocking(move || matches(&hash, &password)).await;
        checked.unwrap_or(false) && known
    }

    /// Hashes off the async threads.
    pub(crate) async fn hash(&self, password: String) -> Option<String> {
        let _turn = self.turn.acquire().await.ok()?;
        tokio::task::spawn_blocking(move || hash_password(&password)).await.ok()?.ok()
    }
}

fn matches(hash: &str, password: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}
