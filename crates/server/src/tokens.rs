//! Verifying the tokens of requests: by the keys that the host keeps, once each.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use orthrus::cel::Timestamp;
use orthrus_identity::{MAX_TOKEN_BYTES, Refusal, Verifier};
use serde_json::{Map, Number, Value};

use crate::clock::{milliseconds, since_1970};
use crate::config::{KeySetConfig, TokenConfig};
use crate::host::{Event, Host, Level};

/// How long keys are used before the host is asked again whether they are still the ones; it knows when to fetch.
const ASK_AGAIN: u64 = 5_000;

/// Why claims are not to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenError {
    /// The token is not believed. The code is that of the error catalogue.
    Refused(&'static str),
    /// Whether it is to be believed cannot be found out now.
    Unavailable(String),
}

/// What a token says that is believed: texts of JSON objects.
#[derive(Clone, Debug)]
pub(crate) struct Believed {
    /// As they are in the token.
    pub(crate) claims: Arc<str>,
    /// As policies read them.
    pub(crate) for_policies: Arc<str>,
}

/// Key sets, and the tokens that they have verified.
pub(crate) struct Tokens {
    sets: Vec<Arc<KeySet>>,
    disable_verification: bool,
    revocation: bool,
    known: Mutex<Known>,
    host: Arc<dyn Host>,
}

struct KeySet {
    config: KeySetConfig,
    verifier: ArcSwapOption<Verifier>,
    /// When the host was last asked, in milliseconds since 1970.
    asked: AtomicU64,
    asking: AtomicBool,
}

impl Tokens {
    pub(crate) fn new(config: TokenConfig, host: Arc<dyn Host>) -> Self {
        let set = |config| {
            Arc::new(KeySet {
                config,
                verifier: ArcSwapOption::empty(),
                asked: AtomicU64::new(0),
                asking: AtomicBool::new(false),
            })
        };
        Self {
            sets: config.key_sets.into_iter().map(set).collect(),
            disable_verification: config.disable_verification,
            revocation: config.revocation,
            known: Mutex::new(Known::new(config.cache_size)),
            host,
        }
    }

    /// Verifies by other keys from now on; what others have verified is forgotten.
    pub(crate) fn set_keys(&self, key_set: usize, verifier: Option<Arc<Verifier>>) {
        if let Some(set) = self.sets.get(key_set) {
            set.verifier.store(verifier);
        }
    }

    /// The claims of a token. An empty name is none.
    pub(crate) async fn verify(&self, token: &str, key_set: &str) -> Result<Believed, TokenError> {
        let result = self.verified(token, key_set).await;
        if let Err(error) = &result {
            let event = match error {
                TokenError::Refused(code) => {
                    Event::new(Level::Warn, "orthrus.tokens", "a token is refused").with("code", *code)
                }
                TokenError::Unavailable(why) => {
                    Event::new(Level::Error, "orthrus.tokens", "a token cannot be verified")
                        .with("error", why.as_str())
                }
            };
            self.host.log(event);
        }
        result
    }

    async fn verified(&self, token: &str, key_set: &str) -> Result<Believed, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Refused(Refusal::TooLarge(token.len()).code()));
        }
        let index = self.index(key_set).ok_or(TokenError::Refused("JWT_KEY_SET_UNKNOWN"))?;
        let set = &self.sets[index];
        let keys = self.keys(index, set).await?;
        let believed = match self.by(set, &keys, token) {
            Err(Refusal::KeyUnknown(_)) if set.config.remote => {
                // Failing to fetch is no reason to say more than that the key is unknown.
                let _renewed = self.host.keys(index, true).await;
                let keys = set.verifier.load_full().unwrap_or(keys);
                self.by(set, &keys, token)
            }
            other => other,
        };
        let believed = believed.map_err(|refusal| TokenError::Refused(refusal.code()))?;
        if self.revocation {
            match self.host.is_revoked(believed.claims.as_ref().to_owned()).await {
                Ok(false) => {}
                Ok(true) => return Err(TokenError::Refused("JWT_REVOKED")),
                Err(why) => return Err(TokenError::Unavailable(why)),
            }
        }
        Ok(believed)
    }

    fn index(&self, name: &str) -> Option<usize> {
        if self.disable_verification || name.is_empty() {
            return (self.sets.len() == 1).then_some(0);
        }
        self.sets.iter().position(|set| set.config.id == name)
    }

    /// The keys to use now. Who finds none waits for them.
    async fn keys(&self, index: usize, set: &Arc<KeySet>) -> Result<Arc<Verifier>, TokenError> {
        let now = milliseconds(SystemTime::now());
        let due = set.config.remote && now.saturating_sub(set.asked.load(Ordering::Relaxed)) >= ASK_AGAIN;
        if let Some(keys) = set.verifier.load_full() {
            if due && !set.asking.swap(true, Ordering::AcqRel) {
                set.asked.store(now, Ordering::Relaxed);
                let (asked, set) = (self.host.keys(index, false), Arc::clone(set));
                tokio::spawn(async move {
                    // The host takes keys back that may serve no longer.
                    let _asked = asked.await;
                    set.asking.store(false, Ordering::Release);
                });
            }
            return Ok(keys);
        }
        let asked = self.host.keys(index, false).await;
        let missing =
            || TokenError::Unavailable(asked.err().unwrap_or_else(|| "there are no keys".to_owned()));
        set.verifier.load_full().ok_or_else(missing)
    }

    fn by(&self, set: &KeySet, keys: &Arc<Verifier>, token: &str) -> Result<Believed, Refusal> {
        let now = since_1970(SystemTime::now()).as_secs_f64();
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(believed) = lock().get(keys, token, now) {
            return Ok(believed);
        }
        let claims = keys.verify(token, now)?.claims;
        // What is verified is an object, in which nothing stands twice.
        let read: Map<String, Value> = serde_json::from_str(&claims).unwrap_or_default();
        let until =
            read.get("exp").and_then(Value::as_f64).map_or(f64::INFINITY, |exp| exp + set.config.skew);
        let for_policies = Value::from(claims_of_policies(read)).to_string().into();
        let believed = Believed { claims: claims.into(), for_policies };
        lock().add(token.into(), Entry { keys: Arc::clone(keys), believed: believed.clone(), until });
        Ok(believed)
    }
}

/// Claims as the PDP hands them to policies: times as texts in RFC 3339, in whole seconds, `aud` as a list, and nothing that is null.
fn claims_of_policies(claims: Map<String, Value>) -> Map<String, Value> {
    let convert = |(name, value): (String, Value)| {
        let value = match (name.as_str(), value) {
            ("exp" | "nbf" | "iat", Value::Number(time)) => time_of(&time).unwrap_or(Value::Number(time)),
            ("aud", Value::String(audience)) => vec![audience].into(),
            (_, value) => value,
        };
        (name, value)
    };
    claims.into_iter().filter(|(_, value)| !value.is_null()).map(convert).collect()
}

fn time_of(seconds: &Number) -> Option<Value> {
    #[allow(clippy::cast_possible_truncation, reason = "a time that no calendar has is none")]
    let seconds = seconds.as_i64().or_else(|| seconds.as_f64().map(|it| it.trunc() as i64))?;
    Some(Timestamp::new(seconds, 0)?.to_string().into())
}

/// Tokens that are verified, in two generations: when the young are as many as may be, the old are forgotten, and the young are
/// the old ones. Found by the whole token, so that nothing can collide, and by the keys that have verified it.
struct Known {
    size: usize,
    young: HashMap<Box<str>, Entry>,
    old: HashMap<Box<str>, Entry>,
}

struct Entry {
    keys: Arc<Verifier>,
    believed: Believed,
    /// In seconds since 1970.
    until: f64,
}

impl Known {
    fn new(size: usize) -> Self {
        Self { size: size.div_ceil(2), young: HashMap::new(), old: HashMap::new() }
    }

    fn get(&mut self, keys: &Arc<Verifier>, token: &str, now: f64) -> Option<Believed> {
        if let Some((token, entry)) = self.old.remove_entry(token) {
            self.add(token, entry);
        }
        let entry = self.young.get(token)?;
        (Arc::ptr_eq(&entry.keys, keys) && now < entry.until).then(|| entry.believed.clone())
    }

    fn add(&mut self, token: Box<str>, entry: Entry) {
        if self.size == 0 {
            return;
        }
        if self.young.len() >= self.size {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(token, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn claims_as_policies_read_them() {
        let claims = json!({ "exp": 1_949_934_039, "iat": 1.9, "nbf": 1e300, "aud": "a", "n": null, "sub": "s", "x": { "exp": 1 } });
        let Value::Object(claims) = claims else { panic!("it is an object") };
        let expected = json!({
            "exp": "2031-10-16T16:20:39Z", "iat": "1970-01-01T00:00:01Z", "nbf": 1e300, "aud": ["a"], "sub": "s", "x": { "exp": 1 },
        });
        assert_eq!(Value::from(claims_of_policies(claims)), expected);
    }
}
