//! The handshake messages so far, as both sides hash them.
//!
//! DTLS hashes every message as if it had been sent in one fragment, and leaves out the first ClientHello and the
//! HelloVerifyRequest ([RFC 6347 §4.2.6](https://www.rfc-editor.org/rfc/rfc6347#section-4.2.6)). The messages
//! themselves are kept, two kilobytes of them: CertificateVerify signs them, not their hash.

use rtckit_crypto::provider::Provider;

/// Every message consumed or sent, in order. At most one per handshake state and flight item, each below
/// [`MAX_MESSAGE_LEN`](crate::reassembly::MAX_MESSAGE_LEN).
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    messages: Vec<u8>,
    /// Where the latest message starts.
    latest: usize,
}

impl Transcript {
    /// Adds a message with its unfragmented header.
    pub(crate) fn push(&mut self, message: &[u8]) {
        self.latest = self.messages.len();
        self.messages.extend_from_slice(message);
    }

    /// All messages.
    pub(crate) fn messages(&self) -> &[u8] {
        &self.messages
    }

    /// All messages, for tests in which an end is to say something else than it would.
    #[cfg(test)]
    pub(crate) fn messages_mut(&mut self) -> &mut [u8] {
        &mut self.messages
    }

    /// All messages but the latest: what a CertificateVerify or a Finished that has just arrived speaks of.
    pub(crate) fn before_latest(&self) -> &[u8] {
        self.messages.get(..self.latest).unwrap_or_default()
    }

    pub(crate) fn hash(&self, provider: &Provider) -> [u8; 32] {
        provider.sha256(self.messages())
    }

    pub(crate) fn hash_before_latest(&self, provider: &Provider) -> [u8; 32] {
        provider.sha256(self.before_latest())
    }

    /// Forgets everything: the handshake starts over with a cookie, or is done.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}
