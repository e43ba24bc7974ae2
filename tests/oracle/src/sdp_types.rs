//! sdp-types, which reads every line type and 31 attributes.

use rtckit_sdp::field::Key;
use rtckit_sdp::{Media, Session};
use sdp_types as other;

use crate::fields::{Fields, scope};
use crate::ours::{UNREADABLE, canonical, typed};

/// What it makes of a text, and what we do.
pub fn read(text: &str) -> (Result<Fields, String>, Result<Fields, String>) {
    let theirs = other::Session::parse(text.as_bytes());
    let ours = Session::parse(text);
    (
        theirs
            .map(|session| theirs_of(&session))
            .map_err(|error| error.to_string()),
        ours.map(|session| ours_of(&session))
            .map_err(|error| error.to_string()),
    )
}

fn theirs_of(session: &other::Session) -> Fields {
    let mut fields = Fields::default();
    let origin = &session.origin;
    fields.add("o= username", origin.username.as_deref().unwrap_or("-"));
    fields.add("o= session id", &origin.sess_id);
    fields.add("o= session version", origin.sess_version);
    fields.add(
        "o= address",
        format!(
            "{} {} {}",
            origin.nettype, origin.addrtype, origin.unicast_address
        ),
    );
    fields.add("s=", &session.session_name);
    fields.add_some("i=", session.session_description.as_ref());
    fields.add_some("u=", session.uri.as_ref());
    for value in &session.emails {
        fields.add_attribute("", "e=", value);
    }
    for value in &session.phones {
        fields.add_attribute("", "p=", value);
    }
    fields.add_some("c=", session.connection.as_ref().map(their_connection));
    for value in &session.bandwidths {
        fields.add_attribute("", "b=", format!("{}:{}", value.bwtype, value.bandwidth));
    }
    for time in &session.times {
        fields.add_attribute("", "t=", format!("{} {}", time.start_time, time.stop_time));
        for repeat in &time.repeats {
            let offsets: String = repeat
                .offsets
                .iter()
                .map(|offset| format!(" {offset}"))
                .collect();
            let value = format!(
                "{} {}{offsets}",
                repeat.repeat_interval, repeat.active_duration
            );
            fields.add_attribute("", "r=", value);
        }
    }
    for zone in &session.time_zones {
        fields.add_attribute(
            "",
            "z=",
            format!("{} {}", zone.adjustment_time, zone.offset),
        );
    }
    fields.add_some("k=", session.key.as_ref().map(their_key));
    their_attributes(&mut fields, "", &session.attributes);
    for (index, media) in session.medias.iter().enumerate() {
        let scope = scope(index);
        let mut add =
            |name: &str, value: Option<String>| fields.add_some(format!("{scope}{name}"), value);
        add("kind", Some(media.media.clone()));
        add("port", Some(media.port.to_string()));
        add("ports", media.num_ports.map(|ports| ports.to_string()));
        add("protocol", Some(media.proto.clone()));
        add("formats", Some(media.fmt.clone()));
        add("i=", media.media_title.clone());
        add("k=", media.key.as_ref().map(their_key));
        for value in &media.connections {
            fields.add_attribute(&scope, "c=", their_connection(value));
        }
        for value in &media.bandwidths {
            fields.add_attribute(
                &scope,
                "b=",
                format!("{}:{}", value.bwtype, value.bandwidth),
            );
        }
        their_attributes(&mut fields, &scope, &media.attributes);
    }
    fields
}

fn their_connection(connection: &other::Connection) -> String {
    let other::Connection {
        nettype,
        addrtype,
        connection_address,
    } = connection;
    format!("{nettype} {addrtype} {connection_address}")
}

fn their_key(key: &other::Key) -> String {
    match &key.encryption_key {
        Some(value) => format!("{}:{value}", key.method),
        None => key.method.clone(),
    }
}

fn their_attributes(fields: &mut Fields, scope: &str, attributes: &[other::Attribute]) {
    for attribute in attributes {
        let name = &attribute.attribute;
        let value = attribute.value.as_deref().unwrap_or_default();
        fields.add_attribute(scope, name, canonical(name, &their_value(name, value)));
    }
}

/// The value as its type writes it again, if there is a type of that name.
fn their_value(name: &str, value: &str) -> String {
    macro_rules! by_name {
        ($($type:ident),* $(,)?) => {
            match name {
                $(<other::$type as other::TypedAttribute>::NAME => value
                    .parse::<other::$type>()
                    .map_or(UNREADABLE.to_owned(), |typed| typed.to_string()),)*
                _ => value.to_owned(),
            }
        };
    }
    by_name!(
        Candidate,
        Crypto,
        EndOfCandidates,
        ExtMap,
        Fingerprint,
        Fmtp,
        Group,
        IceLite,
        IceOptions,
        IcePwd,
        IceUfrag,
        KeyMgmt,
        MaxMessageSize,
        MediaClockSource,
        Mid,
        Msid,
        ReferenceClock,
        RemoteCandidates,
        Rid,
        Rtcp,
        RtcpFb,
        RtcpMux,
        RtcpMuxOnly,
        RtcpRsize,
        RtpMap,
        SctpMap,
        SctpPort,
        Setup,
        SourceFilter,
        Ssrc,
        SsrcGroup,
    )
}

fn ours_of(session: &Session<'_>) -> Fields {
    let mut fields = Fields::default();
    if let Ok(origin) = session.origin() {
        fields.add("o= username", origin.username);
        fields.add("o= session id", origin.session_id);
        fields.add("o= session version", origin.session_version);
        fields.add(
            "o= address",
            format!(
                "{} {} {}",
                origin.network_type, origin.address_type, origin.address
            ),
        );
    }
    fields.add("s=", session.name());
    fields.add_some("i=", session.information());
    fields.add_some("u=", session.uri());
    for value in session.emails() {
        fields.add_attribute("", "e=", value);
    }
    for value in session.phones() {
        fields.add_attribute("", "p=", value);
    }
    fields.add_some("c=", session.connection().and_then(Result::ok));
    for value in session.bandwidths().flatten() {
        fields.add_attribute("", "b=", value);
    }
    for value in session.timings().flatten() {
        fields.add_attribute("", "t=", value);
    }
    for value in session.repeats().flatten() {
        fields.add_attribute("", "r=", value);
    }
    for (time, offset) in session
        .zone()
        .and_then(Result::ok)
        .into_iter()
        .flat_map(|zone| zone.adjustments)
    {
        fields.add_attribute("", "z=", format!("{time} {offset}"));
    }
    fields.add_some("k=", session.key().map(our_key));
    for raw in session.attributes() {
        fields.add_attribute("", raw.name, canonical(raw.name, &typed(&raw)));
    }
    for (index, media) in session.media().iter().enumerate() {
        ours_of_media(&mut fields, &scope(index), media);
    }
    fields
}

fn our_key(key: Key<'_>) -> String {
    match key.value {
        Some(value) => format!("{}:{value}", key.method),
        None => key.method.to_owned(),
    }
}

fn ours_of_media(fields: &mut Fields, scope: &str, media: &Media<'_>) {
    let mut add =
        |name: &str, value: Option<String>| fields.add_some(format!("{scope}{name}"), value);
    add("kind", Some(media.kind().to_string()));
    add("port", Some(media.port().to_string()));
    add("ports", media.port_count().map(|ports| ports.to_string()));
    add("protocol", Some(media.protocol().to_owned()));
    add(
        "formats",
        Some(media.formats().collect::<Vec<_>>().join(" ")),
    );
    add("i=", media.information().map(ToOwned::to_owned));
    add("k=", media.key().map(our_key));
    for value in media.connections().flatten() {
        fields.add_attribute(scope, "c=", value);
    }
    for value in media.bandwidths().flatten() {
        fields.add_attribute(scope, "b=", value);
    }
    for raw in media.attributes() {
        fields.add_attribute(scope, raw.name, canonical(raw.name, &typed(&raw)));
    }
}
