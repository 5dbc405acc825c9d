//! Service errors as gRPC statuses and back: the error itself travels in the status's details.

use tonic::{Code, Status};

use super::Error;

impl From<&Error> for Status {
    fn from(error: &Error) -> Self {
        let code = match error {
            Error::NoLeader { .. } | Error::Unavailable { .. } => Code::Unavailable,
            Error::NotFound { .. } => Code::NotFound,
            Error::Refused { .. } => Code::FailedPrecondition,
            Error::Conflict { .. } => Code::Aborted,
        };
        let details = serde_json::to_vec(error).unwrap_or_default();
        Self::with_details(code, error.to_string(), details.into())
    }
}

impl Error {
    /// What another node's service answered; `what` names it where the answer is the transport's own.
    pub fn from_status(status: &Status, what: &str) -> Self {
        serde_json::from_slice(status.details())
            .unwrap_or_else(|_| Self::Unavailable { what: what.to_owned(), why: status.message().to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_comes_back_as_it_was() {
        let what = String::from("call");
        let errors = [
            Error::NoLeader { group: 3 },
            Error::NotFound { what: what.clone() },
            Error::Refused { why: "no".into() },
            Error::Conflict { what: what.clone() },
            Error::Unavailable { what, why: "it stops".into() },
        ];
        for error in errors {
            assert_eq!(Error::from_status(&Status::from(&error), "node b"), error);
        }
    }

    #[test]
    fn what_the_transport_says_is_worth_another_try() {
        let error = Error::from_status(&Status::unavailable("connection refused"), "node b");
        assert_eq!(error.to_string(), "node b is not available: connection refused");
        assert!(error.is_retryable());
    }
}
