//! The way to a STUN or TURN server: its URI, and a link over UDP, TCP or TLS that carries what the machines of
//! [`rtckit_stun`] and [`rtckit_turn`] say. [`TurnClient`] is a TURN client on such a link, wherever its server sends it.
//!
//! ```no_run
//! use rtckit::client::{Link, ServerUri};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let uri: ServerUri = "turn:turn.example.org?transport=tcp".parse()?;
//! let link = Link::open(&uri, uri.resolve().await?, None).await?;
//! println!("the server is reached by {:?}", link.path());
//! # Ok(())
//! # }
//! ```

mod link;
mod turn;
mod uri;

pub use link::{Buffers, Link, StreamReader, StreamWriter};
pub use turn::{Opening, TurnClient};
pub use uri::{ServerUri, UriParseError};

use rtckit_proto::Instant;

use crate::time::Time;

/// The machines' time, for whoever drives one with a [`Link`].
#[derive(Clone, Copy, Debug)]
pub struct Timer(Time);

impl Timer {
    /// Time that begins now.
    pub fn start() -> Self {
        Self(Time::start())
    }

    /// The present.
    pub fn now(&self) -> Instant {
        self.0.now()
    }

    /// When `instant` is for tokio.
    pub fn tokio(&self, instant: Instant) -> tokio::time::Instant {
        self.0.tokio(instant)
    }
}
