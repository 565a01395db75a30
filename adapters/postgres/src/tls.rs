//! Encryption with rustls. The certificate and the name of the server are always verified.

use std::sync::Arc;

use powerfill_ports::{StoreError, StoreFault, StoreResult};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::url::TlsMode;

/// The connector for encrypted connections. `None` if the URL does not ask for encryption.
///
/// # Errors
/// [`StoreError::Failed`] if there are no certificates to trust.
pub(crate) fn connector(tls: &TlsMode) -> StoreResult<Option<MakeRustlsConnect>> {
    let mut roots = RootCertStore::empty();
    match tls {
        TlsMode::Off => return Ok(None),
        TlsMode::SystemRoots => {
            // A certificate of the system that cannot be read is not trusted.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(StoreError::Failed(
                    "this machine has no certificates to trust; name a file of certificates with \
                     sslrootcert=FILE"
                        .into(),
                ));
            }
        }
        TlsMode::RootsFile(file) => {
            let unreadable = |fault: StoreFault| {
                StoreError::Failed(fault.context(format!("sslrootcert {}", file.display())))
            };
            let certificates = CertificateDer::pem_file_iter(file)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| unreadable(StoreFault::caused_by(error)))?;
            for certificate in certificates {
                roots.add(certificate).map_err(|error| unreadable(StoreFault::caused_by(error)))?;
            }
            if roots.is_empty() {
                return Err(unreadable("it contains no certificate".into()));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| {
            StoreError::Failed(StoreFault::caused_by(error).context("TLS cannot be set up"))
        })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Some(MakeRustlsConnect::new(config)))
}
