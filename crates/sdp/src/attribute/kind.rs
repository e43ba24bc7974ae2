//! The table of all attributes this crate has types for: names, documents, levels.

use super::*;
use crate::reference::Reference;

/// Where an attribute may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// Before the first `m=` line.
    Session,
    /// In a media section.
    Media,
    /// Either.
    Both,
}

/// Makes [`Kind`] and [`Typed`] out of one line for each attribute:
/// `Variant(Type) "name" "document" "section" Level count`, in which `many` says that a section may have several.
macro_rules! kinds {
    ($($kind:ident($type:ty) $name:literal $document:literal $section:literal $level:ident $count:ident;)*) => {
        /// An attribute this crate has a type for. The names are those of the types in
        /// [`attribute`](crate::attribute).
        ///
        /// ```
        /// use rtckit_sdp::attribute::{Kind, Level};
        ///
        /// let kind = Kind::from_name("rtpmap").unwrap();
        /// assert_eq!((kind, kind.level()), (Kind::RtpMap, Level::Media));
        /// assert_eq!(kind.reference().to_string(), "RFC 8866 §6.6");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "the types say what they are")]
        pub enum Kind {
            $($kind,)*
            SendRecv,
            SendOnly,
            RecvOnly,
            Inactive,
        }

        /// The value of an attribute, as the type that belongs to its name: see
        /// [`RawAttribute::typed`](super::RawAttribute::typed).
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "the types say what they are")]
        pub enum Typed<'a> {
            $($kind($type),)*
            Direction(Direction),
        }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[
                $(Self::$kind,)*
                Self::SendRecv,
                Self::SendOnly,
                Self::RecvOnly,
                Self::Inactive,
            ];

            /// The attribute of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Some(match name {
                    $($name => Self::$kind,)*
                    "sendrecv" => Self::SendRecv,
                    "sendonly" => Self::SendOnly,
                    "recvonly" => Self::RecvOnly,
                    "inactive" => Self::Inactive,
                    _ => return None,
                })
            }

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                    Self::SendRecv => "sendrecv",
                    Self::SendOnly => "sendonly",
                    Self::RecvOnly => "recvonly",
                    Self::Inactive => "inactive",
                }
            }

            /// Where it is defined.
            pub const fn reference(self) -> Reference {
                match self {
                    $(Self::$kind => Reference::rfc($document, $section),)*
                    _ => Reference::rfc("8866", "6.7"),
                }
            }

            /// Where it may stand.
            pub const fn level(self) -> Level {
                match self {
                    $(Self::$kind => Level::$level,)*
                    _ => Level::Both,
                }
            }

            /// Whether a session or section may have more than one.
            pub const fn is_repeatable(self) -> bool {
                const fn many() -> bool {
                    true
                }
                const fn once() -> bool {
                    false
                }
                match self {
                    $(Self::$kind => $count(),)*
                    _ => false,
                }
            }

            /// Whether `value`, what follows the colon, is as the RFC has it.
            ///
            /// # Errors
            /// The first departure from the RFC's grammar; columns count from the beginning of `value`.
            pub fn check<'a>(self, value: &'a str) -> Result<(), ParseError> {
                match self {
                    $(Self::$kind => <$type>::check(value),)*
                    _ if value.is_empty() => Ok(()),
                    _ => Err(ParseError::new(self.name(), 0, "no value")),
                }
            }
        }

        impl<'a> Typed<'a> {
            /// Reads the value of this kind of attribute, what follows the colon.
            ///
            /// # Errors
            /// It does not follow its grammar; columns count from the beginning of `value`.
            pub fn parse(kind: Kind, value: &'a str) -> Result<Self, ParseError> {
                Ok(match kind {
                    $(Kind::$kind => Self::$kind(Attribute::parse(value)?),)*
                    Kind::SendRecv => Self::Direction(Direction::SendRecv),
                    Kind::SendOnly => Self::Direction(Direction::SendOnly),
                    Kind::RecvOnly => Self::Direction(Direction::RecvOnly),
                    Kind::Inactive => Self::Direction(Direction::Inactive),
                })
            }

            /// What it is.
            pub const fn kind(&self) -> Kind {
                match self {
                    $(Self::$kind(_) => Kind::$kind,)*
                    Self::Direction(Direction::SendRecv) => Kind::SendRecv,
                    Self::Direction(Direction::SendOnly) => Kind::SendOnly,
                    Self::Direction(Direction::RecvOnly) => Kind::RecvOnly,
                    Self::Direction(Direction::Inactive) => Kind::Inactive,
                }
            }

            /// Writes what follows the colon; nothing for an attribute without a value.
            ///
            /// # Errors
            /// A word is empty or holds a blank, and would not be read back as that word.
            pub fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
                match self {
                    $(Self::$kind(value) => value.write(out),)*
                    Self::Direction(_) => Ok(()),
                }
            }
        }

        #[cfg(test)]
        mod tests {
            use super::*;

            #[test]
            fn the_table_says_what_the_types_say() {
                fn names<'a>() -> &'a [(&'a str, &'a str)] {
                    &[$((<$type as Attribute<'a>>::NAME, $name)),*]
                }
                assert!(names().iter().all(|(of_type, of_table)| of_type == of_table));
                for kind in Kind::ALL {
                    assert_eq!(Kind::from_name(kind.name()), Some(*kind));
                    assert!(!kind.reference().document.is_empty());
                }
                assert!(Kind::ALL.len() <= 128, "the checker keeps a bit for each");
            }
        }
    };
}

// Those of which a session has many come first: names are compared in this order.
kinds! {
    RtpMap(RtpMap<'a>) "rtpmap" "8866" "6.6" Media many;
    RtcpFb(RtcpFb<'a>) "rtcp-fb" "4585" "4.2" Media many;
    Fmtp(Fmtp<'a>) "fmtp" "8866" "6.15" Media many;
    ExtMap(ExtMap<'a>) "extmap" "8285" "5" Both many;
    Candidate(Candidate<'a>) "candidate" "8839" "5.1" Media many;
    Ssrc(Ssrc<'a>) "ssrc" "5576" "4.1" Media many;
    SsrcGroup(SsrcGroup<'a>) "ssrc-group" "5576" "4.2" Media many;
    Rid(Rid<'a>) "rid" "8851" "10" Media many;
    Mid(Mid<'a>) "mid" "5888" "4" Media once;
    Msid(Msid<'a>) "msid" "8830" "2" Media many;
    Rtcp(Rtcp<'a>) "rtcp" "3605" "2.1" Media once;
    IceUfrag(IceUfrag<'a>) "ice-ufrag" "8839" "5.4" Both once;
    IcePwd(IcePwd<'a>) "ice-pwd" "8839" "5.4" Both once;
    IceOptions(IceOptions<'a>) "ice-options" "8839" "5.6" Both once;
    Fingerprint(Fingerprint<'a>) "fingerprint" "8122" "5" Both many;
    Setup(Setup) "setup" "4145" "4" Both once;
    RtcpMux(RtcpMux) "rtcp-mux" "5761" "5.1.1" Media once;
    RtcpRsize(RtcpRsize) "rtcp-rsize" "5506" "5" Media once;
    RtcpMuxOnly(RtcpMuxOnly) "rtcp-mux-only" "8858" "3" Media once;
    Group(Group<'a>) "group" "5888" "5" Session many;
    BundleOnly(BundleOnly) "bundle-only" "9143" "6" Media once;
    ExtMapAllowMixed(ExtMapAllowMixed) "extmap-allow-mixed" "8285" "6" Both once;
    MsidSemantic(MsidSemantic<'a>) "msid-semantic" "draft-ietf-mmusic-msid" "" Session many;
    Simulcast(Simulcast<'a>) "simulcast" "8853" "5.1" Media once;
    EndOfCandidates(EndOfCandidates) "end-of-candidates" "8840" "8.1" Both once;
    RemoteCandidates(RemoteCandidates<'a>) "remote-candidates" "8839" "5.2" Media once;
    IceLite(IceLite) "ice-lite" "8839" "5.3" Session once;
    IceMismatch(IceMismatch) "ice-mismatch" "8839" "5.3" Media once;
    IcePacing(IcePacing) "ice-pacing" "8839" "5.5" Session once;
    TlsId(TlsId<'a>) "tls-id" "8842" "4" Both once;
    Reuse(Reuse) "connection" "4145" "5" Both once;
    SctpPort(SctpPort) "sctp-port" "8841" "5" Media once;
    MaxMessageSize(MaxMessageSize) "max-message-size" "8841" "6" Media once;
    SctpMap(SctpMap<'a>) "sctpmap" "draft-ietf-mmusic-sctp-sdp-04" "" Media many;
    SctpInit(SctpInit<'a>) "sctp-init" "draft-hancke-tsvwg-snap" "" Media once;
    Crypto(Crypto<'a>) "crypto" "4568" "9" Media many;
    KeyMgmt(KeyMgmt<'a>) "key-mgmt" "4567" "3.1" Both many;
    Cryptex(Cryptex) "cryptex" "9335" "4" Both once;
    PTime(PTime<'a>) "ptime" "8866" "6.4" Media once;
    MaxPTime(MaxPTime<'a>) "maxptime" "8866" "6.5" Media once;
    FrameRate(FrameRate<'a>) "framerate" "8866" "6.13" Media once;
    Quality(Quality) "quality" "8866" "6.14" Media once;
    ImageAttr(ImageAttr<'a>) "imageattr" "6236" "3.1.1" Media many;
    RtcpXr(RtcpXr<'a>) "rtcp-xr" "3611" "5.1" Both once;
    Content(Content<'a>) "content" "4796" "5" Media once;
    Label(Label<'a>) "label" "4574" "4" Media once;
    SourceFilter(SourceFilter<'a>) "source-filter" "4570" "3" Both many;
    TsRefClk(TsRefClk<'a>) "ts-refclk" "7273" "4.8" Both many;
    MediaClk(MediaClk<'a>) "mediaclk" "7273" "5.4" Both many;
    Keywds(Keywds<'a>) "keywds" "8866" "6.2" Session once;
    Charset(Charset<'a>) "charset" "8866" "6.10" Session once;
    SdpLang(SdpLang<'a>) "sdplang" "8866" "6.11" Both many;
    Lang(Lang<'a>) "lang" "8866" "6.12" Both many;
    Tool(Tool<'a>) "tool" "8866" "6.3" Session once;
    Cat(Cat<'a>) "cat" "8866" "6.1" Session once;
    ConferenceType(ConferenceType<'a>) "type" "8866" "6.9" Session once;
    Orient(Orient<'a>) "orient" "8866" "6.8" Media once;
}
