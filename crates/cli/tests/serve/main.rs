//! The server and its caller as their users meet them: HTTP on one side, exit codes and files on the other.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test fails where it must, speaks HTTP by hand, and waits in real time"
)]

mod call;
mod caller;
mod endpoint;
#[cfg(unix)]
mod hostile;
mod play;
#[path = "../loopback/schema.rs"]
mod schema;
mod server;
mod tls;
