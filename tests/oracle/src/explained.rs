//! Why we read something differently than others do, and who is right.

use std::fmt;

/// A field of which another reader says something else.
#[derive(Clone, Debug)]
pub struct Disagreement {
    pub reader: &'static str,
    pub sample: String,
    pub field: String,
    pub ours: String,
    pub theirs: String,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            reader,
            sample,
            field,
            ours,
            theirs,
        } = self;
        write!(
            f,
            "{sample}: {field}: we have {ours:?}, {reader} has {theirs:?}"
        )
    }
}

/// Who reads it as its document has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    We,
    They,
    /// Either reading is allowed, or both say the same in other words.
    Both,
    /// The text breaks a rule. Others refuse it for that, or that part of it; we read what can be read. Such a row holds
    /// only for texts of which `rtckit_sdp::check` has something to say.
    Lenient,
}

/// A row of the table: which disagreements it explains, and how. In `sample`, `field`, `ours` and `theirs` a `*` stands for
/// anything.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub reader: &'static str,
    pub sample: &'static str,
    pub field: &'static str,
    pub ours: &'static str,
    pub theirs: &'static str,
    pub right: Right,
    pub why: &'static str,
    /// The document that has the rule, and its section.
    pub reference: &'static str,
}

impl Row {
    pub fn explains(&self, disagreement: &Disagreement) -> bool {
        matches(self.reader, disagreement.reader)
            && matches(self.sample, &disagreement.sample)
            && matches(self.field, &disagreement.field)
            && matches(self.ours, &disagreement.ours)
            && matches(self.theirs, &disagreement.theirs)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let right = match self.right {
            Right::We => "we are right",
            Right::They => "they are right",
            Right::Both => "both are right",
            Right::Lenient => "the text is wrong, we are lenient and check() says so",
        };
        let Self {
            reader,
            field,
            why,
            reference,
            ..
        } = self;
        write!(f, "{reader}, {field}: {right}: {why} ({reference})")
    }
}

/// Whether a text fits a pattern in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(first) else {
        return false;
    };
    let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    starts.any(|at| text.get(at..).is_some_and(|tail| matches(rest, tail)))
}

/// All that is known. The first row that fits a disagreement explains it.
#[rustfmt::skip]
pub const EXPLAINED: &[Row] = &[
    Row {
        reader: "webrtc-sdp", sample: "*", field: "msid-semantic[*]",
        ours: "WMS*", theirs: "WMS* *",
        right: Right::Both,
        why: "\"WMS\" without a stream and \"WMS *\" for all streams mean the same: nothing is listed; the draft has expired",
        reference: "draft-ietf-mmusic-msid",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "s=",
        ours: "", theirs: " ",
        right: Right::Both,
        why: "an empty name is written with a space, and it writes it so",
        reference: "RFC 8866 §5.3",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "media[*].protocol",
        ours: "udp/tls/rtp/savpf", theirs: "UDP/TLS/RTP/SAVPF",
        right: Right::Both,
        why: "it has the registered name, we the text, which is compared without regard to case",
        reference: "RFC 8866 §8.2.3",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "media[*].fmtp * minptime[0]",
        ours: "0", theirs: "10",
        right: Right::Both,
        why: "it looks for this parameter whatever the codec; that codec has no such parameter",
        reference: "RFC 7587 §6.1",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "media[*].fmtp * useinbandfec[0]",
        ours: "1", theirs: "0",
        right: Right::We,
        why: "a parameter after \"; \" is one: blanks around it are no part of its name; the examples of the RFC have them",
        reference: "RFC 7587 §7",
    },
    Row {
        reader: "webrtc-sdp", sample: "mut_fmtp_no_value__*", field: "media[*].fmtp *",
        ours: "*", theirs: "(none)",
        right: Right::Lenient,
        why: "an a=fmtp without parameters: it drops the line, we have a format without parameters",
        reference: "RFC 8866 §6.15",
    },
    Row {
        reader: "sdp-types", sample: "mut_fmtp_no_value__*", field: "media[*].fmtp[*]",
        ours: "*", theirs: "(unreadable)",
        right: Right::Lenient,
        why: "an a=fmtp without parameters: we have a format without parameters",
        reference: "RFC 8866 §6.15",
    },
    Row {
        reader: "webrtc-sdp", sample: "mut_space_after_eq__*", field: "media[*].mid[*]",
        ours: "(none)", theirs: "0",
        right: Right::We,
        why: "\"a= mid:0\": no white space is allowed after the =, so this is no a=mid",
        reference: "RFC 8866 §5",
    },
    Row {
        reader: "webrtc-sdp", sample: "mut_uppercase_types__*", field: "media[*].mid[*]",
        ours: "(none)", theirs: "0",
        right: Right::We,
        why: "\"A=mid:0\": the letters of line types are case-significant",
        reference: "RFC 8866 §5",
    },
    Row {
        reader: "sdp-types", sample: "mut_tab_separators__*", field: "media[0].kind",
        ours: "audio", theirs: "audio\t*\tUDP/TLS/RTP/SAVPF",
        right: Right::Lenient,
        why: "words between tabs: we separate them as if the tabs were spaces, as both browsers do; it takes three words for one",
        reference: "RFC 8866 §9",
    },
    Row {
        reader: "sdp-types", sample: "mut_tab_separators__*", field: "media[0].port",
        ours: "*", theirs: "1*",
        right: Right::Lenient,
        why: "words between tabs: it takes the first payload type for the port",
        reference: "RFC 8866 §9",
    },
    Row {
        reader: "sdp-types", sample: "mut_tab_separators__*", field: "media[0].protocol",
        ours: "UDP/TLS/RTP/SAVPF", theirs: "*",
        right: Right::Lenient,
        why: "words between tabs: it takes the second payload type for the protocol",
        reference: "RFC 8866 §9",
    },
    Row {
        reader: "sdp-types", sample: "mut_tab_separators__*", field: "media[0].formats",
        ours: "1* 9 0 8 *", theirs: "*0 8 *",
        right: Right::Lenient,
        why: "words between tabs: the formats that are left when it has taken two for port and protocol",
        reference: "RFC 8866 §9",
    },
    Row {
        reader: "sdp-types", sample: "mut_o_sess_id_huge__*", field: "o= session id",
        ours: "18446744073709551615", theirs: "*",
        right: Right::They,
        why: "a session id has any number of digits; ours ends at 64 bits (the line is kept as it is)",
        reference: "RFC 8866 §5.2",
    },
    Row {
        reader: "webrtc-sdp", sample: "mut_o_sess_id_huge__*", field: "whole text",
        ours: "read", theirs: "refused: *number too large*",
        right: Right::We,
        why: "a session id has any number of digits",
        reference: "RFC 8866 §5.2",
    },
    Row {
        reader: "*", sample: "mut_b_lines__*", field: "whole text",
        ours: "read", theirs: "refused: *",
        right: Right::Lenient,
        why: "\"b=CT:x\" is not a bandwidth: the line says nothing, the others do",
        reference: "RFC 8866 §5.8",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *Without connection type at session level*",
        right: Right::Lenient,
        why: "a section without a c= line: WebRTC uses candidates",
        reference: "RFC 8866 §5.7",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *Unknow candidate type value*",
        right: Right::Both,
        why: "the grammar has room for other types of candidate: who does not know one ignores the candidate",
        reference: "RFC 8839 §5.1",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *candidate transport value*",
        right: Right::Both,
        why: "the grammar has room for other transports: who does not know one ignores the candidate",
        reference: "RFC 8839 §5.1",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *port can only be a bit 16bit number*",
        right: Right::Lenient,
        why: "a port of more than 16 bits in a candidate: that candidate is unreadable",
        reference: "RFC 8839 §5.1",
    },
    Row {
        reader: "sdp-types", sample: "mut_nul_byte__*", field: "whole text",
        ours: "read", theirs: "refused: *NUL or CR*",
        right: Right::Lenient,
        why: "a NUL in the session name, which is for people only",
        reference: "RFC 8866 §9",
    },
    Row {
        reader: "*", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *Line not in key=value format*",
        right: Right::Lenient,
        why: "a line that is not SDP: kept, and passed over",
        reference: "RFC 8866 §5",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *missing = character in line*",
        right: Right::Lenient,
        why: "a line that is not SDP: kept, and passed over",
        reference: "RFC 8866 §5",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *unknown sdp type*",
        right: Right::Lenient,
        why: "a type of line that there is not: kept, and passed over",
        reference: "RFC 8866 §5",
    },
    Row {
        reader: "webrtc-sdp", sample: "mut_truncated_mid_line__*", field: "whole text",
        ours: "read", theirs: "refused: *Rtcp attribute is missing ip address token*",
        right: Right::Lenient,
        why: "the text ends in the middle of an a=rtcp: that line is unreadable",
        reference: "RFC 3605 §2.1",
    },
    Row {
        reader: "sdp-types", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: Invalid version at line 1*",
        right: Right::Lenient,
        why: "v=1: there is no such version, and nothing that would follow from it",
        reference: "RFC 8866 §5.1",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *version type contains unsupported value*",
        right: Right::Lenient,
        why: "v=1: there is no such version, and nothing that would follow from it",
        reference: "RFC 8866 §5.1",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *third line needs to be session*",
        right: Right::Lenient,
        why: "a text without an s= line",
        reference: "RFC 8866 §5.3",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *unsupported type email*",
        right: Right::We,
        why: "there may be e= lines",
        reference: "RFC 8866 §5.6",
    },
    Row {
        reader: "webrtc-sdp", sample: "mut_m_proto_unknown__*", field: "whole text",
        ours: "read", theirs: "refused: *not allowed at session level*",
        right: Right::We,
        why: "a protocol may be any token: it drops a section whose protocol it does not know, and takes what is in it for the session's",
        reference: "RFC 8866 §5.14",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *not allowed at session level*",
        right: Right::Lenient,
        why: "an attribute of media sections in the session",
        reference: "RFC 8866 §5.13",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *Simulcast RIDs must be defined*",
        right: Right::Lenient,
        why: "a=simulcast names a rid that there is not",
        reference: "RFC 8853 §5.2",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *ingerprint *",
        right: Right::Lenient,
        why: "a fingerprint without a digest, or with one of another length than its hash has",
        reference: "RFC 8122 §5",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *a=candidate: 1 *",
        right: Right::Lenient,
        why: "candidates without a foundation, as a conference server sends them: ours is empty",
        reference: "RFC 8839 §5.1",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *Unsupported setup value*",
        right: Right::Lenient,
        why: "an a=setup without a role",
        reference: "RFC 4145 §4",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *Unknown direction description*",
        right: Right::Lenient,
        why: "an a=rid that neither sends nor receives",
        reference: "RFC 8851 §10",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *Sctpport port*",
        right: Right::Lenient,
        why: "a port of more than 16 bits",
        reference: "RFC 8841 §5",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *a=sctp-port*",
        right: Right::Lenient,
        why: "an a=sctp-port without a port",
        reference: "RFC 8841 §5",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *Rtpmap missing codec name*",
        right: Right::Lenient,
        why: "an a=rtpmap without a clock rate",
        reference: "RFC 8866 §6.6",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *Msid attribute is missing msid-id token*",
        right: Right::Lenient,
        why: "an a=msid without a stream",
        reference: "RFC 8830 §2",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *A fmtp*parameter must be*",
        right: Right::We,
        why: "the parameters of a format it does not know can have any form",
        reference: "RFC 8866 §6.15",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *a=ssrc:4294967296*",
        right: Right::Lenient,
        why: "an SSRC of more than 32 bits",
        reference: "RFC 5576 §4.1",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *a=imageattr:*",
        right: Right::Lenient,
        why: "an a=imageattr without a payload type",
        reference: "RFC 6236 §3.1.1",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *a=rtcp:34er21*",
        right: Right::Lenient,
        why: "an a=rtcp whose port is not a number",
        reference: "RFC 3605 §2.1",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *a=ptime:0.125*",
        right: Right::We,
        why: "an a=ptime may have decimals",
        reference: "RFC 8866 §6.4",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *value is empty*a=",
        right: Right::Lenient,
        why: "an attribute without a name",
        reference: "RFC 8866 §5.13",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *fe80::1%eth0*",
        right: Right::Lenient,
        why: "an address with a zone is not an address of the grammar: we have it as a name",
        reference: "RFC 8839 §5.1",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *invalid IPv4 address*0.a.b.0*",
        right: Right::Lenient,
        why: "the address of the o= line is for nothing but uniqueness",
        reference: "RFC 8866 §5.2",
    },
    Row {
        reader: "sdp-types", sample: "*", field: "*ice-options[*]",
        ours: "google-ice", theirs: "(unreadable)",
        right: Right::Lenient,
        why: "\"google-ice\" has a character that no ICE option has",
        reference: "RFC 8839 §5.6",
    },
    Row {
        reader: "sdp-types", sample: "*", field: "*ice-ufrag[*]",
        ours: "*", theirs: "(unreadable)",
        right: Right::Lenient,
        why: "a user name fragment with other characters than ICE has, or too short",
        reference: "RFC 8839 §5.4",
    },
    Row {
        reader: "sdp-types", sample: "*", field: "*ice-pwd[*]",
        ours: "*", theirs: "(unreadable)",
        right: Right::Lenient,
        why: "a password with other characters than ICE has, too short or too long",
        reference: "RFC 8839 §5.4",
    },
    Row {
        reader: "sdp-types", sample: "*", field: "media[*].msid[*]",
        ours: "*", theirs: "(unreadable)",
        right: Right::Lenient,
        why: "a stream with a slash, which no token has",
        reference: "RFC 8830 §2",
    },
    Row {
        reader: "sdp-types", sample: "*", field: "media[*].mid[*]",
        ours: "secondary;", theirs: "(unreadable)",
        right: Right::Lenient,
        why: "a mid with a semicolon, which no token has",
        reference: "RFC 5888 §4",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "media[*].mid[*]",
        ours: "(unreadable)", theirs: "0 x",
        right: Right::We,
        why: "a mid is one token",
        reference: "RFC 5888 §4",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "media[*].msid[*]",
        ours: "(unreadable)", theirs: "stream_id track_id",
        right: Right::We,
        why: "an a=msid has two words at most",
        reference: "RFC 8830 §2",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "media[*].extmap[*]",
        ours: "(unreadable)", theirs: "*",
        right: Right::We,
        why: "header extensions are numbered from 1 to 255, or from 4096 to 4351",
        reference: "RFC 8285 §5",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "media[*].candidate[*]",
        ours: "*[2001:db8::1]*", theirs: "*2001:db8::1*",
        right: Right::Lenient,
        why: "brackets are no part of an IPv6 address in a candidate; we have it as a name",
        reference: "RFC 8839 §5.1",
    },
    Row {
        reader: "sdp-types", sample: "mozilla_33.sdp", field: "media[*].imageattr[*]",
        ours: "(unreadable)", theirs: "flob",
        right: Right::We,
        why: "it has no type for a=imageattr and repeats the text",
        reference: "RFC 6236 §3.1.1",
    },
    Row {
        reader: "sdp-types", sample: "*", field: "media[*].fmtp[*]",
        ours: "120 x-google*", theirs: "120   x-google*",
        right: Right::Both,
        why: "it keeps blanks before the first parameter, which are none of its name",
        reference: "RFC 8866 §6.15",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "media[*].imageattr[*]",
        ours: "*q=1.0]", theirs: "*q=1]",
        right: Right::Both,
        why: "the same number",
        reference: "RFC 6236 §3.1.1",
    },
    Row {
        reader: "sdp-types", sample: "*", field: "media[*].simulcast[*]",
        ours: "send 3 recv 1;2", theirs: "recv 1;2 send 3",
        right: Right::Both,
        why: "it has no type for a=simulcast and repeats the text; either direction may come first, we write what is sent first",
        reference: "RFC 8853 §5.1",
    },
    Row {
        reader: "sdp-types", sample: "*", field: "media[*].rtcp-fb[*]",
        ours: "* ccm pause nowait", theirs: "* ccm pause",
        right: Right::We,
        why: "\"ccm pause\" has parameters, of which it keeps none",
        reference: "RFC 7728 §9",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "media[*].fmtp * max-f*[0]",
        ours: "30", theirs: "0",
        right: Right::We,
        why: "a parameter after \"; \" is one: blanks around it are no part of its name",
        reference: "RFC 7741 §6.2",
    },
    Row {
        reader: "webrtc-sdp", sample: "rfc8853.txt 03", field: "media[1].fmtp 100 *",
        ours: "*", theirs: "*",
        right: Right::Both,
        why: "H264-SVC: it reads the parameters of any codec as those of H.264; we leave those of a codec we have no type for as they are",
        reference: "RFC 6190 §7.1",
    },
    Row {
        reader: "webrtc-sdp", sample: "*", field: "whole text",
        ours: "read", theirs: "refused: *unsupported type phone*",
        right: Right::We,
        why: "there may be p= lines",
        reference: "RFC 8866 §5.6",
    },
];
