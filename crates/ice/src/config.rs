//! What a user may choose.

use core::time::Duration;

use rtckit_stun::Retransmission;

/// How an [`Agent`](crate::Agent) behaves. The defaults are the RFCs'.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentConfig {
    /// Ta: the time between two new checks
    /// ([RFC 8445 §14.2](https://www.rfc-editor.org/rfc/rfc8445#section-14.2)). 50 ms; at least 5 ms.
    pub pacing: Duration,
    /// How a check is repeated; its `rto` is a floor
    /// ([RFC 8445 §14.3](https://www.rfc-editor.org/rfc/rfc8445#section-14.3)). 500 ms, 7 requests.
    pub retransmission: Retransmission,
    /// How long the controlling agent lets checks of better pairs go on once a pair is valid. 50 ms.
    pub nomination_delay: Duration,
    /// How long checks may go on before the agent fails without a valid pair, counted from the moment it knows
    /// the peer's credentials ([RFC 8863 §4](https://www.rfc-editor.org/rfc/rfc8863#section-4)). 39.5 s.
    pub patience: Duration,
    /// The mean time between two consent checks, randomised by ±20 %
    /// ([RFC 7675 §5.1](https://www.rfc-editor.org/rfc/rfc7675#section-5.1)). 5 s.
    pub consent_interval: Duration,
    /// How long the peer may be silent before the state is `Disconnected`. 7 s: one lost consent check is not
    /// enough.
    pub disconnected_timeout: Duration,
    /// How long consent lasts without an answer
    /// ([RFC 7675 §5.1](https://www.rfc-editor.org/rfc/rfc7675#section-5.1)). 30 s.
    pub consent_timeout: Duration,
    /// The most local candidates, those learnt from checks included. 32.
    pub max_local_candidates: usize,
    /// The most remote candidates, those learnt from checks included. 64.
    pub max_remote_candidates: usize,
    /// The most candidate pairs ([RFC 8445 §6.1.2.5](https://www.rfc-editor.org/rfc/rfc8445#section-6.1.2.5)). 100.
    pub max_pairs: usize,
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            pacing: Duration::from_millis(50),
            retransmission: Retransmission::default(),
            nomination_delay: Duration::from_millis(50),
            patience: Duration::from_millis(39_500),
            consent_interval: Duration::from_secs(5),
            disconnected_timeout: Duration::from_secs(7),
            consent_timeout: Duration::from_secs(30),
            max_local_candidates: 32,
            max_remote_candidates: 64,
            max_pairs: 100,
        }
    }
}
