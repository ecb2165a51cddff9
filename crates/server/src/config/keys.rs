//! The keys of `.cerbos.yaml`: those that count here, and what becomes of the others that Cerbos has.

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It counts. A scalar is a text, however it looks.
    Text,
    /// It counts.
    Value,
    /// It counts, with all below it, which others check.
    Tree,
    /// It is for something that is not needed here, and may stand.
    Ignored(&'static str),
    /// It is for something that is not offered here: it must not stand, for somebody relies on it.
    Unsupported(&'static str),
}

const BUNDLES: &str = "policies come from `storage.disk` or `storage.bundle` (see docs/bundles.md)";

/// Every key by its path; `*` stands for an element of a list.
pub(super) const KEYS: &[(&str, Use)] = &[
    ("audit.accessLogsEnabled", Use::Value),
    ("audit.backend", Use::Text),
    ("audit.decisionLogFilters.checkResources.ignoreAllowAll", Use::Value),
    ("audit.decisionLogFilters.planResources.ignoreAll", Use::Value),
    ("audit.decisionLogFilters.planResources.ignoreAlwaysAllow", Use::Value),
    ("audit.decisionLogsEnabled", Use::Value),
    ("audit.enabled", Use::Value),
    ("audit.excludeMetadataKeys.*", Use::Text),
    ("audit.file.additionalPaths.*", Use::Text),
    ("audit.file.logRotation.maxFileAgeDays", Use::Value),
    ("audit.file.logRotation.maxFileCount", Use::Value),
    ("audit.file.logRotation.maxFileSizeMB", Use::Value),
    ("audit.file.path", Use::Text),
    ("audit.hub", Use::Unsupported("the audit log goes to a file: set `audit.backend: file`")),
    ("audit.includeMetadataKeys.*", Use::Text),
    ("audit.kafka", Use::Unsupported("the audit log goes to a file: set `audit.backend: file`")),
    ("audit.local", Use::Unsupported("the audit log goes to a file: set `audit.backend: file`")),
    ("audit.mask.*", Use::Text),
    ("auxData.jwt", Use::Tree),
    ("compile.cacheSize", Use::Ignored("all policies are compiled when they are loaded")),
    ("engine.celErrorLogLevel", Use::Ignored("what expressions raise is in the audit log")),
    ("engine.defaultPolicyVersion", Use::Text),
    ("engine.defaultScope", Use::Text),
    ("engine.globals", Use::Tree),
    ("engine.lenientScopeSearch", Use::Value),
    ("engine.policyLoaderTimeout", Use::Ignored("all policies are compiled when they are loaded")),
    ("engine.strictEvaluation", Use::Value),
    ("gateway", Use::Tree),
    ("hub", Use::Unsupported(BUNDLES)),
    ("schema.cacheSize", Use::Ignored("all schemas are compiled when they are loaded")),
    ("schema.enforcement", Use::Text),
    ("server.adminAPI.adminCredentials", Use::Ignored("there is no Admin API")),
    ("server.adminAPI.enabled", Use::Value),
    ("server.advanced.grpc.connectionTimeout", Use::Text),
    ("server.advanced.grpc.maxConcurrentStreams", Use::Value),
    ("server.advanced.grpc.maxConnectionAge", Use::Text),
    ("server.advanced.grpc.maxRecvMsgSizeBytes", Use::Value),
    ("server.advanced.http.idleTimeout", Use::Text),
    ("server.advanced.http.readHeaderTimeout", Use::Text),
    ("server.advanced.http.readTimeout", Use::Text),
    ("server.advanced.http.writeTimeout", Use::Text),
    ("server.apiExplorerEnabled", Use::Value),
    ("server.cors.allowedHeaders.*", Use::Text),
    ("server.cors.allowedOrigins.*", Use::Text),
    ("server.cors.disabled", Use::Value),
    ("server.cors.maxAge", Use::Text),
    ("server.grpcListenAddr", Use::Text),
    ("server.httpListenAddr", Use::Text),
    ("server.logRequestPayloads", Use::Value),
    ("server.metricsEnabled", Use::Value),
    ("server.playgroundEnabled", Use::Ignored("there is no playground API")),
    ("server.requestLimits.maxActionsPerResource", Use::Value),
    ("server.requestLimits.maxResourcesPerRequest", Use::Value),
    ("server.threads", Use::Value),
    ("server.tls.caCert", Use::Text),
    ("server.tls.cert", Use::Text),
    ("server.tls.key", Use::Text),
    ("server.tls.watchInterval", Use::Ignored("certificates are read again when they change")),
    ("server.udsFileMode", Use::Text),
    ("storage.blob", Use::Unsupported(BUNDLES)),
    ("storage.bundle.file", Use::Text),
    ("storage.bundle.pollInterval", Use::Text),
    ("storage.bundle.trustedKeys.*", Use::Text),
    ("storage.bundle.url", Use::Text),
    ("storage.disk.directory", Use::Text),
    ("storage.disk.watchForChanges", Use::Value),
    ("storage.driver", Use::Text),
    ("storage.git", Use::Unsupported(BUNDLES)),
    ("storage.hub", Use::Unsupported(BUNDLES)),
    ("storage.mysql", Use::Unsupported(BUNDLES)),
    ("storage.overlay", Use::Unsupported(BUNDLES)),
    ("storage.postgres", Use::Unsupported(BUNDLES)),
    ("storage.sqlite3", Use::Unsupported(BUNDLES)),
    ("telemetry", Use::Ignored("nothing is reported to anybody")),
];

/// Where a path stands among the keys.
pub(super) enum Found {
    /// It is a key.
    Key(Use),
    /// Keys are below it.
    Branch,
    /// It is none: the names that are, in its place.
    Unknown(Vec<&'static str>),
}

/// Looks up a path.
pub(super) fn find(path: &[String]) -> Found {
    let is = |step: &str, given: &String| step == "*" || step == given;
    let mut siblings = Vec::new();
    let mut branch = false;
    for (key, usage) in KEYS {
        let steps: Vec<&str> = key.split('.').collect();
        let shared = steps.iter().zip(path).take_while(|(step, given)| is(step, given)).count();
        if shared == path.len() {
            if steps.len() == path.len() {
                return Found::Key(*usage);
            }
            branch = true;
        } else if shared + 1 == path.len() {
            siblings.extend(steps.get(shared).copied().filter(|step| *step != "*"));
        }
    }
    siblings.dedup();
    if branch { Found::Branch } else { Found::Unknown(siblings) }
}
