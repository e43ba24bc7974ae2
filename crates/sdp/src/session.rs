//! A session description: [RFC 8866 §5](https://www.rfc-editor.org/rfc/rfc8866.html#section-5).

use crate::{
    attribute::{Attribute, BundleOnly, Direction, Group},
    error::{Error, ParseError},
    field::{Origin, Repeat, TimeDescription, Timing, Zone},
    line::Line,
    media::Media,
    section::{Section, check_word, section_methods},
};
use alloc::vec::Vec;

/// What a text may cost before it is refused. The defaults hold the largest conference offers and keep what is made of a
/// stranger's text under 2 MB beside the text, and under 2.5 MB of its own once it is
/// [independent of it](Session::into_owned): of 1 MiB in 32 768 lines, which costs most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The length of the text, in bytes.
    pub bytes: usize,
    /// The number of lines.
    pub lines: usize,
    /// The length of a line, in bytes.
    pub line_bytes: usize,
    /// The number of media sections.
    pub media: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 1 << 20,
            lines: 1 << 15,
            line_bytes: 1 << 14,
            media: 1 << 9,
        }
    }
}

/// A session description: an offer, an answer, or any other SDP.
///
/// ```text
/// v=0                                    ┐
/// o=- 4611731400430051336 2 IN IP4 …     │ the session: `origin`, `name`, `timings`,
/// s=-                                    │ its attributes
/// t=0 0                                  │
/// a=group:BUNDLE 0                       ┘
/// m=audio 9 UDP/TLS/RTP/SAVPF 111        ┐
/// c=IN IP4 0.0.0.0                       │ one `Media` per m= line, with its attributes
/// a=mid:0                                ┘
/// ```
///
/// It keeps every line as it was written: [`Display`](core::fmt::Display) gives back the bytes that were
/// parsed, and an edit changes its own line only. What lines mean is read on demand, so a malformed
/// attribute spoils nothing but itself.
///
/// Only three things are demanded of a text, all of which the browsers demand as well: that it begins with
/// `v=`, that there is an `o=` line of six words, and that each `m=` line has its four. Unknown and
/// misplaced lines are kept, missing ones missed only by who asks for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session<'a> {
    pub(crate) section: Section<'a>,
    media: Vec<Media<'a>>,
}

impl<'a> Session<'a> {
    /// Reads a text, within the default [`Limits`].
    ///
    /// # Errors
    /// The text is not SDP, or too much of it.
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        Self::parse_within(text, &Limits::default())
    }

    /// Reads a text, within limits of your own.
    ///
    /// # Errors
    /// The text is not SDP, or too much of it.
    pub fn parse_within(text: &'a str, limits: &Limits) -> Result<Self, ParseError> {
        let session = Self::read(text, limits)?;
        let first = session.section.lines.first();
        if first.and_then(Line::kind) != Some('v') {
            return Err(ParseError::new("v=", 0, "v=0 to begin the text").at(1, 0));
        }
        session.origin()?;
        Ok(session)
    }

    /// Reads a fragment: attributes and media sections without `v=` and `o=`, as trickled candidates travel
    /// over SIP and HTTP ([RFC 8840 §9](https://www.rfc-editor.org/rfc/rfc8840.html#section-9),
    /// [RFC 9725 §4.3](https://www.rfc-editor.org/rfc/rfc9725.html#section-4.3)).
    ///
    /// # Errors
    /// An `m=` line is malformed, or it is too much text.
    ///
    /// ```
    /// use rtckit_sdp::{Candidate, Session};
    ///
    /// let text = "a=ice-ufrag:EsAw\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
    ///             a=candidate:1 1 udp 2130706431 192.0.2.1 3478 typ host\r\n";
    /// let fragment = Session::parse_fragment(text)?;
    /// let candidate = fragment.media()[0].attribute::<Candidate>().unwrap()?;
    /// assert_eq!(candidate.port, 3478);
    /// # Ok::<(), rtckit_sdp::ParseError>(())
    /// ```
    pub fn parse_fragment(text: &'a str) -> Result<Self, ParseError> {
        Self::read(text, &Limits::default())
    }

    fn read(text: &'a str, limits: &Limits) -> Result<Self, ParseError> {
        if text.len() > limits.bytes {
            let expected = match limits.bytes == Limits::default().bytes {
                true => "no more than 1048576 bytes of text",
                false => "a shorter text: there is a limit to its bytes",
            };
            return Err(ParseError::new("the text", limits.bytes, expected));
        }
        /// Most sections have some 20 to 200 lines.
        const ROOM: usize = 32;
        /// How many sections get room in advance: a text of empty sections gets no more memory than it is worth.
        const ROOMY: usize = 16;

        let mut section = Section::with_room(ROOM);
        let mut media: Vec<Media<'a>> = Vec::new();
        let mut number = 0;
        let mut rest = text;
        while !rest.is_empty() {
            number += 1;
            let (line, after) = Line::parse(rest, number)?;
            rest = after;
            check_limits(&line, media.len(), limits)?;
            match (line.kind(), media.last_mut()) {
                (Some('m'), _) => {
                    let room = if media.len() < ROOMY { ROOM } else { 0 };
                    media.push(Media::parse(line, room)?);
                }
                (_, Some(media)) => media.section.lines.push(line),
                (_, None) => section.lines.push(line),
            }
        }
        Ok(Self { section, media })
    }

    /// A session with nothing in it: `v=0`, the origin, `s=-`, `t=0 0`.
    ///
    /// # Errors
    /// A word of the origin is not one.
    pub fn new(origin: &Origin<'_>) -> Result<Self, Error> {
        let mut session = Self::new_fragment();
        session.section.set('v', "v=", 0)?;
        session.set_origin(origin)?;
        session.set_name("-")?;
        session.set_timing(Timing::default());
        Ok(session)
    }

    /// A fragment with nothing in it; see [`parse_fragment`](Self::parse_fragment).
    pub fn new_fragment() -> Self {
        Self {
            section: Section::new(),
            media: Vec::new(),
        }
    }

    /// The same session, independent of the text it was parsed from.
    pub fn into_owned(self) -> Session<'static> {
        Session {
            section: self.section.into_owned(),
            media: self.media.into_iter().map(Media::into_owned).collect(),
        }
    }

    /// The `v=` line as it stands: `0`, of any SDP there is.
    pub fn version(&self) -> &str {
        self.section.value('v').unwrap_or_default()
    }

    /// The `o=` line.
    ///
    /// # Errors
    /// It is missing or malformed; never in a session as [`parse`](Self::parse) returned it.
    pub fn origin(&self) -> Result<Origin<'_>, ParseError> {
        let missing = ParseError::new("o=", 0, "an o= line: who made the session");
        let mut origins = self.section.fields('o', Origin::parse);
        origins.next().unwrap_or_else(|| Err(missing.at(1, 0)))
    }

    /// Sets the `o=` line.
    ///
    /// # Errors
    /// A word of it is not one. Nothing was changed.
    pub fn set_origin(&mut self, origin: &Origin<'_>) -> Result<(), Error> {
        for word in [
            origin.username,
            origin.network_type,
            origin.address_type,
            origin.address,
        ] {
            check_word(word, "o=")?;
        }
        self.section.set('o', "o=", origin)
    }

    /// The `s=` line: the session's name, for people; `-` or empty for none.
    pub fn name(&self) -> &str {
        self.section.value('s').unwrap_or_default()
    }

    /// Sets the `s=` line.
    ///
    /// # Errors
    /// It would end the line early. Nothing was changed.
    pub fn set_name(&mut self, name: &str) -> Result<(), Error> {
        self.section.set('s', "s=", name)
    }

    /// The `u=` line: where more can be read about the session.
    pub fn uri(&self) -> Option<&str> {
        self.section.value('u')
    }

    /// The `e=` lines: whom to write to.
    pub fn emails(&self) -> impl Iterator<Item = &str> {
        self.section.values('e').map(|(value, _)| value)
    }

    /// The `p=` lines: whom to call.
    pub fn phones(&self) -> impl Iterator<Item = &str> {
        self.section.values('p').map(|(value, _)| value)
    }

    /// The `t=` lines: when the session is on.
    ///
    /// # Errors
    /// Each for itself.
    pub fn timings(&self) -> impl Iterator<Item = Result<Timing, ParseError>> {
        self.section.fields('t', Timing::parse)
    }

    /// Sets the first `t=` line.
    pub fn set_timing(&mut self, timing: Timing) {
        // Its text is two numbers, which no line refuses.
        let set = self.section.set('t', "t=", timing);
        debug_assert!(set.is_ok());
    }

    /// The `r=` lines: how the session repeats. Each belongs to the `t=` line before it.
    ///
    /// # Errors
    /// Each for itself.
    pub fn repeats(&self) -> impl Iterator<Item = Result<Repeat, ParseError>> {
        self.section.fields('r', Repeat::parse)
    }

    /// The `t=` lines, each with the `r=` lines that belong to it: those that follow it.
    ///
    /// ```
    /// use rtckit_sdp::Session;
    ///
    /// let text = "v=0\no=- 1 1 IN IP4 192.0.2.1\nt=3724394400 3724398000\nr=7d 1h 0 25h\nt=0 0\n";
    /// let session = Session::parse(text)?;
    /// let times: Vec<_> = session.times().collect::<Result<_, _>>()?;
    /// assert_eq!(times[0].repeats[0].interval, 7 * 24 * 3600);
    /// assert!(times[1].repeats.is_empty());
    /// # Ok::<(), rtckit_sdp::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// Each for itself.
    pub fn times(&self) -> impl Iterator<Item = Result<TimeDescription, ParseError>> {
        let lines = &self.section.lines;
        let starts = lines.iter().enumerate();
        let starts = starts.filter(|(_, line)| line.kind() == Some('t'));
        starts.map(|(place, line)| {
            let at = |error: ParseError, line: &Line<'_>| error.at(line.number(), 2);
            let timing = Timing::parse(line.value()).map_err(|error| at(error, line))?;
            let rest = lines.get(place + 1..).unwrap_or_default().iter();
            let repeats = rest.take_while(|line| line.kind() == Some('r'));
            let repeats = repeats
                .map(|line| Repeat::parse(line.value()).map_err(|error| at(error, line)))
                .collect::<Result<_, _>>()?;
            Ok(TimeDescription { timing, repeats })
        })
    }

    /// The first `z=` line: when clocks are changed.
    ///
    /// # Errors
    /// It does not follow its grammar.
    pub fn zone(&self) -> Option<Result<Zone, ParseError>> {
        self.section.fields('z', Zone::parse).next()
    }

    /// The media sections.
    pub fn media(&self) -> &[Media<'a>] {
        &self.media
    }

    /// The media sections, to add, remove and change them.
    pub fn media_mut(&mut self) -> &mut Vec<Media<'a>> {
        &mut self.media
    }

    /// Adds a media section after the others.
    pub fn push_media(&mut self, media: Media<'a>) {
        self.media.push(media);
    }

    /// The media section of this `a=mid`.
    pub fn media_by_mid(&self, mid: &str) -> Option<&Media<'a>> {
        self.media.iter().find(|media| media.mid() == Some(mid))
    }

    /// An attribute that holds for a media section if the session has it: the section's own, else the
    /// session's. So are the ICE and DTLS attributes, directions and `extmap` to be read.
    ///
    /// # Errors
    /// It does not follow `A`'s grammar.
    pub fn attribute_for<'s, A: Attribute<'s>>(
        &'s self,
        media: &'s Media<'_>,
    ) -> Option<Result<A, ParseError>> {
        media.attribute().or_else(|| self.attribute())
    }

    /// The direction that holds for a media section: its own, else the session's, else both ways.
    pub fn direction_of(&self, media: &Media<'_>) -> Direction {
        let own = media.direction();
        own.or_else(|| self.section.direction()).unwrap_or_default()
    }

    /// Whether a media section of this session is rejected, or was stopped: port 0, and not bundle-only in a BUNDLE group.
    /// Outside of one that attribute is discarded
    /// ([RFC 9143 §6](https://www.rfc-editor.org/rfc/rfc9143.html#section-6)), which a section by itself cannot tell.
    ///
    /// For a bundle-only section all lines of the session and all words of its groups are read each time: who asks of every
    /// section of a stranger's text had better make an [`Outline`](crate::offer_answer::Outline::of), which reads them once.
    pub fn is_rejected(&self, media: &Media<'_>) -> bool {
        let in_group = || {
            let mid = media.mid();
            mid.is_some_and(|mid| self.bundle_groups().any(|group| group.mids.contains(&mid)))
        };
        media.port() == 0 && !(media.has(BundleOnly::NAME) && in_group())
    }

    /// The well-formed BUNDLE groups
    /// ([RFC 9143](https://www.rfc-editor.org/rfc/rfc9143.html)).
    pub fn bundle_groups(&self) -> impl Iterator<Item = Group<'_>> {
        let groups = self.section.attributes_of::<Group<'_>>();
        groups.filter_map(Result::ok).filter(Group::is_bundle)
    }

    section_methods!();
}

fn check_limits(line: &Line<'_>, media: usize, limits: &Limits) -> Result<(), ParseError> {
    let number = line.number();
    let error = |column, expected| Err(ParseError::new("the text", column, expected).at(number, 0));
    let usual = Limits::default();
    // Whoever reads the message may never have seen this crate: it names no field of it.
    if number as usize > limits.lines {
        error(
            0,
            match limits.lines == usual.lines {
                true => "no more than 32768 lines",
                false => "fewer lines: there is a limit to them",
            },
        )
    } else if line.text().len() > limits.line_bytes {
        error(
            limits.line_bytes,
            match limits.line_bytes == usual.line_bytes {
                true => "no more than 16384 bytes in a line",
                false => "a shorter line: there is a limit to its bytes",
            },
        )
    } else if line.kind() == Some('m') && media >= limits.media {
        error(
            0,
            match limits.media == usual.media {
                true => "no more than 512 media sections",
                false => "fewer media sections: there is a limit to them",
            },
        )
    } else {
        Ok(())
    }
}
