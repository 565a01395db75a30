//! Encryption with rustls: certificate and name of the server are verified, always.

use std::sync::Arc;

use powerfill_ports::StoreError;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::url::Tls;

/// What makes connections safe; `None` where the URL does not ask for it.
///
/// # Errors
/// [`StoreError::Failed`] where there are no certificates to trust.
pub(crate) fn connector(tls: &Tls) -> Result<Option<MakeRustlsConnect>, StoreError> {
    let mut roots = RootCertStore::empty();
    match tls {
        Tls::Off => return Ok(None),
        Tls::Native => {
            // A certificate of the machine that cannot be read is one that is not trusted.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(StoreError::Failed(
                    "this machine has no certificates to trust; name a file of them with sslrootcert=FILE"
                        .to_owned(),
                ));
            }
        }
        Tls::Roots(file) => {
            let unreadable = |fault: &dyn std::fmt::Display| {
                StoreError::Failed(format!("sslrootcert {}: {fault}", file.display()))
            };
            let certificates = CertificateDer::pem_file_iter(file)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|fault| unreadable(&fault))?;
            for certificate in certificates {
                roots.add(certificate).map_err(|fault| unreadable(&fault))?;
            }
            if roots.is_empty() {
                return Err(unreadable(&"it holds no certificate"));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|fault| StoreError::Failed(format!("TLS cannot be set up: {fault}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Some(MakeRustlsConnect::new(config)))
}
