//! Passwords of configuration: hashed before they go into the log, generated where a document names none.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, SaltString},
};
use rand::{Rng, distr::Alphanumeric};

/// argon2id PHC string with a fresh salt.
pub(super) fn hash(password: &str) -> String {
    let bytes: [u8; 16] = rand::random();
    let salt = SaltString::encode_b64(&bytes);
    let hashed = salt.and_then(|salt| {
        Argon2::default().hash_password(password.as_bytes(), &salt).map(|hash| hash.to_string())
    });
    // An unusable hash lets nobody in, which is the safe reading of a failure that sixteen bytes of salt can't cause.
    hashed.unwrap_or_default()
}

/// A password for a person or a phone: 119 bits in letters and digits.
pub(super) fn generate() -> String {
    rand::rng().sample_iter(Alphanumeric).take(20).map(char::from).collect()
}
