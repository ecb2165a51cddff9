//! # The engine behind a socket
//!
//! Cerbos' API over HTTP and gRPC, AuthZEN, and the questions of proxies (Traefik, Caddy, nginx, Envoy). Requests of all kinds
//! become one question ([`pdp`]), which the engine answers. Nothing here fetches anything: policies, keys of tokens and revocations
//! come from the process around it, the [`Host`].

mod audit;
mod authzen;
mod call;
mod cerbos;
mod clock;
pub mod config;
mod connection;
pub mod gateway;
mod grpc;
mod host;
mod http;
mod listen;
mod metrics;
mod pdp;
mod pem;
mod progress;
mod proto;
mod punctual;
mod results;
mod server;
mod signature;
mod start;
mod status;
mod tls;
mod tokens;
mod trace;
mod validate;
mod values;

pub use host::{Answer, Event, Host, Level};
pub use server::Addresses;
pub use start::{Origin, Running, StartError, start};
