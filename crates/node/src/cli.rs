//! The command line and its verbs, on worker threads.

use std::ffi::OsString;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use napi::bindgen_prelude::Buffer;
use napi::{Env, Result, Task};
use orthrus_cli::bundle::{BundleError, bundle};
use orthrus_cli::compile::{CompileOptions, compile};
use orthrus_cli::verify::TestFilter;
use orthrus_cli::{Environment, Terminal};
use orthrus_host::diagnostics_json;
use serde::Deserialize;
use serde_json::json;

use crate::error::Failure;

/// A run of the command.
pub struct Run(pub(crate) Vec<String>);

impl Task for Run {
    type Output = u32;
    type JsValue = u32;

    fn compute(&mut self) -> Result<u32> {
        let arguments = std::mem::take(&mut self.0).into_iter().map(OsString::from);
        let run = || {
            let (mut out, mut err) = (io::stdout(), io::stderr());
            let mut terminal = Terminal::new(&mut out, &mut err, Environment::of_process());
            orthrus_cli::run(arguments, &mut terminal).code()
        };
        // On a worker thread nobody else would stop a panic before it reaches Node.
        let code = catch_unwind(AssertUnwindSafe(run)).map_err(|_| Failure::PANICKED)?;
        Ok(code.into())
    }

    fn resolve(&mut self, _env: Env, code: u32) -> Result<u32> {
        Ok(code)
    }
}

/// Compiling a directory and running its tests, for a report in JSON.
pub struct Compile {
    pub(crate) directory: String,
    pub(crate) options: String,
}

/// Options as JavaScript gives them.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Options {
    ignore_schemas: bool,
    skip_tests: bool,
    tests: Option<String>,
    test_filter: Vec<String>,
    skip_batching: bool,
    strict_evaluation: bool,
    trace: bool,
}

impl Compile {
    fn run(&self) -> std::result::Result<String, Failure> {
        let options: Options =
            serde_json::from_str(&self.options).map_err(|error| Failure::options(error.to_string()))?;
        let filter = TestFilter::new(options.test_filter.iter().map(String::as_str));
        let options = CompileOptions {
            ignore_schemas: options.ignore_schemas,
            skip_tests: options.skip_tests,
            tests: options.tests.map(Into::into),
            filter: filter.map_err(|error| Failure::options(format!("testFilter: {error}")))?,
            skip_batching: options.skip_batching,
            strict_evaluation: options.strict_evaluation,
            trace: options.trace,
        };
        let report = compile(self.directory.as_ref(), &options, &mut |_| {}).map_err(Failure::Store)?;
        let json = json!({
            "ok": report.is_success(),
            "diagnostics": diagnostics_json(&report.diagnostics),
            "tests": report.tests,
        });
        Ok(json.to_string())
    }
}

impl Task for Compile {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> Result<String> {
        let report = catch_unwind(AssertUnwindSafe(|| self.run())).unwrap_or(Err(Failure::PANICKED))?;
        Ok(report)
    }

    fn resolve(&mut self, _env: Env, report: String) -> Result<String> {
        Ok(report)
    }
}

/// Compiling a directory into a bundle.
pub struct MakeBundle {
    pub(crate) directory: String,
    pub(crate) options: String,
}

/// Options as JavaScript gives them.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct MakeOptions {
    ignore_schemas: bool,
    /// PKCS #8 in PEM.
    sign_key: Option<String>,
}

impl MakeBundle {
    fn run(&self) -> std::result::Result<Vec<u8>, Failure> {
        let options: MakeOptions =
            serde_json::from_str(&self.options).map_err(|error| Failure::options(error.to_string()))?;
        let made = bundle(self.directory.as_ref(), options.ignore_schemas, options.sign_key.as_deref());
        match made {
            Ok(bundle) => Ok(bundle.bytes),
            Err(BundleError::Store(error)) => Err(Failure::Store(error)),
            Err(BundleError::Policies(diagnostics)) => {
                Err(orthrus_host::Failure::Policies(diagnostics).into())
            }
            Err(BundleError::Key(error)) => Err(Failure::options(format!("signKey: {error}"))),
        }
    }
}

impl Task for MakeBundle {
    type Output = Vec<u8>;
    type JsValue = Buffer;

    fn compute(&mut self) -> Result<Vec<u8>> {
        let bytes = catch_unwind(AssertUnwindSafe(|| self.run())).unwrap_or(Err(Failure::PANICKED))?;
        Ok(bytes)
    }

    fn resolve(&mut self, _env: Env, bytes: Vec<u8>) -> Result<Buffer> {
        Ok(bytes.into())
    }
}
