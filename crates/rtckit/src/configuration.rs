//! How a connection is set up.

use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;
use std::sync::Arc;

use rtckit_crypto::{identity::Identity, provider::Provider};
use rtckit_peer::{Config, Setup};
use rtckit_proto::{SrtpProfile, WallClock};

use crate::interfaces::{self, Interface, MAX_SOCKETS};
use crate::{Error, Shaper, Tap};

type InterfaceFilter = Box<dyn Fn(&Interface) -> bool + Send>;

/// What a [`PeerConnection`](crate::PeerConnection) needs to know before it starts.
///
/// The default listens on a free port of every address of every interface that is up, without loopback, and
/// makes a certificate of its own.
pub struct Configuration {
    provider: Provider,
    identity: Option<Arc<Identity>>,
    bind: Vec<SocketAddr>,
    include_loopback: bool,
    interface_filter: Option<InterfaceFilter>,
    srtp_profiles: Option<Vec<SrtpProfile>>,
    setup: Setup,
    max_repair_delay: Option<Duration>,
    key_log: bool,
    pub(crate) shaper: Option<Box<dyn Shaper>>,
    pub(crate) tap: Option<Box<dyn Tap>>,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            provider: Provider::ring(),
            identity: None,
            bind: Vec::new(),
            include_loopback: false,
            interface_filter: None,
            srtp_profiles: None,
            setup: Setup::default(),
            max_repair_delay: None,
            key_log: false,
            shaper: None,
            tap: None,
        }
    }
}

impl Configuration {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the cryptography from `provider`; ring by default.
    #[must_use]
    pub fn provider(mut self, provider: Provider) -> Self {
        self.provider = provider;
        self
    }

    /// Shows this certificate. One identity can serve many connections, and making one takes a signature's time.
    #[must_use]
    pub fn identity(mut self, identity: Arc<Identity>) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Listens at exactly these addresses. Port 0 is any free port; an unspecified address (`0.0.0.0`, `[::]`)
    /// stands for those of all interfaces of its family that the other settings let through. At most 16
    /// addresses are used.
    #[must_use]
    pub fn bind(mut self, addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.bind = addresses.into_iter().collect();
        self
    }

    /// Whether the host's loopback counts among the interfaces. Off by default: no one else reaches it.
    #[must_use]
    pub fn include_loopback(mut self, include: bool) -> Self {
        self.include_loopback = include;
        self
    }

    /// Uses only the interface addresses for which `filter` returns true.
    #[must_use]
    pub fn interface_filter(
        mut self,
        filter: impl Fn(&Interface) -> bool + Send + 'static,
    ) -> Self {
        self.interface_filter = Some(Box::new(filter));
        self
    }

    /// The SRTP profiles to negotiate, the most wanted first.
    #[must_use]
    pub fn srtp_profiles(mut self, profiles: impl IntoIterator<Item = SrtpProfile>) -> Self {
        self.srtp_profiles = Some(profiles.into_iter().collect());
        self
    }

    /// Which DTLS role to ask for.
    #[must_use]
    pub fn setup(mut self, setup: Setup) -> Self {
        self.setup = setup;
        self
    }

    /// How long a lost video packet is waited and asked for before the receiver moves on; 1 s by default.
    #[must_use]
    pub fn max_repair_delay(mut self, delay: Duration) -> Self {
        self.max_repair_delay = Some(delay);
        self
    }

    /// Whether [`take_key_log`](crate::PeerConnection::take_key_log) hands out the keys of DTLS. Off by default.
    #[must_use]
    pub fn key_log(mut self, enabled: bool) -> Self {
        self.key_log = enabled;
        self
    }

    /// Puts `shaper` between the connection and its sockets, on the way out.
    #[must_use]
    pub fn shaper(mut self, shaper: impl Shaper + 'static) -> Self {
        self.shaper = Some(Box::new(shaper));
        self
    }

    /// Shows every datagram at the sockets to `tap`, both ways.
    #[must_use]
    pub fn tap(mut self, tap: impl Tap + 'static) -> Self {
        self.tap = Some(Box::new(tap));
        self
    }

    /// The machine's share of this configuration.
    pub(crate) fn peer_config(&self, wall_clock: WallClock) -> Result<Config, Error> {
        let identity = match &self.identity {
            Some(identity) => Arc::clone(identity),
            None => Arc::new(Identity::generate(&self.provider)?),
        };
        let mut config = Config::new(self.provider.clone(), identity, wall_clock);
        config.setup = self.setup;
        config.key_log = self.key_log;
        if let Some(profiles) = &self.srtp_profiles {
            config.srtp_profiles.clone_from(profiles);
        }
        if let Some(delay) = self.max_repair_delay {
            config.max_repair_delay = delay;
        }
        Ok(config)
    }

    /// The addresses to bind, at least one.
    pub(crate) fn addresses(&self) -> Result<Vec<SocketAddr>, Error> {
        let mut addresses = if self.bind.is_empty() {
            let up = self.interfaces()?;
            up.into_iter()
                .map(|interface| SocketAddr::new(interface.address, 0))
                .collect()
        } else {
            interfaces::expand(&self.bind, || self.interfaces())?
        };
        addresses.truncate(MAX_SOCKETS);
        if addresses.is_empty() {
            Err(Error::NoAddress)
        } else {
            Ok(addresses)
        }
    }

    fn interfaces(&self) -> Result<Vec<Interface>, Error> {
        let mut up = interfaces::up()?;
        up.retain(|interface| {
            (self.include_loopback || !interface.loopback)
                && self
                    .interface_filter
                    .as_ref()
                    .is_none_or(|filter| filter(interface))
        });
        Ok(up)
    }
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configuration")
            .field("bind", &self.bind)
            .field("include_loopback", &self.include_loopback)
            .field("setup", &self.setup)
            .field("key_log", &self.key_log)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_asked_for_by_name() {
        let only_loopback = |interface: &Interface| interface.loopback;
        let configuration = Configuration::new().interface_filter(only_loopback);
        assert_eq!(configuration.addresses(), Err(Error::NoAddress));
        let addresses = configuration.include_loopback(true).addresses().unwrap();
        assert!(
            addresses.iter().all(|address| address.ip().is_loopback()),
            "{addresses:?}"
        );
    }

    #[test]
    fn the_number_of_sockets_has_a_ceiling() {
        let many = (0..100).map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        assert_eq!(
            Configuration::new().bind(many).addresses().unwrap().len(),
            MAX_SOCKETS
        );
    }
}
