//! Whatever is built is read back as it was meant; whatever is read is written as it was; nothing panics.

use proptest::{collection::vec, prelude::*, sample::Index};
use rtckit_sdp::{Candidate, Media, MediaKind, Origin, Session, attribute::*, field::*};

const OFFER: &str =
    include_str!("../testdata/browsers/firefox153_firefox_live_simulcast_offer.sdp");

fn word() -> impl Strategy<Value = String> {
    "[!-~äé🎥]{1,12}"
}

fn token() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9._-]{1,12}"
}

/// Reads and uses everything a session offers.
fn exercise(session: &Session<'_>) {
    let _ = (
        session.origin(),
        session.connection(),
        session.zone(),
        session.key(),
    );
    let _ = session.timings().count() + session.repeats().count() + session.bandwidths().count();
    for media in session.media() {
        let _ = (
            media.codecs(),
            media.kind(),
            media.mid(),
            media.is_rejected(),
        );
        let _ = session.direction_of(media);
        for raw in media.attributes().chain(session.attributes()) {
            macro_rules! all {
                ($($type:ty),* $(,)?) => { $(
                    if let Some(Ok(read)) = raw.parse::<$type>() {
                        let mut text = String::new();
                        if read.write(&mut text).is_ok() {
                            let again = <$type as Attribute<'_>>::parse(&text);
                            assert_eq!(again.as_ref(), Ok(&read), "{text:?}");
                        }
                    }
                )* };
            }
            all!(
                Candidate<'_>,
                Crypto<'_>,
                ExtMap<'_>,
                Fingerprint<'_>,
                Fmtp<'_>,
                Group<'_>,
                IceOptions<'_>,
                IcePwd<'_>,
                IceUfrag<'_>,
                ImageAttr<'_>,
                MaxMessageSize,
                Mid<'_>,
                Msid<'_>,
                MsidSemantic<'_>,
                PTime<'_>,
                RemoteCandidates<'_>,
                Rid<'_>,
                Rtcp<'_>,
                RtcpFb<'_>,
                RtcpXr<'_>,
                RtpMap<'_>,
                SctpMap<'_>,
                SctpPort,
                Setup,
                Simulcast<'_>,
                Ssrc<'_>,
                SsrcGroup<'_>,
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_built_session_is_read_back(
        ids in any::<(u64, u64)>(),
        name in "[ -~é]{0,20}",
        mids in vec(token(), 0..4),
        ports in any::<u16>(),
        formats in vec(0u8..128, 1..8),
        words in (word(), word(), token(), word()),
        numbers in any::<(u32, u16, u32, u8)>(),
        digest in any::<[u8; 32]>(),
        directions in (0usize..4, 0usize..4),
    ) {
        let mut session = Session::new(&Origin::anonymous(ids.0, ids.1)).unwrap();
        session.set_name(&name).unwrap();
        let group = Group::bundle(mids.iter().map(String::as_str));
        session.push(group.clone()).unwrap();
        let fingerprint = Fingerprint::sha_256(digest);
        session.push(fingerprint).unwrap();
        session.set_timing(Timing { start: ids.1, stop: ids.0 });

        let mut media = Media::new(MediaKind::Other(&words.2), ports, &words.0, &formats).unwrap();
        let rtpmap = RtpMap {
            payload_type: formats[0], encoding: &words.2, clock_rate: numbers.0, channels: Some(numbers.1),
        };
        media.push(rtpmap).unwrap();
        let candidate = Candidate {
            foundation: &words.0,
            component: numbers.1,
            transport: CandidateTransport::Udp,
            priority: numbers.2,
            address: Address::Ip(digest.first_chunk::<16>().copied().unwrap().into()),
            port: ports,
            kind: CandidateKind::Relayed,
            related: Some((Address::Ip([127, 0, 0, 1].into()), numbers.1)),
            tcp_type: Some(TcpType::Passive),
            extensions: vec![("ufrag", words.3.as_str())],
        };
        media.push(candidate.clone()).unwrap();
        let extension = ExtMap {
            id: u16::from(numbers.3.max(1)), direction: Some(Direction::ALL[directions.0]), uri: &words.1, attributes: "",
        };
        media.push(extension).unwrap();
        media.set_direction(Direction::ALL[directions.1]);
        let ssrc = Ssrc { ssrc: numbers.0, attribute: &words.2, value: Some(&words.3) };
        media.push(ssrc).unwrap();
        session.push_media(media);

        let text = session.to_string();
        let read = Session::parse(&text).unwrap();
        prop_assert_eq!(&read, &session);
        prop_assert_eq!(read.to_string(), text.as_str());
        prop_assert_eq!(read.name(), name.as_str());
        prop_assert_eq!(read.origin().unwrap(), Origin::anonymous(ids.0, ids.1));
        prop_assert_eq!(read.attribute(), Some(Ok(group)));
        prop_assert_eq!(read.attribute(), Some(Ok(fingerprint)));
        let media = &read.media()[0];
        prop_assert!(media.payload_types().eq(formats.iter().copied()));
        prop_assert_eq!(media.attribute(), Some(Ok(rtpmap)));
        prop_assert_eq!(media.attribute(), Some(Ok(candidate)));
        prop_assert_eq!(media.attribute(), Some(Ok(extension)));
        prop_assert_eq!(media.attribute(), Some(Ok(ssrc)));
        prop_assert_eq!(media.direction(), Some(Direction::ALL[directions.1]));
    }

    #[test]
    fn a_damaged_offer_is_read_or_refused(
        edits in vec((any::<Index>(), prop_oneof![
            any::<char>().prop_map(String::from),
            "[\r\n \t:;,/=~*\\[\\]0-9-]{1,3}",
            Just(String::new()),
            (any::<Index>(), any::<Index>()).prop_map(|(from, to)| {
                let lines: Vec<&str> = OFFER.split_inclusive('\n').collect();
                let (from, to) = (from.index(lines.len()), to.index(lines.len()));
                lines[from.min(to)..from.max(to)].concat()
            }),
        ], 0usize..40), 1..8),
    ) {
        let mut text = OFFER.to_owned();
        for (place, insert, cut) in edits {
            let places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
            let first = place.index(places.len());
            let end = places.get(first + cut).copied().unwrap_or(text.len());
            text.replace_range(places[first]..end, &insert);
        }
        match Session::parse(&text) {
            Ok(session) => {
                prop_assert_eq!(session.to_string(), text.as_str());
                exercise(&session);
            }
            Err(error) => prop_assert!(!error.explain(&text).to_string().is_empty()),
        }
    }

    #[test]
    fn any_attribute_value_is_read_or_refused(name in "[a-z-]{1,4}|candidate|simulcast|fingerprint|rid|rtcp|ssrc|extmap", value in "\\PC{0,40}|[ 0-9a-z:;,/~*]{0,40}") {
        let text = format!("v=0\no=- 1 1 IN IP4 0.0.0.0\nm=audio 9 RTP/AVP 0\na={name}:{value}\n");
        let session = Session::parse(&text).unwrap();
        prop_assert_eq!(session.to_string(), text.as_str());
        exercise(&session);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(v=0\r?\n)?(o=- 1 1 IN IP4 a\n)?([a-z]=[ -~]{0,20}\r?\n|m=\\PC{0,30}\n|\\PC{0,10}){0,12}") {
        match Session::parse(&text) {
            Ok(session) => {
                prop_assert_eq!(session.to_string(), text.as_str());
                exercise(&session);
            }
            Err(error) => prop_assert!(!error.explain(&text).to_string().is_empty()),
        }
    }

    #[test]
    fn an_edit_leaves_the_other_lines_alone(section in any::<Index>(), mid in token()) {
        let mut session = Session::parse(OFFER).unwrap();
        let count = session.media().len();
        session.media_mut()[section.index(count)].set(Mid(&mid)).unwrap();
        let text = session.to_string();
        let changed = text.lines().zip(OFFER.lines()).filter(|(new, old)| new != old).count();
        prop_assert_eq!(text.lines().count(), OFFER.lines().count());
        prop_assert!(changed <= 1);
    }
}
