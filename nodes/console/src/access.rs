//! Who asks, and what they may: sessions, passwords, the tables of roles and routes.

mod authorize;
mod origin;
mod password;
mod person;
mod rights;
mod rules;
mod scope;
mod session;
mod throttle;

pub(crate) use authorize::{Access, authorize, is_operator};
pub(crate) use origin::guard;
pub use origin::is_of_own_page;
pub(crate) use password::Passwords;
pub use password::hash_password;
pub(crate) use person::{Person, Principal};
#[cfg(test)]
pub(crate) use rights::Role;
pub(crate) use rights::{Right, rights_of};
#[cfg(test)]
pub(crate) use rules::{Need, RULES};
pub(crate) use scope::{Agents, Scope};
pub(crate) use session::{Session, Sessions};
pub(crate) use throttle::Throttle;
