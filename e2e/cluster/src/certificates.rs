//! Creates the certificates of a cluster, which identify its components. Every cluster gets a new
//! certificate authority.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};

use crate::network::{API_SERVICE, NODE};

/// Why the certificates could not be created.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A key or certificate could not be created.
    #[error("cannot make the certificate of {subject}")]
    Make {
        /// The subject of the certificate.
        subject: String,
        /// The error of the library.
        source: rcgen::Error,
    },
    /// A file could not be written.
    #[error("cannot write {path}")]
    Write {
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

/// The subject of a certificate, with the names of a server if it is one.
struct Subject {
    file: &'static str,
    user: &'static str,
    group: Option<&'static str>,
    names: &'static [&'static str],
}

/// The clients of the API server, and the two servers.
const SUBJECTS: &[Subject] = &[
    Subject {
        file: "apiserver",
        user: "kube-apiserver",
        group: Some("system:masters"),
        names: &[
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
        ],
    },
    Subject {
        file: "admin",
        user: "admin",
        group: Some("system:masters"),
        names: &[],
    },
    Subject {
        file: "controller-manager",
        user: "system:kube-controller-manager",
        group: None,
        names: &[],
    },
    Subject {
        file: "scheduler",
        user: "system:kube-scheduler",
        group: None,
        names: &[],
    },
    Subject {
        file: "proxy",
        user: "system:kube-proxy",
        group: None,
        names: &[],
    },
    Subject {
        file: "kubelet",
        user: "system:node:node0",
        group: Some("system:nodes"),
        names: &["node0"],
    },
];

/// A folder with every certificate and key as `NAME.crt` and `NAME.key`, and every kubeconfig as
/// `NAME.kubeconfig`.
#[derive(Debug, Clone)]
pub struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// The certificates in this folder, whether or not they exist yet.
    pub fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
        }
    }

    /// Creates all authorities, certificates, keys and kubeconfigs.
    pub fn create(&self) -> Result<(), CertificateError> {
        self.write_folder()?;
        let authority = self.create_authority("ca")?;
        SUBJECTS
            .iter()
            .try_for_each(|subject| self.create_for(subject, &authority))?;
        let front_proxy = self.create_authority("front-proxy-ca")?;
        let aggregator = Subject {
            file: "front-proxy",
            user: "front-proxy-client",
            group: None,
            names: &[],
        };
        self.create_for(&aggregator, &front_proxy)?;
        let accounts = key("service accounts")?;
        self.write("service-accounts.key", &accounts.serialize_pem())?;
        self.write("service-accounts.pub", &accounts.public_key_pem())
    }

    /// Path of the certificate with this name.
    pub fn certificate(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.crt"))
    }

    /// Path of the key with this name.
    pub fn key(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.key"))
    }

    /// Path of the kubeconfig with this name.
    pub fn kubeconfig(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.kubeconfig"))
    }

    /// Path of the public key that verifies the tokens of service accounts.
    pub fn service_accounts_public(&self) -> PathBuf {
        self.folder.join("service-accounts.pub")
    }

    fn create_authority(&self, name: &str) -> Result<Issuer<'static, KeyPair>, CertificateError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished(name, None);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let key = key(name)?;
        let certificate = params
            .self_signed(&key)
            .map_err(|source| make_error(name, source))?;
        self.write(&format!("{name}.crt"), &certificate.pem())?;
        self.write(&format!("{name}.key"), &key.serialize_pem())?;
        Ok(Issuer::new(params, key))
    }

    fn create_for(
        &self,
        subject: &Subject,
        authority: &Issuer<'_, KeyPair>,
    ) -> Result<(), CertificateError> {
        let error = |source| make_error(subject.user, source);
        let mut names: Vec<String> = subject.names.iter().map(ToString::to_string).collect();
        if !names.is_empty() {
            names.extend([
                NODE.to_string(),
                API_SERVICE.to_string(),
                "127.0.0.1".to_owned(),
            ]);
        }
        let mut params = CertificateParams::new(names).map_err(error)?;
        params.distinguished_name = distinguished(subject.user, subject.group);
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyEncipherment,
        ];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ClientAuth,
            ExtendedKeyUsagePurpose::ServerAuth,
        ];
        let key = key(subject.user)?;
        let certificate = params.signed_by(&key, authority).map_err(error)?;
        self.write(&format!("{}.crt", subject.file), &certificate.pem())?;
        self.write(&format!("{}.key", subject.file), &key.serialize_pem())?;
        self.write(
            &format!("{}.kubeconfig", subject.file),
            &self.kubeconfig_of(subject.file),
        )
    }

    fn kubeconfig_of(&self, name: &str) -> String {
        let (authority, certificate, key) = (
            self.certificate("ca"),
            self.certificate(name),
            self.key(name),
        );
        format!(
            "apiVersion: v1\n\
             kind: Config\n\
             current-context: innkeeper\n\
             clusters:\n\
             - name: innkeeper\n\
             \x20 cluster: {{server: 'https://{NODE}:6443', certificate-authority: '{}'}}\n\
             users:\n\
             - name: {name}\n\
             \x20 user: {{client-certificate: '{}', client-key: '{}'}}\n\
             contexts:\n\
             - name: innkeeper\n\
             \x20 context: {{cluster: innkeeper, user: {name}}}\n",
            authority.display(),
            certificate.display(),
            key.display(),
        )
    }

    fn write_folder(&self) -> Result<(), CertificateError> {
        let path = self.folder.clone();
        fs::create_dir_all(&path).map_err(|source| CertificateError::Write { path, source })
    }

    fn write(&self, name: &str, text: &str) -> Result<(), CertificateError> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(|source| CertificateError::Write { path, source })
    }
}

fn distinguished(user: &str, group: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, user);
    if let Some(group) = group {
        name.push(DnType::OrganizationName, group);
    }
    name
}

fn key(subject: &str) -> Result<KeyPair, CertificateError> {
    KeyPair::generate().map_err(|source| make_error(subject, source))
}

fn make_error(subject: &str, source: rcgen::Error) -> CertificateError {
    CertificateError::Make {
        subject: subject.to_owned(),
        source,
    }
}
