//! The audit log: calls and decisions as lines of JSON, in the format of the PDP's file backend.

mod file;
mod mask;
mod path;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use orthrus::check::Decision;
use orthrus::policy::Effect;
use orthrus_host::PolicySet;
use serde::Serialize;

use crate::call::Call;
use crate::clock::since_1970;
use crate::config::AuditConfig;
use crate::host::Host;
use crate::metrics::Metrics;
use crate::pdp::{Asked, Claims};
use crate::proto::cerbos::audit::v1::{
    AccessLogEntry, DecisionLogEntry, MetaValues, Peer, PolicySource, decision_log_entry, policy_source,
};
use crate::proto::cerbos::engine::v1::{AuxData, CheckInput, aux_data};
use crate::results::{audit_trail, check_output};
use crate::start::StartError;
use mask::Mask;
use writer::Writer;

/// Names a credential that never is logged, whatever the configuration says.
const NEVER: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Where calls and decisions are written.
pub(crate) struct AuditLog {
    config: AuditConfig,
    mask: Mask,
    writer: Writer,
    /// Where the policies are, if it is a directory.
    directory: String,
}

impl AuditLog {
    /// Opens the log; none where it is not enabled.
    pub(crate) fn open(
        config: &AuditConfig,
        directory: &str,
        metrics: &Arc<Metrics>,
        host: &Arc<dyn Host>,
    ) -> Result<Option<Self>, StartError> {
        if !config.enabled {
            return Ok(None);
        }
        let wrong =
            |path: &str, message: String| StartError::Config { path: format!("audit.{path}"), message };
        if config.backend != "file" {
            let message = format!("there is no backend `{}`: the audit log goes to a `file`", config.backend);
            return Err(wrong("backend", message));
        }
        if config.file.path.is_empty() {
            return Err(wrong("file.path", "a file is needed, or stdout or stderr".to_owned()));
        }
        let mask = Mask::parse(&config.mask).map_err(|(index, why)| wrong(&format!("mask[{index}]"), why))?;
        let writer = Writer::open(&config.file, Arc::clone(metrics), Arc::clone(host))
            .map_err(|(path, why)| wrong("file.path", format!("{path}: {why}")))?;
        Ok(Some(Self { config: config.clone(), mask, writer, directory: directory.to_owned() }))
    }

    /// Whether decisions are logged.
    pub(crate) fn decisions(&self) -> bool {
        self.config.decision_logs_enabled
    }

    pub(crate) fn decision(
        &self,
        call: &Call,
        asked: &Asked<'_>,
        decisions: &[Decision<'_>],
        policies: &PolicySet,
    ) {
        let all_allowed =
            || decisions.iter().flat_map(|it| it.actions).all(|action| action.effect == Effect::Allow);
        if self.config.decision_log_filters.check_resources.ignore_allow_all && all_allowed() {
            return;
        }
        let told = asked.resources.iter().zip(decisions);
        let entry = DecisionLogEntry {
            call_id: call.id.clone(),
            timestamp: Some(timestamp(call.at)),
            peer: Some(peer(call)),
            metadata: self.metadata(call),
            method: Some(decision_log_entry::Method::CheckResources(decision_log_entry::CheckResources {
                inputs: asked
                    .resources
                    .iter()
                    .map(|(resource, actions)| CheckInput {
                        request_id: asked.request_id.to_owned(),
                        resource: Some((*resource).clone()),
                        principal: Some(asked.principal.clone()),
                        actions: actions.to_vec(),
                        aux_data: asked.claims.and_then(aux_data),
                    })
                    .collect(),
                outputs: told
                    .map(|((resource, actions), decision)| check_output(asked, resource, actions, decision))
                    .collect(),
                error: String::new(),
            })),
            audit_trail: Some(audit_trail(
                decisions,
                policies.engine.policy_sources(),
                self.driver(policies),
            )),
            oversized: false,
            policy_source: self.policy_source(policies),
            request_context: asked.request_context.cloned(),
        };
        self.write("decision", &entry);
    }

    /// A call, answered or not.
    pub(crate) fn access(&self, call: &Call, status: tonic::Code, policies: &PolicySet) {
        if !self.config.access_logs_enabled {
            return;
        }
        self.write(
            "access",
            &AccessLogEntry {
                call_id: call.id.clone(),
                timestamp: Some(timestamp(call.at)),
                peer: Some(peer(call)),
                metadata: self.metadata(call),
                method: format!("/{}", call.method),
                status_code: i32::from(status).unsigned_abs(),
                oversized: false,
                policy_source: self.policy_source(policies),
                request_context: call.request_context.get().cloned(),
            },
        );
    }

    /// Writes all that is still to be written, and closes. Tells whether that was done in so much time.
    pub(crate) fn close(&self, limit: Duration) -> bool {
        self.writer.close(limit)
    }

    fn write(&self, kind: &str, entry: &impl Serialize) {
        // What was decoded from the wire can be encoded.
        let Ok(text) = self.mask.serialize(entry) else { return };
        self.writer
            .write(format!("{{\"log.logger\":\"cerbos.audit\",\"log.kind\":\"{kind}\",{}\n", &text[1..]));
    }

    fn metadata(&self, call: &Call) -> BTreeMap<String, MetaValues> {
        let AuditConfig { include_metadata_keys: include, exclude_metadata_keys: exclude, .. } = &self.config;
        if include.is_empty() && exclude.is_empty() {
            return BTreeMap::new();
        }
        let names = |list: &[String], name: &str| list.iter().any(|listed| listed.eq_ignore_ascii_case(name));
        let is_logged = |name: &str| {
            !NEVER.contains(&name) && (include.is_empty() || names(include, name)) && !names(exclude, name)
        };
        let mut metadata: BTreeMap<String, MetaValues> = BTreeMap::new();
        for (name, value) in call.headers.iter().filter(|(name, _)| is_logged(name.as_str())) {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            metadata.entry(name.as_str().to_owned()).or_default().values.push(value);
        }
        metadata
    }

    /// How the files of policies were read, as the PDP calls it.
    fn driver(&self, policies: &PolicySet) -> Option<&'static str> {
        (policies.bundle.is_none() && !self.directory.is_empty()).then_some("disk")
    }

    fn policy_source(&self, policies: &PolicySet) -> Option<PolicySource> {
        let source = match &policies.bundle {
            None if self.directory.is_empty() => return None,
            None => policy_source::Source::Disk(policy_source::Disk { directory: self.directory.clone() }),
            Some(identity) => policy_source::Source::EmbeddedPdp(policy_source::EmbeddedPdp {
                url: String::new(),
                commit_hash: identity.to_string(),
                built_at: None,
            }),
        };
        Some(PolicySource { source: Some(source) })
    }
}

fn peer(call: &Call) -> Peer {
    Peer {
        address: call.peer.address.as_ref().to_owned(),
        auth_info: call.peer.subject.as_deref().unwrap_or_default().to_owned(),
        user_agent: call.header("user-agent").to_owned(),
        forwarded_for: call.header("x-forwarded-for").to_owned(),
    }
}

fn aux_data(Claims(text): &Claims) -> Option<AuxData> {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Read {
        jwt: BTreeMap<String, pbjson_types::Value>,
        jwts: BTreeMap<String, BTreeMap<String, pbjson_types::Value>>,
    }
    let Read { jwt, jwts } = serde_json::from_str(text).ok()?;
    let named = |(name, claims)| (name, aux_data::Jwt { claims });
    Some(AuxData { jwt, jwts: jwts.into_iter().map(named).collect() })
}

fn timestamp(at: SystemTime) -> pbjson_types::Timestamp {
    let since_1970 = since_1970(at);
    pbjson_types::Timestamp {
        seconds: i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(since_1970.subsec_nanos()).unwrap_or_default(),
    }
}
