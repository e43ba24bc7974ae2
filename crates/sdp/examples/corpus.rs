//! Parses and writes back every `*.sdp` of a folder: `cargo run -p rtckit-sdp --example corpus DIR`.
//!
//! It fails if a text is not written as it was read. Texts that are refused are listed with the reason, and
//! attributes that do not follow their grammar are counted by name.

use core::error::Error;
use rtckit_sdp::{ParseError, Session, attribute::*};
use std::{collections::BTreeMap, env, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("usage: corpus DIR")?;
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sdp"));
    files.sort();

    let (mut same, mut refused, mut altered) = (0, 0, 0);
    let mut malformed = BTreeMap::new();
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let bytes = fs::read(file)?;
        let Ok(text) = core::str::from_utf8(&bytes) else {
            println!("refused  {name}: not UTF-8");
            refused += 1;
            continue;
        };
        match Session::parse(text) {
            Ok(session) if session.to_string() == text => {
                same += 1;
                count_malformed(&session, &mut malformed);
            }
            Ok(_) => {
                println!("ALTERED  {name}");
                altered += 1;
            }
            Err(error) => {
                println!("refused  {name}: {error}");
                refused += 1;
            }
        }
    }
    println!("{same} written as read, {refused} refused, {altered} altered");
    for (error, (count, example)) in malformed {
        println!("malformed {count:>5}  {error}  such as {example:?}");
    }
    match altered {
        0 => Ok(()),
        _ => Err("some texts were altered".into()),
    }
}

/// How often something was malformed, and an example of it.
type Counts = BTreeMap<String, (usize, String)>;

fn count_malformed(session: &Session<'_>, counts: &mut Counts) {
    let media = session.media().iter();
    let attributes = session
        .attributes()
        .chain(media.flat_map(|media| media.attributes()));
    for attribute in attributes {
        if let Some(error) = check(&attribute) {
            let what = format!("{}: expected {}", error.field, error.expected);
            let example = attribute.value.unwrap_or_default().chars().take(60);
            let count = counts.entry(what).or_insert_with(|| (0, example.collect()));
            count.0 += 1;
        }
    }
}

/// Reads the attribute as whatever it is.
fn check(raw: &RawAttribute<'_>) -> Option<ParseError> {
    macro_rules! any {
        ($($type:ty),*) => { None$(.or_else(|| raw.parse::<$type>().map(Result::err)))* };
    }
    any!(
        Candidate<'_>,
        Crypto<'_>,
        Fingerprint<'_>,
        Setup,
        TlsId<'_>,
        ExtMap<'_>,
        Fmtp<'_>,
        Group<'_>,
        Label<'_>,
        Mid<'_>,
        Msid<'_>,
        MsidSemantic<'_>,
        IceOptions<'_>,
        IcePacing,
        IcePwd<'_>,
        IceUfrag<'_>,
        RemoteCandidates<'_>,
        ImageAttr<'_>,
        Rtcp<'_>,
        RtcpFb<'_>,
        RtcpXr<'_>,
        RtpMap<'_>,
        MaxMessageSize,
        SctpMap<'_>,
        SctpPort,
        Rid<'_>,
        Simulcast<'_>,
        Ssrc<'_>,
        SsrcGroup<'_>,
        FrameRate<'_>,
        MaxPTime<'_>,
        PTime<'_>
    )
    .flatten()
}
