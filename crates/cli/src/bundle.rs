//! `bundle`: the policies of a directory or archive in one file, compiled.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use orthrus::text::Diagnostics;
use orthrus::{Packed, pack};
use orthrus_bundle::{InvalidKey, PrivateKey, digest_text, make};
use orthrus_store::{StoreError, read_policies};

use crate::Exit;
use crate::arguments::BundleArguments;
use crate::report::{self, Palette};
use crate::terminal::{ColorChoice, Terminal};

/// A bundle, and what is to be said of it.
#[derive(Debug)]
pub struct Bundle {
    /// The file.
    pub bytes: Vec<u8>,
    /// How many policies it holds (disabled ones not counted).
    pub policy_count: usize,
    /// What is odd about them.
    pub warnings: Diagnostics,
}

/// Why there is none.
#[derive(Debug)]
pub enum BundleError {
    /// The policies cannot be read.
    Store(StoreError),
    /// The policies are wrong.
    Policies(Diagnostics),
    /// The key is none.
    Key(InvalidKey),
}

/// Compiles the policies of a directory or archive, and signs them with a key (PKCS #8 in PEM) if one is given.
///
/// # Errors
/// What cannot be read, and everything that is wrong with the policies, their schemas or the key.
pub fn bundle(directory: &Path, ignore_schemas: bool, sign_key: Option<&str>) -> Result<Bundle, BundleError> {
    let key = sign_key.map(PrivateKey::from_pem).transpose().map_err(BundleError::Key)?;
    let sources = match read_policies(directory) {
        Err(StoreError::Files(diagnostics)) => return Err(BundleError::Policies(diagnostics)),
        sources => sources.map_err(BundleError::Store)?,
    };
    let Packed { payload, policy_count, warnings } =
        pack(sources, ignore_schemas).map_err(BundleError::Policies)?;
    Ok(Bundle { bytes: make(&payload, key.as_ref()), policy_count, warnings })
}

/// The verb: makes it, and writes it where it belongs.
pub(crate) fn verb(arguments: &BundleArguments, terminal: &mut Terminal<'_>) -> io::Result<Exit> {
    let BundleArguments { directory, output, sign_key, ignore_schemas } = arguments;
    let failure =
        |terminal: &mut Terminal<'_>, message: &str| terminal.complain(message).map(|()| Exit::Failure);
    let key = match sign_key.as_deref().map(read_key).transpose() {
        Ok(key) => key,
        Err(message) => return failure(terminal, &message),
    };
    let bundle = match bundle(directory, *ignore_schemas, key.as_deref()) {
        Ok(bundle) => bundle,
        Err(BundleError::Store(error)) => return failure(terminal, &error.to_string()),
        Err(BundleError::Key(error)) => {
            let path = sign_key.as_deref().unwrap_or(Path::new("")).display();
            return failure(terminal, &format!("the key {path} {error}"));
        }
        Err(BundleError::Policies(diagnostics)) => {
            let palette = Palette::new(terminal.colors(ColorChoice::Auto));
            terminal.print(&report::diagnostics(&diagnostics, palette))?;
            terminal.complain(&format!("failed to compile: {}", report::tally(&diagnostics)))?;
            return Ok(Exit::CompileFailed);
        }
    };
    if !bundle.warnings.is_empty() {
        terminal.note(&report::warnings(&bundle.warnings))?;
    }
    let Some(path) = output else {
        terminal.print_bytes(&bundle.bytes)?;
        return Ok(Exit::Success);
    };
    if let Err(error) = write(path, &bundle.bytes) {
        return failure(terminal, &format!("{} cannot be written: {error}", path.display()));
    }
    terminal.print(&format!("{}: {}\n", path.display(), summary(&bundle, key.as_deref())))?;
    Ok(Exit::Success)
}

/// The text of a key's file.
pub(crate) fn read_key(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("the key {} cannot be read: {error}", path.display()))
}

fn summary(bundle: &Bundle, key: Option<&str>) -> String {
    let policies = bundle.policy_count;
    let plural = if policies == 1 { "policy" } else { "policies" };
    let signer = key.and_then(|pem| PrivateKey::from_pem(pem).ok());
    let signature =
        signer.map_or_else(|| "not signed".to_owned(), |key| format!("signed by {}", key.public().id()));
    let digest = digest_text(&bundle.bytes);
    format!("{policies} {plural}, {} bytes, {digest}, {signature}", bundle.bytes.len())
}

/// Writes a file beside and puts it in place: nobody reads half of it, and a failure leaves what was there.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = fs::File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    if written.is_err() {
        // It may not even have been created.
        let _ = fs::remove_file(&beside);
    }
    written
}
