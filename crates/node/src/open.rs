//! Opening a policy set: the one thing that takes long enough to leave the calling thread.

use std::path::PathBuf;
use std::time::Instant;

use napi::{Env, Result, Task};
use orthrus_host::{PolicySet, Settings, from_files};
use orthrus_store::read_policies;

use crate::engines;
use crate::error::Failure;

/// Where the policies are.
pub(crate) enum Origin {
    /// In a directory.
    Directory(PathBuf),
    /// In a JSON object of texts by path.
    Files(String),
}

/// The work of opening a policy set.
pub struct Open {
    origin: Origin,
    options: String,
}

impl Open {
    pub(crate) fn new(origin: Origin, options: String) -> Self {
        Self { origin, options }
    }

    /// Compiles, and gives the number of the engine.
    pub(crate) fn run(&self) -> Result<u32> {
        let began = Instant::now();
        Ok(engines::add(self.compile()?, began))
    }

    fn compile(&self) -> std::result::Result<PolicySet, Failure> {
        match &self.origin {
            Origin::Directory(directory) => {
                let settings = Settings::from_json(&self.options)?;
                Ok(settings.compile(read_policies(directory).map_err(Failure::Store)?)?)
            }
            Origin::Files(files) => Ok(from_files(files, &self.options)?),
        }
    }
}

impl Task for Open {
    type Output = u32;
    type JsValue = u32;

    fn compute(&mut self) -> Result<u32> {
        // On a worker thread nobody else would stop a panic before it reaches Node.
        std::panic::catch_unwind(|| self.run()).unwrap_or_else(|_| Err(Failure::PANICKED.into()))
    }

    fn resolve(&mut self, _env: Env, engine: u32) -> Result<u32> {
        Ok(engine)
    }
}
