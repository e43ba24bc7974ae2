//! Shows what a session description says: `cargo run -p rtckit-sdp --example inspect FILE` (`-` for stdin).
//!
//! Where the text is malformed, it says so and shows the place; the rest is shown nonetheless.

use core::error::Error;
use rtckit_sdp::{
    Candidate, Media, ParseError, Session,
    attribute::{Attribute, ExtMap, Fingerprint, IceUfrag, MaxMessageSize, Rid, SctpPort, Setup},
};
use std::{env, fs, io, process::ExitCode};

fn main() -> ExitCode {
    match inspect() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn inspect() -> Result<(), Box<dyn Error>> {
    let file = env::args().nth(1).ok_or("usage: inspect FILE")?;
    let text = match file.as_str() {
        "-" => io::read_to_string(io::stdin())?,
        file => fs::read_to_string(file)?,
    };
    let session = Session::parse(&text).map_err(|error| error.explain(&text).to_string())?;

    let origin = session.origin()?;
    println!(
        "session {} version {} by {}, {} lines",
        origin.session_id,
        origin.session_version,
        origin.username,
        text.lines().count()
    );
    for group in session.bundle_groups() {
        println!("  bundle {}", group.mids.join(" "));
    }
    for media in session.media() {
        show(&session, media, &text);
    }
    Ok(())
}

fn show(session: &Session<'_>, media: &Media<'_>, text: &str) {
    println!(
        "{} mid={} port={} {} {}{}",
        media.kind(),
        media.mid().unwrap_or("-"),
        media.port(),
        media.protocol(),
        session.direction_of(media),
        if session.is_rejected(media) {
            " rejected"
        } else {
            ""
        },
    );
    if let Some(IceUfrag(ufrag)) = inherited(session, media, text) {
        println!("  ufrag {ufrag}");
    }
    if let Some(fingerprint) = inherited::<Fingerprint<'_>>(session, media, text) {
        println!("  {} {}", fingerprint.hash, fingerprint.digest);
    }
    if let Some(setup) = inherited::<Setup>(session, media, text) {
        println!("  setup {}", setup.as_str());
    }
    for codec in media.codecs() {
        let fmtp: Vec<_> = codec.fmtp.iter().map(|fmtp| fmtp.0).collect();
        let feedback: Vec<_> = codec.feedback.iter().map(ToString::to_string).collect();
        println!(
            "  {:>3} {}/{} {} [{}]",
            codec.payload_type(),
            codec.rtpmap.encoding,
            codec.rtpmap.clock_rate,
            fmtp.join(" "),
            feedback.join(", "),
        );
    }
    for extension in all::<ExtMap<'_>>(media, text) {
        println!("  extension {:>2} {}", extension.id, extension.uri);
    }
    for rid in all::<Rid<'_>>(media, text) {
        println!("  rid {} {}", rid.id, rid.direction);
    }
    for candidate in all::<Candidate<'_>>(media, text) {
        println!("  {candidate}");
    }
    for SctpPort(port) in all(media, text) {
        let size = inherited::<MaxMessageSize>(session, media, text).unwrap_or_default();
        println!("  sctp port {port}, messages up to {} bytes", size.0);
    }
}

fn inherited<'s, A: Attribute<'s>>(
    session: &'s Session<'_>,
    media: &'s Media<'_>,
    text: &str,
) -> Option<A> {
    well_formed(session.attribute_for(media)?, text)
}

fn all<'s, A: Attribute<'s>>(media: &'s Media<'_>, text: &str) -> impl Iterator<Item = A> {
    media
        .attributes_of()
        .filter_map(move |attribute| well_formed(attribute, text))
}

fn well_formed<A>(attribute: Result<A, ParseError>, text: &str) -> Option<A> {
    attribute
        .inspect_err(|error| eprintln!("{}", error.explain(text)))
        .ok()
}
