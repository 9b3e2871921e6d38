//! TLS to the server: what is verified, and with which certificates.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use innkeeper_contracts::pod::{CERTIFICATE_FILE, KEY_FILE};
use innkeeper_contracts::settings::{Tls, TlsMode};
use innkeeper_kit::transport::Transport;
use jiff::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use crate::OpenError;

const CA_REMEDY: &str =
    "the Secret of the certificate authority must have its certificates there, in PEM";
const CLIENT_REMEDY: &str =
    "the Secret of the client certificate must have tls.crt and tls.key, which belong together";

/// Whether to ask the server for TLS.
pub fn ssl_mode(tls: Option<&Tls>) -> SslMode {
    match tls.map(|tls| tls.mode) {
        None => SslMode::Prefer,
        Some(TlsMode::Disable) => SslMode::Disable,
        Some(TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull) => SslMode::Require,
    }
}

/// What is known of the certificates of a connection.
#[derive(Debug, Default)]
pub struct Certificates {
    /// Set by the handshake.
    server: Mutex<Option<ServerCertificate>>,
    /// When the client's ends.
    client_ends: Option<Timestamp>,
}

/// The certificate that a server has shown.
#[derive(Clone, Copy, Debug)]
struct ServerCertificate {
    /// When it ends, if it can be read.
    ends: Option<Timestamp>,
}

impl Certificates {
    /// Forgets the handshake of an earlier connection.
    pub fn forget_server(&self) {
        *self.server() = None;
    }

    /// How the connection is protected.
    pub fn transport(&self) -> Transport {
        let server = *self.server();
        Transport {
            is_encrypted: server.is_some(),
            server_certificate_ends: server.and_then(|it| it.ends),
            client_certificate_ends: self.client_ends,
        }
    }

    fn server(&self) -> MutexGuard<'_, Option<ServerCertificate>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a TLS connection as these settings ask for, and tells of its certificates. Their files are
/// read now.
pub fn connector(tls: Option<&Tls>) -> Result<(MakeRustlsConnect, Arc<Certificates>), OpenError> {
    let provider = Arc::new(ring::default_provider());
    let folder = tls.and_then(|tls| tls.client_certificate_dir.as_deref());
    let own = folder.map(ClientCertificate::read).transpose()?;
    let seen = Arc::new(Certificates {
        server: Mutex::default(),
        client_ends: own.as_ref().and_then(|own| end(own.chain.first()?)),
    });
    let verifier = Verifier {
        authority: authority(tls, &provider)?,
        verifies_name: tls.is_some_and(|tls| tls.mode == TlsMode::VerifyFull),
        provider: Arc::clone(&provider),
        seen: Arc::clone(&seen),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(OpenError::TlsVersions)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let config =
        match own {
            None => builder.with_no_client_auth(),
            Some(ClientCertificate { chain, key, file }) => builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| unusable(&file, CLIENT_REMEDY, error))?,
        };
    Ok((MakeRustlsConnect::new(config), seen))
}

/// The client's certificate with those that lead to its authority, and its key.
struct ClientCertificate {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    /// The file of the certificate.
    file: PathBuf,
}

impl ClientCertificate {
    fn read(folder: &Path) -> Result<Self, OpenError> {
        let (file, key_file) = (folder.join(CERTIFICATE_FILE), folder.join(KEY_FILE));
        Ok(Self {
            chain: certificates(&file, CLIENT_REMEDY)?,
            key: PrivateKeyDer::from_pem_file(&key_file)
                .map_err(|error| unusable(&key_file, CLIENT_REMEDY, error))?,
            file,
        })
    }
}

/// When a certificate ends, if it can be read.
fn end(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let end = certificate.tbs_certificate.validity.not_after;
    let seconds = i64::try_from(end.to_unix_duration().as_secs()).ok()?;
    Timestamp::from_second(seconds).ok()
}

/// Verifies certificates by their authority, if the mode asks for that.
fn authority(
    tls: Option<&Tls>,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<WebPkiServerVerifier>>, OpenError> {
    let is_verified = |tls: &&Tls| matches!(tls.mode, TlsMode::VerifyCa | TlsMode::VerifyFull);
    let Some(tls) = tls.filter(is_verified) else {
        return Ok(None);
    };
    let roots = Arc::new(roots(tls.ca_file.as_deref())?);
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider));
    verifier.build().map(Some).map_err(OpenError::Roots)
}

/// The certificate authorities in a file, else those of the system.
fn roots(file: Option<&Path>) -> Result<RootCertStore, OpenError> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = file {
        for certificate in certificates(file, CA_REMEDY)? {
            roots
                .add(certificate)
                .map_err(|error| unusable(file, CA_REMEDY, error))?;
        }
        return Ok(roots);
    }
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    Ok(roots)
}

/// The certificates in a file; at least one.
fn certificates(
    file: &Path,
    remedy: &'static str,
) -> Result<Vec<CertificateDer<'static>>, OpenError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    let read: Vec<_> = read.map_err(|error| unusable(file, remedy, error))?;
    if read.is_empty() {
        return Err(unusable(file, remedy, "it has no certificate"));
    }
    Ok(read)
}

fn unusable(
    file: &Path,
    remedy: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> OpenError {
    OpenError::Tls {
        file: file.to_owned(),
        remedy,
        source: source.into(),
    }
}

/// Verifies what the mode asks for, as PostgreSQL's own clients do for their `sslmode`. The
/// signature of the handshake is always verified.
#[derive(Debug)]
struct Verifier {
    /// Verifies the certificate; without one, every certificate is taken.
    authority: Option<Arc<WebPkiServerVerifier>>,
    /// Whether the certificate must be for the name of the host.
    verifies_name: bool,
    provider: Arc<CryptoProvider>,
    seen: Arc<Certificates>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.seen.server() = Some(ServerCertificate {
            ends: end(certificate),
        });
        let Some(authority) = &self.authority else {
            return Ok(ServerCertVerified::assertion());
        };
        match authority.verify_server_cert(certificate, intermediates, name, ocsp_response, now) {
            // The name is verified last.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.verifies_name => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
