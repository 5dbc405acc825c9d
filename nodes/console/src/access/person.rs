//! Who asks.

use mangrove_proto::service::Login;

use super::Session;

/// A known asker.
#[derive(Debug, Clone)]
pub(crate) enum Principal {
    /// Holds the administrator's token: runs the machines, sees every tenant.
    Operator,
    /// A person with a login.
    Person(Box<Person>),
}

#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub email: String,
    /// As control knows it now, not as it was when the token was made.
    pub login: Login,
    pub session: Session,
}

impl Principal {
    /// The name for the audit log.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Operator => "operator",
            Self::Person(person) => &person.email,
        }
    }

    pub(crate) fn person(&self) -> Option<&Person> {
        match self {
            Self::Operator => None,
            Self::Person(person) => Some(person),
        }
    }
}
