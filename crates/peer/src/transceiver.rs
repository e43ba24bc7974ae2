//! A transceiver: one media section with what it sends and what it receives.

use rtckit_rtp::rtx::RtxStream;
use rtckit_rtp::{PayloadType, ReceiveConfig, ReceiveStream, SendConfig, SendStream, Ssrc};
use rtckit_sdp::attribute::Direction;

use crate::config::Config;
use crate::event::TransceiverId;
use crate::jsep::{Agreed, LocalRtp, MidExtension};
use crate::state::MediaKind;

/// What one transceiver is, for whoever asks.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TransceiverInfo {
    /// Its name within the peer.
    pub id: TransceiverId,
    /// The mid of its media section, once a description with it was applied.
    pub mid: Option<String>,
    /// Audio or video.
    pub kind: MediaKind,
    /// Which way media may go, as far as this side is concerned.
    pub direction: Direction,
    /// Which way media goes, as last negotiated.
    pub current_direction: Option<Direction>,
    /// The media type of the codec agreed on, such as `video/VP8`.
    pub codec: Option<String>,
}

/// The transceiver itself.
#[derive(Debug)]
pub(crate) struct Transceiver {
    pub(crate) id: TransceiverId,
    pub(crate) kind: MediaKind,
    pub(crate) mid: Option<String>,
    pub(crate) direction: Direction,
    pub(crate) current_direction: Option<Direction>,
    /// Whether its section was rejected and became another's: it is offered no more
    /// ([RFC 9429 §5.2.2](https://www.rfc-editor.org/rfc/rfc9429#section-5.2.2)).
    pub(crate) retired: bool,
    /// The SSRC we send with.
    pub(crate) ssrc: u32,
    /// The SSRC we send lost packets again with, where RTX is agreed on.
    pub(crate) rtx_ssrc: u32,
    pub(crate) codec: Option<Agreed>,
    /// The extension that carries mids, in the directions this side may use it.
    pub(crate) mid_extension: Option<MidExtension>,
    pub(crate) rtcp_rsize: bool,
    /// Made when it first sends, and kept for good; see [`sending`](Self::sending).
    pub(crate) sender: Option<SendStream>,
    pub(crate) receiver: Option<Receiving>,
    track_id: String,
}

/// The receiving half, from the moment a description lets media in.
#[derive(Debug)]
pub(crate) struct Receiving {
    /// SSRCs announced for the section.
    pub(crate) announced: Vec<u32>,
    /// The SSRC of a stream and that of its retransmissions, as announced.
    pub(crate) announced_rtx: Vec<(u32, u32)>,
    /// The stream, from its first packet on.
    pub(crate) stream: Option<ReceiveStream>,
    /// The source of retransmissions, from the first on: later ones need not name their section.
    pub(crate) rtx_ssrc: Option<Ssrc>,
    /// Requests for key frames sent as PLI.
    pub(crate) plis: u64,
    /// Requests for key frames sent as FIR; their number counts them.
    pub(crate) firs: u64,
    /// Whether the user was told that frames wait, and has not yet found the stream empty.
    pub(crate) told: bool,
}

impl Receiving {
    pub(crate) fn new() -> Self {
        Self {
            announced: Vec::new(),
            announced_rtx: Vec::new(),
            stream: None,
            rtx_ssrc: None,
            plis: 0,
            firs: 0,
            told: false,
        }
    }
}

impl Transceiver {
    pub(crate) fn new(
        id: TransceiverId,
        kind: MediaKind,
        direction: Direction,
        ssrc: u32,
        rtx_ssrc: u32,
        track_id: String,
    ) -> Self {
        Self {
            id,
            kind,
            mid: None,
            direction,
            current_direction: None,
            retired: false,
            ssrc,
            rtx_ssrc,
            codec: None,
            mid_extension: None,
            rtcp_rsize: false,
            sender: None,
            receiver: None,
            track_id,
        }
    }

    pub(crate) fn info(&self) -> TransceiverInfo {
        TransceiverInfo {
            id: self.id,
            mid: self.mid.clone(),
            kind: self.kind,
            direction: self.direction,
            current_direction: self.current_direction,
            codec: self.media_type(),
        }
    }

    /// `video/VP8` and the like.
    pub(crate) fn media_type(&self) -> Option<String> {
        self.codec
            .as_ref()
            .map(|codec| format!("{}/{}", self.kind, codec.send.format.name()))
    }

    /// What it brings to a description.
    pub(crate) fn local(&self, stream_id: &str, cname: &str) -> LocalRtp {
        LocalRtp {
            direction: self.direction,
            msid: (stream_id.to_owned(), self.track_id.clone()),
            ssrc: self.ssrc,
            rtx_ssrc: self.rtx_ssrc,
            cname: cname.to_owned(),
        }
    }

    /// The stream that is being sent; none while the direction says that nothing is.
    pub(crate) fn sending(&mut self) -> Option<&mut SendStream> {
        let sends = self.current_direction.is_some_and(Direction::sends);
        self.sender.as_mut().filter(|_| sends)
    }

    /// A stream to send with, for the codec agreed on.
    pub(crate) fn new_sender(&self, config: &Config, seed: u64) -> Option<SendStream> {
        let codec = &self.codec.as_ref()?.send;
        let mut send = SendConfig::new(
            Ssrc(self.ssrc),
            PayloadType(codec.payload_type),
            codec.format,
            seed,
        );
        send.max_packet = config.max_datagram.saturating_sub(MAX_SRTP_OVERHEAD);
        let mid = self.mid.as_ref().map(|mid| mid.as_bytes().to_vec());
        let extension = self
            .mid_extension
            .filter(|extension| extension.direction.sends());
        send.mid = extension.map(|extension| extension.id).zip(mid);
        send.rtx = self.rtx_to_send();
        SendStream::new(&send).ok()
    }

    /// Another round of negotiation may have given other payload types.
    pub(crate) fn renumber_sender(&mut self) {
        let rtx = self.rtx_to_send();
        if let (Some(stream), Some(codec)) = (&mut self.sender, &self.codec) {
            stream.set_payload_types(PayloadType(codec.send.payload_type), rtx);
        }
    }

    /// Where lost packets are sent again, if RTX was agreed on.
    fn rtx_to_send(&self) -> Option<RtxStream> {
        let payload_type = self.codec.as_ref()?.send.rtx?;
        Some(RtxStream {
            ssrc: Ssrc(self.rtx_ssrc),
            payload_type: PayloadType(payload_type),
        })
    }

    /// The stream for packets from `ssrc`, replacing one from another source.
    pub(crate) fn receive_stream(
        &mut self,
        config: &Config,
        ssrc: Ssrc,
    ) -> Option<&mut ReceiveStream> {
        let codec = &self.codec.as_ref()?.receive;
        let receiver = self.receiver.as_mut()?;
        if receiver
            .stream
            .as_ref()
            .is_none_or(|stream| stream.ssrc() != ssrc)
        {
            tracing::debug!(%ssrc, mid = self.mid, "a stream begins");
            let mut receive = ReceiveConfig::new(ssrc, codec.format, codec.feedback.nack);
            if receive.nack {
                receive.max_wait = config.max_repair_delay;
            }
            receiver.stream = ReceiveStream::new(receive).ok();
        }
        receiver.stream.as_mut()
    }
}

/// The most any SRTP profile adds to an RTP packet.
const MAX_SRTP_OVERHEAD: usize = 16;
