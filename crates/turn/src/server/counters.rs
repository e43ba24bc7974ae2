//! What a server has seen and done, for metrics.

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counts since the server was made; each only grows.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Counters {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counters {
            /// Every counter with its name, for an exporter.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name)),*].into_iter()
            }

            /// Adds the counts of another shard.
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }
        }
    };
}

counters! {
    /// Payloads from clients to peers.
    packets_to_peers,
    /// Their bytes.
    bytes_to_peers,
    /// Payloads from peers to clients.
    packets_to_clients,
    /// Their bytes.
    bytes_to_clients,
    /// Requests of any kind.
    requests,
    /// Binding requests answered.
    bindings,
    /// 401 and 438 sent.
    challenges,
    /// 401 that answered credentials: a wrong name or password.
    wrong_credentials,
    /// Error responses of any kind.
    errors,
    /// Answers not sent, as their address had had too many.
    rate_limited,
    /// Answers not sent, as the driver did not take those before.
    overflowed,
    /// Allocations made.
    allocations,
    /// Allocations ended.
    releases,
    /// Allocations refused for a quota or lack of ports.
    allocations_refused,
    /// Permissions and channels refused by the peer policy.
    peers_refused,
    /// Datagrams that are neither STUN nor ChannelData, or malformed.
    malformed,
    /// Payloads from clients without an allocation, a channel or a permission for it.
    unroutable_from_clients,
    /// Payloads from peers without a permission.
    unroutable_from_peers,
}
