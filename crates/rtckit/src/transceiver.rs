//! Sending and receiving media.

use core::fmt;
use std::sync::Arc;

use rtckit_peer::{Direction, MediaKind, Peer, TransceiverId, TransceiverInfo};

use crate::Error;
use crate::connection::Inner;

/// One media section of the connection: something to send, something to receive, or both
/// ([W3C](https://www.w3.org/TR/webrtc/#rtcrtptransceiver-interface)). A handle, like the connection.
#[derive(Clone)]
pub struct Transceiver {
    inner: Arc<Inner>,
    id: TransceiverId,
}

impl Transceiver {
    pub(crate) fn new(inner: Arc<Inner>, id: TransceiverId) -> Self {
        Self { inner, id }
    }

    /// Its name within the connection, as the statistics use it.
    pub fn id(&self) -> TransceiverId {
        self.id
    }

    /// The media section's identification, once there is an offer.
    pub fn mid(&self) -> Option<String> {
        self.info(|info| info.mid).flatten()
    }

    /// Audio or video.
    pub fn kind(&self) -> Option<MediaKind> {
        self.info(|info| info.kind)
    }

    /// Which way media is wanted.
    pub fn direction(&self) -> Option<Direction> {
        self.info(|info| info.direction)
    }

    /// Sets which way media is wanted; the next offer or answer says so.
    ///
    /// # Errors
    ///
    /// The connection is closed.
    pub fn set_direction(&self, direction: Direction) -> Result<(), Error> {
        let id = self.id;
        let shared = &self.inner.shared;
        shared.call(|peer, _| peer.set_direction(id, direction))
    }

    /// Which way media goes, as the last offer and answer settled it.
    pub fn current_direction(&self) -> Option<Direction> {
        self.info(|info| info.current_direction).flatten()
    }

    /// The sending half.
    pub fn sender(&self) -> Sender {
        Sender {
            transceiver: self.clone(),
        }
    }

    /// The receiving half.
    pub fn receiver(&self) -> Receiver {
        Receiver {
            transceiver: self.clone(),
        }
    }

    fn info<T>(&self, read: impl FnOnce(TransceiverInfo) -> T) -> Option<T> {
        let state = self.inner.shared.lock();
        state
            .peer
            .transceivers()
            .find(|info| info.id == self.id)
            .map(read)
    }
}

impl fmt::Debug for Transceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Transceiver").field(&self.id).finish()
    }
}

/// Sends the frames of one transceiver.
#[derive(Clone, Debug)]
pub struct Sender {
    transceiver: Transceiver,
}

impl Sender {
    /// Sends one encoded frame; waits while the packets of earlier ones have not left.
    ///
    /// `timestamp` counts ticks of [`clock_rate`](Self::clock_rate) and says when the frame is to be shown; it may
    /// start anywhere.
    ///
    /// # Errors
    ///
    /// Nothing is sent in this direction (yet), the frame is empty or too large, or the connection has failed or
    /// is closed, be it while this waits.
    pub async fn write_frame(&self, timestamp: u32, data: &[u8]) -> Result<(), Error> {
        let shared = &self.transceiver.inner.shared;
        let id = self.transceiver.id;
        let written = shared.wait(&shared.sent, |state| {
            // What is over sends no more, so a full queue would stay full.
            if let Some(why) = state.ending() {
                return Some(Err(why));
            }
            let now = shared.time.now();
            match sender(&mut state.peer, id)
                .and_then(|mut sender| sender.write_frame(now, timestamp, data))
            {
                Err(rtckit_peer::Error::QueueFull) => None,
                result => Some(result.map_err(Error::from)),
            }
        });
        let result = written.await;
        shared.changed.notify_one();
        result
    }

    /// Ticks per second of the codec's clock: 90 000 for video, 48 000 for Opus.
    ///
    /// # Errors
    ///
    /// Nothing is sent in this direction yet, so no codec is settled.
    pub fn clock_rate(&self) -> Result<u32, Error> {
        let mut state = self.transceiver.inner.shared.lock();
        Ok(sender(&mut state.peer, self.transceiver.id)?.clock_rate())
    }

    /// The codec's name: `VP8`, `opus`.
    ///
    /// # Errors
    ///
    /// Nothing is sent in this direction yet, so no codec is settled.
    pub fn codec(&self) -> Result<&'static str, Error> {
        let mut state = self.transceiver.inner.shared.lock();
        Ok(sender(&mut state.peer, self.transceiver.id)?.codec())
    }

    /// Packets that wait to be sent.
    pub fn queued_packets(&self) -> usize {
        let mut state = self.transceiver.inner.shared.lock();
        sender(&mut state.peer, self.transceiver.id).map_or(0, |sender| sender.queued_packets())
    }
}

/// Receives the frames of one transceiver.
#[derive(Clone, Debug)]
pub struct Receiver {
    transceiver: Transceiver,
}

/// One encoded frame as it was sent.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// What the codec made.
    pub data: Vec<u8>,
    /// When it is to be shown, in ticks of the codec's clock; the sender chose where they start.
    pub timestamp: u32,
    /// Whether it stands alone.
    pub key_frame: bool,
    /// Whether it follows the frame before without a gap; a decoder that meets a gap needs a key frame.
    pub contiguous: bool,
}

impl Frame {
    /// A frame that stands for itself, as tests of an application need one.
    pub fn new(data: Vec<u8>, timestamp: u32) -> Self {
        Self {
            data,
            timestamp,
            key_frame: true,
            contiguous: true,
        }
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("len", &self.data.len())
            .field("timestamp", &self.timestamp)
            .field("key_frame", &self.key_frame)
            .field("contiguous", &self.contiguous)
            .finish()
    }
}

impl Receiver {
    /// Waits for the next whole frame, in the order of sending; `None` when the connection is over.
    pub async fn read_frame(&self) -> Option<Frame> {
        let shared = &self.transceiver.inner.shared;
        let id = self.transceiver.id;
        shared
            .wait(&shared.frames, |state| {
                let now = shared.time.now();
                let frame = state.peer.receiver(id).and_then(|mut receiver| {
                    let frame = receiver.read_frame(now)?;
                    Some(Frame {
                        data: frame.data.to_vec(),
                        timestamp: frame.timestamp,
                        key_frame: frame.key_frame,
                        contiguous: frame.contiguous,
                    })
                });
                match frame {
                    None if !state.is_over() => None,
                    frame => Some(frame),
                }
            })
            .await
    }

    /// Asks the other side for a picture that stands alone (PLI).
    pub fn request_keyframe(&self) {
        let id = self.transceiver.id;
        // On a connection that is closed there is no one to ask.
        let _ = self.transceiver.inner.shared.call(|peer, now| {
            if let Some(mut receiver) = peer.receiver(id) {
                receiver.request_keyframe(now);
            }
            Ok::<(), Error>(())
        });
    }
}

fn sender(
    peer: &mut Peer,
    id: TransceiverId,
) -> Result<rtckit_peer::Sender<'_>, rtckit_peer::Error> {
    peer.sender(id).ok_or(rtckit_peer::Error::NoSuchStream)
}
