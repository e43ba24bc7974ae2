//! STUN and ChannelData out of a stream, however it is cut.

use rtckit_stun::{StreamFramer, frame_len};

use crate::input::Input;

/// The same bytes give the same messages whether they come at once or in pieces, and what is kept has a ceiling.
pub fn target(data: &[u8]) {
    let mut input = Input::new(data);
    let max = input.choose(&[64, 1_500, 65_555]);
    let cuts: Vec<usize> = input
        .vec8()
        .iter()
        .map(|cut| usize::from(*cut) + 1)
        .collect();
    let bytes = input.rest();

    let mut whole = StreamFramer::new(max);
    let (expected, error) = frames(&mut whole, &mut bytes.to_vec());
    // the messages are what their headers say, one behind the other
    let mut rest = bytes;
    for frame in &expected {
        let (len, padded) = frame_len(rest).expect("a message").expect("a header");
        assert_eq!(frame[..], rest[..len]);
        assert!(len <= max);
        rest = &rest[padded..];
    }
    if error.is_none() {
        assert_eq!(whole.held_len(), rest.len());
        assert!(rest.len() <= max + 3);
    }

    let mut framer = StreamFramer::new(max);
    let mut seen = Vec::new();
    let mut rest = bytes;
    let mut cuts = cuts.iter().copied().chain(core::iter::repeat(1_000));
    let mut found = None;
    while !rest.is_empty() && found.is_none() {
        let (now, later) = rest.split_at(cuts.next().unwrap_or(1).min(rest.len()));
        let (messages, error) = frames(&mut framer, &mut now.to_vec());
        seen.extend(messages);
        found = error;
        rest = later;
        assert!(framer.held_len() <= max + 3, "kept more than a message");
    }
    assert_eq!(seen, expected);
    assert_eq!(found, error);
}

fn frames(
    framer: &mut StreamFramer,
    read: &mut [u8],
) -> (Vec<Vec<u8>>, Option<rtckit_stun::FrameError>) {
    let mut seen = Vec::new();
    let mut frames = framer.frames(read);
    loop {
        match frames.next() {
            Ok(Some(frame)) => seen.push(frame.to_vec()),
            Ok(None) => return (seen, None),
            Err(error) => return (seen, Some(error)),
        }
    }
}
