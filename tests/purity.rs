//! The engine is a pure function, and so are what its heads share, verifying tokens and reading requests: no file, clock, socket, thread, process or environment in its sources.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails and says so")]

mod support;

use std::path::Path;

const BANNED: [(&str, &str); 9] = [
    ("std::fs", "files are read by crates/store"),
    ("std::net::Tcp", "the network is for the heads"),
    ("std::net::Udp", "the network is for the heads"),
    ("std::env", "options come in as data"),
    ("std::process", "the engine starts nothing"),
    ("std::thread", "the heads choose the thread"),
    ("SystemTime", "the time comes in with the request"),
    ("Instant::now", "the time comes in with the request"),
    ("println!", "what there is to say is a diagnostic"),
];

#[test]
fn the_engine_does_no_io() {
    is_pure("src", 50);
}

#[test]
fn what_the_heads_share_does_no_io() {
    is_pure("crates/host/src", 4);
}

#[test]
fn the_webassembly_module_does_no_io() {
    is_pure("crates/wasm/src", 2);
}

#[test]
fn verifying_tokens_does_no_io() {
    is_pure("crates/identity/src", 9);
}

#[test]
fn what_a_request_means_is_found_without_io() {
    is_pure("crates/gateway/src", 9);
}

fn is_pure(folder: &str, files: usize) {
    let sources = support::read_store(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    assert!(sources.len() > files, "there are sources in {folder}");
    for source in sources {
        let code = source.text().split("#[cfg(test)]").next().unwrap_or_default();
        for (banned, reason) in BANNED {
            let line = code.lines().position(|line| line.contains(banned));
            assert!(
                line.is_none(),
                "{folder}/{}:{}: {banned}: {reason}",
                source.name(),
                line.unwrap_or_default() + 1
            );
        }
    }
}
