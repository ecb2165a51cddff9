//! Compiles the definitions in `proto/`: messages, their JSON as protobuf maps it, services, and the descriptors that reflection serves.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use prost::Message;

const FILES: [&str; 5] = [
    "authzen/authorization/v1/svc.proto",
    "buf/validate/violations.proto",
    "cerbos/audit/v1/audit.proto",
    "cerbos/svc/v1/svc.proto",
    "envoy/service/auth/v3/external_auth.proto",
];

/// Packages that are written and read as JSON. The others are gRPC's alone.
const IN_JSON: [&str; 3] = [".authzen", ".buf", ".cerbos"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    let descriptors = protox::compile(FILES, ["proto"])?;
    let encoded = descriptors.encode_to_vec();
    fs::write(out.join("descriptors.bin"), &encoded)?;
    tonic_prost_build::configure()
        .build_client(false)
        .build_transport(false)
        // In the order of keys, as the PDP writes them.
        .btree_map(".")
        .compile_well_known_types(true)
        .extern_path(".google.protobuf", "::pbjson_types")
        .compile_fds(descriptors)?;
    pbjson_build::Builder::new().register_descriptors(&encoded)?.btree_map(IN_JSON).build(&IN_JSON)?;
    in_order(&out)
}

/// `pbjson` collects maps of enums anew, into one without an order.
fn in_order(out: &Path) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(out)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".serde.rs") {
            let text = fs::read_to_string(&path)?;
            fs::write(
                &path,
                text.replace(
                    "let v: std::collections::HashMap<_, _>",
                    "let v: std::collections::BTreeMap<_, _>",
                ),
            )?;
        }
    }
    Ok(())
}
