//! A pod of a service, by the pod contract: what it runs, what it reads, and what it must not do.

use innkeeper_contracts::pod::{
    ADMIN_PORT, BUSINESS_PORT, CERTIFICATE_FILE, CONFIG_DIR, DATABASE_CA_FILE, DATABASE_CLIENT_DIR,
    DATABASE_SECRET_DIR, KAFKA_CA_FILE, KAFKA_CLIENT_DIR, KAFKA_SECRET_DIR, KEY_FILE, LEAVE_FOR,
    PASSWORD_FILE, SETTINGS_FILE, USERNAME_FILE,
};
use innkeeper_crds::DomainService;
use innkeeper_crds::tls::TlsSecrets;
use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMap, ConfigMapEnvSource, ConfigMapVolumeSource, Container, ContainerPort,
    EnvFromSource, EnvVar, EnvVarSource, KeyToPath, PodSecurityContext, PodSpec, PodTemplateSpec,
    SeccompProfile, SecretKeySelector, SecretVolumeSource, SecurityContext, Volume, VolumeMount,
};
use kube::ResourceExt as _;

use super::config_map::ConfigMaps;
use super::metadata::{name, pod_metadata};
use super::{probes, resources, scheduling};

/// Name of the container's port for requests.
pub(super) const BUSINESS_PORT_NAME: &str = "http";
/// Name of the container's port for probes and metrics.
const ADMIN_PORT_NAME: &str = "admin";
/// Name of the container.
const CONTAINER: &str = "service";
/// User and group of the process.
const NON_ROOT: i64 = 65_532;
/// Seconds that a process has to flush and end after it has stopped serving and has drained.
const END_SECONDS: u32 = 10;

/// The template of the service's pods.
pub(super) fn pod_template(service: &DomainService, config_maps: &ConfigMaps) -> PodTemplateSpec {
    let scheduling = service.spec.workload.scheduling.as_ref();
    let ending = i64::from(service.spec.workload.drain_seconds() + END_SECONDS);
    let grace = LEAVE_FOR.as_secs().cast_signed() + ending;
    PodTemplateSpec {
        metadata: Some(pod_metadata(service)),
        spec: Some(PodSpec {
            automount_service_account_token: Some(false),
            containers: vec![container(service, config_maps)],
            enable_service_links: Some(false),
            node_selector: scheduling::node_selector(scheduling),
            priority_class_name: scheduling.and_then(|it| it.priority_class_name.clone()),
            security_context: Some(pod_security_context()),
            service_account_name: Some(name(service)),
            termination_grace_period_seconds: Some(grace),
            tolerations: scheduling::tolerations(scheduling),
            topology_spread_constraints: Some(scheduling::spread(service)),
            volumes: Some(
                mounted(service, config_maps)
                    .map(|(volume, _)| volume)
                    .collect(),
            ),
            ..PodSpec::default()
        }),
    }
}

fn container(service: &DomainService, config_maps: &ConfigMaps) -> Container {
    let spec = &service.spec;
    let arguments = [
        "serve",
        spec.settings.component.name(),
        "--settings",
        SETTINGS_FILE,
    ];
    let probes = spec.workload.probes.as_ref();
    Container {
        name: CONTAINER.to_owned(),
        image: Some(spec.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        args: Some(arguments.map(str::to_owned).to_vec()),
        env: secret_environment(service),
        env_from: config_maps.environment.as_ref().map(environment),
        ports: Some(vec![
            port(BUSINESS_PORT_NAME, BUSINESS_PORT),
            port(ADMIN_PORT_NAME, ADMIN_PORT),
        ]),
        startup_probe: Some(probes::startup(probes)),
        liveness_probe: Some(probes::liveness(probes)),
        readiness_probe: Some(probes::readiness(probes)),
        resources: Some(resources::requirements(spec.workload.resources.as_ref())),
        security_context: Some(security_context()),
        // Where the process writes none itself, its last words are the end of its log.
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        volume_mounts: Some(
            mounted(service, config_maps)
                .map(|(_, mount)| mount)
                .collect(),
        ),
        ..Container::default()
    }
}

fn port(name: &str, port: u16) -> ContainerPort {
    ContainerPort {
        name: Some(name.to_owned()),
        container_port: i32::from(port),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    }
}

fn environment(config_map: &ConfigMap) -> Vec<EnvFromSource> {
    vec![EnvFromSource {
        config_map_ref: Some(ConfigMapEnvSource {
            name: config_map.name_any(),
            ..ConfigMapEnvSource::default()
        }),
        ..EnvFromSource::default()
    }]
}

fn secret_environment(service: &DomainService) -> Option<Vec<EnvVar>> {
    let secrets = service.spec.workload.secrets.as_ref()?;
    let variables: Vec<_> = secrets
        .env
        .iter()
        .map(|(name, from)| EnvVar {
            name: name.clone(),
            value_from: Some(EnvVarSource {
                secret_key_ref: Some(SecretKeySelector {
                    name: from.secret.clone(),
                    key: from.key.clone(),
                    optional: None,
                }),
                ..EnvVarSource::default()
            }),
            ..EnvVar::default()
        })
        .collect();
    Some(variables).filter(|variables| !variables.is_empty())
}

/// Every volume with the path at which it is mounted.
fn mounted(
    service: &DomainService,
    config_maps: &ConfigMaps,
) -> impl Iterator<Item = (Volume, VolumeMount)> {
    let ConfigMaps {
        settings, files, ..
    } = config_maps;
    let settings = (
        config_map_volume("settings", settings),
        folder(SETTINGS_FILE),
    );
    let files = files.as_ref();
    let files = files.map(|it| (config_map_volume("config", it), CONFIG_DIR.to_owned()));
    let database = Secrets {
        volume: "database",
        credentials: service.spec.database_secret.as_deref(),
        certificates: service.spec.database_tls.as_ref(),
        paths: [DATABASE_SECRET_DIR, DATABASE_CA_FILE, DATABASE_CLIENT_DIR],
    };
    let kafka = Secrets {
        volume: "kafka",
        credentials: service.spec.kafka_secret.as_deref(),
        certificates: service.spec.kafka_tls.as_ref(),
        paths: [KAFKA_SECRET_DIR, KAFKA_CA_FILE, KAFKA_CLIENT_DIR],
    };
    [Some(settings), files]
        .into_iter()
        .chain(database.volumes())
        .chain(kafka.volumes())
        .flatten()
        .map(|(volume, mount_path)| {
            let mount = VolumeMount {
                name: volume.name.clone(),
                mount_path,
                read_only: Some(true),
                ..VolumeMount::default()
            };
            (volume, mount)
        })
}

fn folder(path: &str) -> String {
    path.rsplit_once('/')
        .map_or(String::new(), |(folder, _)| folder.to_owned())
}

fn config_map_volume(volume: &str, config_map: &ConfigMap) -> Volume {
    Volume {
        name: volume.to_owned(),
        config_map: Some(ConfigMapVolumeSource {
            name: config_map.name_any(),
            ..ConfigMapVolumeSource::default()
        }),
        ..Volume::default()
    }
}

/// The Secrets with which a pod reaches a server.
struct Secrets<'a> {
    /// How the names of their volumes begin.
    volume: &'static str,
    credentials: Option<&'a str>,
    certificates: Option<&'a TlsSecrets>,
    /// Where a pod finds the credentials, the certificates of authorities, and its own.
    paths: [&'static str; 3],
}

impl Secrets<'_> {
    /// Their volumes, each with the path at which it is mounted.
    fn volumes(&self) -> [Option<(Volume, String)>; 3] {
        let [credentials_dir, ca_file, client_dir] = self.paths;
        let volume = |suffix: &str, secret: &str, items: &[(&str, &str)]| {
            secret_volume(&format!("{}{suffix}", self.volume), secret, items)
        };
        let credentials = self.credentials.map(|secret| {
            let items = [USERNAME_FILE, PASSWORD_FILE].map(|key| (key, key));
            (volume("", secret, &items), credentials_dir.to_owned())
        });
        let authority = self.certificates.and_then(|it| it.ca_secret_ref.as_ref());
        let authority = authority.map(|it| {
            let items = [(it.key.as_str(), file_name(ca_file))];
            (volume("-ca", &it.name, &items), folder(ca_file))
        });
        let client = self
            .certificates
            .and_then(|it| it.client_secret_ref.as_ref());
        let client = client.map(|it| {
            let items = [CERTIFICATE_FILE, KEY_FILE].map(|key| (key, key));
            (volume("-client", &it.name, &items), client_dir.to_owned())
        });
        [credentials, authority, client]
    }
}

/// A volume with some keys of a Secret, each as the file with this name.
fn secret_volume(volume: &str, secret: &str, items: &[(&str, &str)]) -> Volume {
    let items = items.iter().map(|(key, path)| KeyToPath {
        key: (*key).to_owned(),
        path: (*path).to_owned(),
        mode: None,
    });
    Volume {
        name: volume.to_owned(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(secret.to_owned()),
            items: Some(items.collect()),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn pod_security_context() -> PodSecurityContext {
    PodSecurityContext {
        run_as_group: Some(NON_ROOT),
        run_as_non_root: Some(true),
        run_as_user: Some(NON_ROOT),
        seccomp_profile: Some(SeccompProfile {
            type_: "RuntimeDefault".to_owned(),
            localhost_profile: None,
        }),
        ..PodSecurityContext::default()
    }
}

fn security_context() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities {
            add: None,
            drop: Some(vec!["ALL".to_owned()]),
        }),
        read_only_root_filesystem: Some(true),
        ..SecurityContext::default()
    }
}
