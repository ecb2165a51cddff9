//! What goes over the wire, generated from `proto/`.

#![allow(missing_docs, unreachable_pub, dead_code, clippy::all, clippy::pedantic, clippy::restriction)]

pub mod authzen {
    pub mod authorization {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/authzen.authorization.v1.rs"));
            include!(concat!(env!("OUT_DIR"), "/authzen.authorization.v1.serde.rs"));
        }
    }
}

pub mod buf {
    pub mod validate {
        include!(concat!(env!("OUT_DIR"), "/buf.validate.rs"));
        include!(concat!(env!("OUT_DIR"), "/buf.validate.serde.rs"));
    }
}

pub mod cerbos {
    pub mod audit {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/cerbos.audit.v1.rs"));
            include!(concat!(env!("OUT_DIR"), "/cerbos.audit.v1.serde.rs"));
        }
    }
    pub mod effect {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/cerbos.effect.v1.rs"));
            include!(concat!(env!("OUT_DIR"), "/cerbos.effect.v1.serde.rs"));
        }
    }
    pub mod engine {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/cerbos.engine.v1.rs"));
            include!(concat!(env!("OUT_DIR"), "/cerbos.engine.v1.serde.rs"));
        }
    }
    pub mod policy {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/cerbos.policy.v1.rs"));
            include!(concat!(env!("OUT_DIR"), "/cerbos.policy.v1.serde.rs"));
        }
    }
    pub mod request {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/cerbos.request.v1.rs"));
            include!(concat!(env!("OUT_DIR"), "/cerbos.request.v1.serde.rs"));
        }
    }
    pub mod response {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/cerbos.response.v1.rs"));
            include!(concat!(env!("OUT_DIR"), "/cerbos.response.v1.serde.rs"));
        }
    }
    pub mod schema {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/cerbos.schema.v1.rs"));
            include!(concat!(env!("OUT_DIR"), "/cerbos.schema.v1.serde.rs"));
        }
    }
    pub mod svc {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/cerbos.svc.v1.rs"));
        }
    }
}

pub mod envoy {
    pub mod config {
        pub mod core {
            pub mod v3 {
                include!(concat!(env!("OUT_DIR"), "/envoy.config.core.v3.rs"));
            }
        }
    }
    pub mod r#type {
        pub mod v3 {
            include!(concat!(env!("OUT_DIR"), "/envoy.r#type.v3.rs"));
        }
    }
    pub mod service {
        pub mod auth {
            pub mod v3 {
                include!(concat!(env!("OUT_DIR"), "/envoy.service.auth.v3.rs"));
            }
        }
    }
}

pub mod google {
    pub mod rpc {
        include!(concat!(env!("OUT_DIR"), "/google.rpc.rs"));
    }
}

/// Descriptors of all of it, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
