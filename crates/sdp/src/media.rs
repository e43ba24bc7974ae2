//! A media section: [RFC 8866 §5.14](https://www.rfc-editor.org/rfc/rfc8866.html#section-5.14).

use crate::{
    attribute::{Direction, Mid},
    codec::{self, Codec},
    error::{Error, ParseError},
    field::Connection,
    grammar::{Parsed, after, fail, is_blank, next_number, next_word, number, token, whole},
    line::Line,
    section::{Section, check_word, join, section_methods},
};
use alloc::{format, vec::Vec};
use core::fmt;

/// The protocols of WebRTC's `m=` lines. Compare them without regard to case.
pub mod protocol {
    /// RTP with feedback in SRTP keyed by DTLS, over UDP
    /// ([RFC 5764](https://www.rfc-editor.org/rfc/rfc5764.html)).
    pub const UDP_TLS_RTP_SAVPF: &str = "UDP/TLS/RTP/SAVPF";
    /// The same over TCP.
    pub const TCP_TLS_RTP_SAVPF: &str = "TCP/TLS/RTP/SAVPF";
    /// Data channels ([RFC 8841](https://www.rfc-editor.org/rfc/rfc8841.html)).
    pub const UDP_DTLS_SCTP: &str = "UDP/DTLS/SCTP";
    /// The same over TCP.
    pub const TCP_DTLS_SCTP: &str = "TCP/DTLS/SCTP";
    /// Data channels in the drafts before RFC 8841.
    pub const DTLS_SCTP: &str = "DTLS/SCTP";
}

/// What kind of media a section describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaKind<'a> {
    /// `audio`
    Audio,
    /// `video`
    Video,
    /// `application`: data channels.
    Application,
    /// Another: `text`, `message`, `image`.
    Other(&'a str),
}

impl<'a> MediaKind<'a> {
    /// Reads the word.
    pub fn from_name(name: &'a str) -> Self {
        match name {
            "audio" => Self::Audio,
            "video" => Self::Video,
            "application" => Self::Application,
            _ => Self::Other(name),
        }
    }

    /// The word.
    pub const fn as_str(&self) -> &'a str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Application => "application",
            Self::Other(name) => name,
        }
    }
}

impl fmt::Display for MediaKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One `m=` line and the lines that follow it.
///
/// ```text
/// m=audio 49170/2 RTP/AVP 0 8 97
///   │     │     │ │       └ formats: for RTP, payload types, best first
///   │     │     │ └ protocol
///   │     │     └ number of ports, if not 1
///   │     └ port
///   └ kind
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media<'a> {
    /// The `m=` line. Its grammar was checked: it has at least four words.
    pub(crate) line: Line<'a>,
    pub(crate) section: Section<'a>,
    port: u16,
    ports: Option<u32>,
}

impl<'a> Media<'a> {
    /// Reads the `m=` line of a section, and makes room for so many lines after it.
    pub(crate) fn parse(line: Line<'a>, room: usize) -> Result<Self, ParseError> {
        // Elsewhere a NUL is kept as it is; of an m= line the words are written again, in answers not least.
        if let Some(at) = line.value().find('\0') {
            let expected = "no NUL: the words of an m= line are tokens";
            return Err(ParseError::new("m=", at, expected).at(line.number(), 2));
        }
        let (port, ports) =
            whole("m=", line.value(), media).map_err(|error| error.at(line.number(), 2))?;
        Ok(Self {
            line,
            section: Section::with_room(room),
            port,
            ports,
        })
    }

    /// A section with nothing in it but its `m=` line and, as JSEP wants it, `c=IN IP4 0.0.0.0`.
    ///
    /// # Errors
    /// A word of the line is not one, or there is no format.
    pub fn new<F: fmt::Display>(
        kind: MediaKind<'_>,
        port: u16,
        protocol: &str,
        formats: impl IntoIterator<Item = F>,
    ) -> Result<Self, Error> {
        let line = media_line(kind.as_str(), port, None, protocol, &join(formats))?;
        let mut media = Self {
            line,
            section: Section::new(),
            port,
            ports: None,
        };
        media.set_connection(&Connection::UNSPECIFIED)?;
        Ok(media)
    }

    /// A section whose `m=` line is still to come, with `c=IN IP4 0.0.0.0`.
    pub(crate) fn blank() -> Media<'static> {
        let mut media = Media {
            line: Line::blank(),
            section: Section::new(),
            port: 0,
            ports: None,
        };
        // Its words are words.
        let set = media.set_connection(&Connection::UNSPECIFIED);
        debug_assert!(set.is_ok());
        media
    }

    /// The same section with the `m=` line of another.
    pub(crate) fn with_line_of(self, other: Self) -> Self {
        Self {
            section: self.section,
            ..other
        }
    }

    /// The same section, independent of the text it was parsed from.
    pub fn into_owned(self) -> Media<'static> {
        Media {
            line: self.line.into_owned(),
            section: self.section.into_owned(),
            ..self
        }
    }

    /// The `m=` line as it stands.
    pub const fn media_line(&self) -> &Line<'a> {
        &self.line
    }

    /// The kind of media.
    pub fn kind(&self) -> MediaKind<'_> {
        MediaKind::from_name(self.words().next().unwrap_or_default())
    }

    /// The port: 9 before candidates are known, 0 for a rejected section, or one that has no transport but its group's: see
    /// [`Session::is_rejected`](crate::Session::is_rejected).
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The number of ports, if the line gives one.
    pub const fn port_count(&self) -> Option<u32> {
        self.ports
    }

    /// The protocol: one of those in [`protocol`], or another.
    pub fn protocol(&self) -> &str {
        self.words().nth(2).unwrap_or_default()
    }

    /// The formats: for RTP, payload types, best first.
    pub fn formats(&self) -> impl Iterator<Item = &str> {
        self.words().skip(3)
    }

    /// The formats that are payload types, 0 to 127.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> {
        let numbers = self.formats().filter_map(|format| format.parse().ok());
        numbers.filter(|number| *number < 128)
    }

    /// Sets the port; to 0, to reject the section.
    pub fn set_port(&mut self, port: u16) {
        let protocol = self.protocol();
        let formats = join(self.formats());
        let line = media_line(self.kind().as_str(), port, self.ports, protocol, &formats);
        // The other words stood in the line before.
        debug_assert!(line.is_ok());
        if let Ok(line) = line {
            self.line = line.replacing(&self.line);
            self.port = port;
        }
    }

    /// Sets the number of ports.
    pub(crate) fn set_port_count(&mut self, ports: Option<u32>) {
        self.ports = ports;
        self.set_port(self.port);
    }

    /// Sets the formats.
    ///
    /// # Errors
    /// There is none, or one is not a word. Nothing was changed.
    pub fn set_formats<F: fmt::Display>(
        &mut self,
        formats: impl IntoIterator<Item = F>,
    ) -> Result<(), Error> {
        let formats = join(formats);
        let kind = self.kind();
        let line = media_line(
            kind.as_str(),
            self.port,
            self.ports,
            self.protocol(),
            &formats,
        )?;
        self.line = line.replacing(&self.line);
        Ok(())
    }

    /// The section's `a=mid`, if it has a well-formed one.
    pub fn mid(&self) -> Option<&str> {
        let mid = self.attribute::<Mid<'_>>()?;
        mid.ok().map(|Mid(mid)| mid)
    }

    /// The direction the section itself gives; see
    /// [`Session::direction_of`](crate::Session::direction_of) for the one that holds.
    pub fn direction(&self) -> Option<Direction> {
        self.section.direction()
    }

    /// The codecs in the order of the `m=` line, joined from `a=rtpmap`, `a=fmtp` and `a=rtcp-fb`, and from
    /// RFC 3551 for the payload types that need no `a=rtpmap`. Malformed attributes and payload types that
    /// nobody explains are passed over. At most 128.
    pub fn codecs(&self) -> Vec<Codec<'_>> {
        codec::join(self)
    }

    /// All `c=` lines: a media section may have several, for layered multicast.
    ///
    /// # Errors
    /// Each for itself.
    pub fn connections(&self) -> impl Iterator<Item = Result<Connection<'_>, ParseError>> {
        self.section.connections()
    }

    section_methods!();

    fn words(&self) -> impl Iterator<Item = &str> {
        let words = self.line.value().split(is_blank);
        words.filter(|word| !word.is_empty())
    }
}

/// `media SP port ["/" integer] SP proto 1*(SP fmt)`, of which the port is kept.
fn media(input: &str) -> Parsed<'_, (u16, Option<u32>)> {
    let (input, _) = token("a kind of media such as audio")(input)?;
    if !input.is_empty() && !input.starts_with(is_blank) {
        return fail(input, "a kind of media of token characters, and a space");
    }
    let (input, port) = next_number("a port from 0 to 65535")(input)?;
    let (input, ports) = after("/", number("a number of ports"))(input)?;
    let (input, _) = next_word("a protocol such as UDP/TLS/RTP/SAVPF")(input)?;
    let (_, _) = next_word("a format such as a payload type")(input)?;
    Ok(("", (port, ports)))
}

/// Whether the value of an `m=` line follows its grammar, as the parser takes it.
pub(crate) fn check(value: &str) -> Result<(), ParseError> {
    whole("m=", value, media).map(drop)
}

fn media_line(
    kind: &str,
    port: u16,
    ports: Option<u32>,
    protocol: &str,
    formats: &str,
) -> Result<Line<'static>, Error> {
    check_word(kind, "m=")?;
    check_word(protocol, "m=")?;
    let text = match ports {
        Some(ports) => format!("m={kind} {port}/{ports} {protocol} {formats}"),
        None => format!("m={kind} {port} {protocol} {formats}"),
    };
    let line = Line::new(text, "m=")?;
    whole("m=", line.value(), media).map_err(Error::Unreadable)?;
    Ok(line)
}
