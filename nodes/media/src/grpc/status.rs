//! Service errors as gRPC statuses and back.

use mangrove_proto::service::Error;
use tonic::{Code, Status};

pub(super) fn to_status(error: &Error) -> Status {
    let code = match error {
        Error::NoLeader { .. } | Error::Unavailable { .. } => Code::Unavailable,
        Error::NotFound { .. } => Code::NotFound,
        Error::Refused { .. } => Code::FailedPrecondition,
        Error::Conflict { .. } => Code::Aborted,
    };
    Status::new(code, error.to_string())
}

pub(super) fn from_status(status: &Status) -> Error {
    let why = status.message().to_owned();
    match status.code() {
        Code::FailedPrecondition | Code::InvalidArgument => Error::Refused { why },
        _ => Error::Unavailable { what: "the media node".to_owned(), why },
    }
}
