//! Sessions made from nothing, which pass all that this crate checks or do not come about.

use crate::{
    attribute::{Attribute, Direction, Feedback, Fmtp, Parameters, RtcpFb, RtpMap},
    error::Error,
    field::{Bandwidth, Connection, Origin, Repeat, Timing, Zone},
    media::{Media, MediaKind},
    session::Session,
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

/// Makes a [`Session`]; begun by [`Session::builder`].
///
/// Lines may be given in any order and are written in that of the RFC. [`build`](Self::build) gives the session only if
/// [`Session::check`] finds nothing in it and it is within the usual [`Limits`](crate::Limits), so that
/// [`Session::parse_strict`] reads whatever was built.
///
/// ```
/// use rtckit_sdp::{
///     CodecBuilder, Media, MediaKind, Origin, Rule, Error, Session,
///     attribute::{Feedback, Group, Mid},
///     protocol,
/// };
///
/// let video = Media::builder(MediaKind::Video, 9, protocol::UDP_TLS_RTP_SAVPF)
///     .codec(CodecBuilder::new(96, "VP8", 90_000).feedback(Feedback::NACK_PLI))
///     .codec(CodecBuilder::new(97, "rtx", 90_000).parameters("apt=96"))
///     .attribute(Mid("0"));
/// let session = Session::builder(&Origin::anonymous(1, 1))
///     .attribute(Group::bundle(["0"]))
///     .media(video.clone())
///     .build()?;
/// assert!(Session::parse_strict(&session.to_string()).is_ok());
///
/// // Nothing that is wrong comes out of it: here, a group of a section that is not there.
/// let wrong = Session::builder(&Origin::anonymous(1, 1)).attribute(Group::bundle(["1"])).media(video).build();
/// let Err(Error::Deviation(deviation)) = wrong else { panic!() };
/// assert_eq!(deviation.rule, Rule::Undefined);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SessionBuilder {
    session: Session<'static>,
    has_time: bool,
    wrong: Option<Error>,
}

impl Session<'static> {
    /// Begins a session: `v=0`, the origin, `s=-`, `t=0 0`.
    pub fn builder(origin: &Origin<'_>) -> SessionBuilder {
        let (session, wrong) = match Session::new(origin) {
            Ok(session) => (session, None),
            Err(error) => (Session::new_fragment(), Some(error)),
        };
        SessionBuilder {
            session,
            has_time: false,
            wrong,
        }
    }
}

/// Notes the first thing that went wrong.
macro_rules! note {
    ($self:ident, $result:expr) => {{
        let result: Result<(), Error> = $result;
        if let Err(error) = result {
            $self.wrong.get_or_insert(error);
        }
        $self
    }};
}

impl SessionBuilder {
    /// The session's name, for people.
    pub fn name(mut self, name: &str) -> Self {
        note!(self, self.session.set_name(name))
    }

    /// What the session is about, for people.
    pub fn information(mut self, text: &str) -> Self {
        note!(self, self.session.push_line('i', text))
    }

    /// Where more can be read about the session.
    pub fn uri(mut self, uri: &str) -> Self {
        note!(self, self.session.push_line('u', uri))
    }

    /// Whom to write to; may be given several times.
    pub fn email(mut self, address: &str) -> Self {
        note!(self, self.session.push_line('e', address))
    }

    /// Whom to call; may be given several times.
    pub fn phone(mut self, number: &str) -> Self {
        note!(self, self.session.push_line('p', number))
    }

    /// The address for all sections that have none.
    pub fn connection(mut self, connection: &Connection<'_>) -> Self {
        note!(self, self.session.set_connection(connection))
    }

    /// A bandwidth; may be given several times.
    pub fn bandwidth(mut self, bandwidth: &Bandwidth<'_>) -> Self {
        note!(self, self.session.push_bandwidth(bandwidth))
    }

    /// When the session is on; may be given several times.
    pub fn time(mut self, timing: Timing) -> Self {
        if self.has_time {
            return note!(self, self.session.push_line('t', timing));
        }
        self.has_time = true;
        self.session.set_timing(timing);
        self
    }

    /// How the time given last repeats.
    pub fn repeat(mut self, repeat: &Repeat) -> Self {
        note!(self, self.session.push_line('r', repeat))
    }

    /// When clocks are changed, for the repetitions given last.
    pub fn zone(mut self, zone: &Zone) -> Self {
        note!(self, self.session.push_line('z', zone))
    }

    /// An attribute of the session.
    pub fn attribute<'x, A: Attribute<'x>>(mut self, attribute: A) -> Self {
        note!(self, self.session.push(attribute))
    }

    /// An attribute this crate has no type for.
    pub fn raw_attribute(mut self, name: &str, value: Option<&str>) -> Self {
        note!(self, self.session.push_raw(name, value))
    }

    /// The direction of all sections that have none.
    pub fn direction(mut self, direction: Direction) -> Self {
        self.session.set_direction(direction);
        self
    }

    /// A media section, after those that are there.
    pub fn media(mut self, media: MediaBuilder) -> Self {
        match media.build() {
            Ok(media) => {
                self.session.push_media(media);
                self
            }
            Err(error) => note!(self, Err(error)),
        }
    }

    /// The session.
    ///
    /// # Errors
    /// A value cannot be written, or departs from its RFC: the first that does, with line and column of the text that
    /// would have been written. Or the text would exceed the usual [`Limits`](crate::Limits), and [`Error::Unreadable`]
    /// says which.
    pub fn build(self) -> Result<Session<'static>, Error> {
        if let Some(error) = self.wrong {
            return Err(error);
        }
        match self.session.check().first() {
            Some(deviation) => Err(Error::Deviation(*deviation)),
            None => {
                let text = self.session.to_string();
                match Session::parse(&text) {
                    Ok(_) => Ok(self.session),
                    Err(error) => Err(Error::Unreadable(error)),
                }
            }
        }
    }
}

/// Makes a [`Media`] section of a [`SessionBuilder`]; begun by [`Media::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct MediaBuilder {
    kind: String,
    port: u16,
    protocol: String,
    formats: Vec<String>,
    media: Media<'static>,
    wrong: Option<Error>,
}

impl Media<'static> {
    /// Begins a media section. Its formats are added with [`format`](MediaBuilder::format) and
    /// [`codec`](MediaBuilder::codec); its `c=` is `IN IP4 0.0.0.0` until another is given.
    pub fn builder(kind: MediaKind<'_>, port: u16, protocol: &str) -> MediaBuilder {
        MediaBuilder {
            kind: kind.as_str().into(),
            port,
            protocol: protocol.into(),
            formats: Vec::new(),
            media: Media::blank(),
            wrong: None,
        }
    }
}

impl MediaBuilder {
    /// A format that needs no more words, such as `webrtc-datachannel` or a payload type of RFC 3551.
    pub fn format(mut self, format: impl fmt::Display) -> Self {
        self.formats.push(format.to_string());
        self
    }

    /// A codec: its payload type as a format, its `a=rtpmap`, `a=fmtp` and `a=rtcp-fb`.
    pub fn codec(mut self, codec: CodecBuilder) -> Self {
        self.formats.push(codec.payload_type.to_string());
        note!(self, codec.push_to(&mut self.media))
    }

    /// What the section is about, for people.
    pub fn information(mut self, text: &str) -> Self {
        note!(self, self.media.push_line('i', text))
    }

    /// Where the media go.
    pub fn connection(mut self, connection: &Connection<'_>) -> Self {
        note!(self, self.media.set_connection(connection))
    }

    /// A bandwidth; may be given several times.
    pub fn bandwidth(mut self, bandwidth: &Bandwidth<'_>) -> Self {
        note!(self, self.media.push_bandwidth(bandwidth))
    }

    /// An attribute of the section.
    pub fn attribute<'x, A: Attribute<'x>>(mut self, attribute: A) -> Self {
        note!(self, self.media.push(attribute))
    }

    /// An attribute this crate has no type for.
    pub fn raw_attribute(mut self, name: &str, value: Option<&str>) -> Self {
        note!(self, self.media.push_raw(name, value))
    }

    /// The section's direction.
    pub fn direction(mut self, direction: Direction) -> Self {
        self.media.set_direction(direction);
        self
    }

    fn build(self) -> Result<Media<'static>, Error> {
        if let Some(error) = self.wrong {
            return Err(error);
        }
        let kind = MediaKind::from_name(&self.kind);
        let line = Media::new(kind, self.port, &self.protocol, &self.formats)?;
        Ok(self.media.with_line_of(line))
    }
}

/// A codec of a [`MediaBuilder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct CodecBuilder {
    payload_type: u8,
    encoding: String,
    clock_rate: u32,
    channels: Option<u16>,
    parameters: Option<String>,
    feedback: Vec<(String, String)>,
}

impl CodecBuilder {
    /// A codec of this name and clock rate under a payload type, 0 to 127.
    pub fn new(payload_type: u8, encoding: &str, clock_rate: u32) -> Self {
        Self {
            payload_type,
            encoding: encoding.into(),
            clock_rate,
            channels: None,
            parameters: None,
            feedback: Vec::new(),
        }
    }

    /// The number of audio channels, if it is not 1.
    pub const fn channels(mut self, channels: u16) -> Self {
        self.channels = Some(channels);
        self
    }

    /// The text of its `a=fmtp`, as the types of [`parameters`](crate::parameters) write it.
    pub fn parameters(mut self, parameters: impl fmt::Display) -> Self {
        self.parameters = Some(parameters.to_string());
        self
    }

    /// A feedback message that may be sent about it.
    pub fn feedback(mut self, feedback: Feedback<'_>) -> Self {
        let Feedback { kind, parameter } = feedback;
        self.feedback.push((kind.into(), parameter.into()));
        self
    }

    fn push_to(&self, media: &mut Media<'_>) -> Result<(), Error> {
        media.push(RtpMap {
            payload_type: self.payload_type,
            encoding: &self.encoding,
            clock_rate: self.clock_rate,
            channels: self.channels,
        })?;
        for (kind, parameter) in &self.feedback {
            media.push(RtcpFb {
                payload_type: Some(self.payload_type),
                feedback: Feedback::new(kind, parameter),
            })?;
        }
        match &self.parameters {
            Some(parameters) => media.push(Fmtp {
                format: &self.payload_type.to_string(),
                parameters: Parameters(parameters),
            }),
            None => Ok(()),
        }
    }
}
