//! Why a handshake failed, in words that tell an operator which of the two sides to look at.

use std::io;

use rustls::{AlertDescription, CertificateError, Error};

/// Of a failed handshake, from the side that saw it.
pub(super) fn of(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::AlertReceived(alert)) => of_alert(*alert),
        Some(Error::NoCertificatesPresented) => "it shows no certificate".to_owned(),
        Some(Error::InvalidMessage(_)) => "it does not speak TLS".to_owned(),
        Some(other) => of_certificate(other),
        None => error.to_string(),
    }
}

/// Of a certificate that was not believed.
pub(super) fn of_certificate(error: &Error) -> String {
    let Error::InvalidCertificate(certificate) = error else { return error.to_string() };
    match certificate {
        // Another authority of the same name gives a bad signature.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is not of this cluster's authority".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not good yet: compare the clocks".to_owned()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "its certificate is not for both sides of a connection".to_owned()
        }
        CertificateError::Other(other) => format!("its certificate is no node's: {}", other.0),
        other => format!("its certificate is not good: {other}"),
    }
}

/// Of what the other side said; it knows better, and says more in its own log.
fn of_alert(alert: AlertDescription) -> String {
    let meant = match alert {
        AlertDescription::UnknownCA | AlertDescription::DecryptError => {
            "our certificate is not of its cluster's authority"
        }
        AlertDescription::CertificateExpired => "our certificate has expired, or its clock is wrong",
        AlertDescription::CertificateRequired => "we showed no certificate",
        AlertDescription::BadCertificate => "our certificate is not for the address it called",
        AlertDescription::CertificateUnknown => "our certificate is no node's",
        _ => return format!("the other side ended the handshake: {alert:?}"),
    };
    format!("the other side says: {meant}")
}

#[cfg(test)]
mod tests {
    use rustls::InvalidMessage;

    use super::*;

    fn failed(error: Error) -> String {
        of(&io::Error::new(io::ErrorKind::InvalidData, error))
    }

    #[test]
    fn each_failure_names_the_side_to_look_at() {
        for (error, part) in [
            (Error::NoCertificatesPresented, "it shows no certificate"),
            (Error::InvalidMessage(InvalidMessage::InvalidContentType), "does not speak TLS"),
            (CertificateError::UnknownIssuer.into(), "its certificate is not of this cluster"),
            (CertificateError::BadSignature.into(), "its certificate is not of this cluster"),
            (CertificateError::Expired.into(), "its certificate has expired"),
            (CertificateError::NotValidYet.into(), "compare the clocks"),
            (CertificateError::InvalidPurpose.into(), "not for both sides"),
            (Error::AlertReceived(AlertDescription::UnknownCA), "our certificate is not of its"),
            (Error::AlertReceived(AlertDescription::CertificateExpired), "our certificate has expired"),
            (Error::AlertReceived(AlertDescription::CertificateRequired), "we showed no certificate"),
            (Error::AlertReceived(AlertDescription::BadCertificate), "not for the address"),
            (Error::AlertReceived(AlertDescription::InternalError), "InternalError"),
        ] {
            assert!(failed(error.clone()).contains(part), "{error:?}: {}", failed(error.clone()));
        }
        assert_eq!(of(&io::Error::other("gone")), "gone");
    }
}
