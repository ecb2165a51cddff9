//! Verifying the tokens of requests: by the keys that the host keeps, once each.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;
use orthrus_identity::{MAX_TOKEN_BYTES, Refusal, Verifier};

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

    /// The claims of a token as the text of a JSON object. An empty name is none.
    pub(crate) async fn verify(&self, token: &str, key_set: &str) -> Result<Arc<str>, TokenError> {
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

    async fn verified(&self, token: &str, key_set: &str) -> Result<Arc<str>, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Refused(Refusal::TooLarge(token.len()).code()));
        }
        let index = self.index(key_set).ok_or(TokenError::Refused("JWT_KEY_SET_UNKNOWN"))?;
        let set = &self.sets[index];
        let keys = self.keys(index, set).await?;
        let claims = match self.by(index, set, &keys, token) {
            Err(Refusal::KeyUnknown(_)) if set.config.remote => {
                // Failing to fetch is no reason to say more than that the key is unknown.
                let _renewed = self.host.keys(index, true).await;
                let keys = set.verifier.load_full().unwrap_or(keys);
                self.by(index, set, &keys, token)
            }
            other => other,
        };
        let claims = claims.map_err(|refusal| TokenError::Refused(refusal.code()))?;
        if self.revocation {
            match self.host.is_revoked(claims.as_ref().to_owned()).await {
                Ok(false) => {}
                Ok(true) => return Err(TokenError::Refused("JWT_REVOKED")),
                Err(why) => return Err(TokenError::Unavailable(why)),
            }
        }
        Ok(claims)
    }

    fn index(&self, name: &str) -> Option<usize> {
        if self.disable_verification || name.is_empty() {
            return (self.sets.len() == 1).then_some(0);
        }
        self.sets.iter().position(|set| set.config.id == name)
    }

    /// The keys to use now. Who finds none waits for them.
    async fn keys(&self, index: usize, set: &Arc<KeySet>) -> Result<Arc<Verifier>, TokenError> {
        let now = milliseconds();
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

    fn by(&self, index: usize, set: &KeySet, keys: &Arc<Verifier>, token: &str) -> Result<Arc<str>, Refusal> {
        #[allow(
            clippy::cast_precision_loss,
            reason = "milliseconds since 1970 fit a double for 285,000 years"
        )]
        let now = milliseconds() as f64 / 1000.0;
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(claims) = lock().get(index, keys, token, now) {
            return Ok(claims);
        }
        let claims: Arc<str> = keys.verify(token, now)?.claims.into();
        let expiry = serde_json::from_str::<Expiry>(&claims).ok().and_then(|claims| claims.exp);
        let until = expiry.map_or(f64::INFINITY, |exp| exp + set.config.skew);
        lock().add(index, token, Entry { keys: Arc::clone(keys), claims: Arc::clone(&claims), until });
        Ok(claims)
    }
}

#[derive(serde::Deserialize)]
struct Expiry {
    exp: Option<f64>,
}

fn milliseconds() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

/// Tokens that are verified, in two generations: when the young are as many as may be, the old are forgotten, and the young are
/// the old ones. Found by the whole token, so that nothing can collide.
struct Known {
    size: usize,
    young: HashMap<(usize, Box<str>), Entry>,
    old: HashMap<(usize, Box<str>), Entry>,
}

#[derive(Clone)]
struct Entry {
    keys: Arc<Verifier>,
    claims: Arc<str>,
    /// In seconds since 1970.
    until: f64,
}

impl Known {
    fn new(size: usize) -> Self {
        Self { size: size.div_ceil(2), young: HashMap::new(), old: HashMap::new() }
    }

    fn get(&mut self, set: usize, keys: &Arc<Verifier>, token: &str, now: f64) -> Option<Arc<str>> {
        let key = (set, Box::from(token));
        let entry = match self.young.get(&key) {
            Some(entry) => entry.clone(),
            None => {
                let entry = self.old.remove(&key)?;
                self.add(set, token, entry.clone());
                entry
            }
        };
        (Arc::ptr_eq(&entry.keys, keys) && now < entry.until).then_some(entry.claims)
    }

    fn add(&mut self, set: usize, token: &str, entry: Entry) {
        if self.size == 0 {
            return;
        }
        if self.young.len() >= self.size {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert((set, Box::from(token)), entry);
    }
}
