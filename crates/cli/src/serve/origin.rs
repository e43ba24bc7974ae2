//! Which web pages may use the endpoint.
//!
//! An answer holds the addresses of this machine, and a call costs it something, so not every page that someone
//! happens to look at may have one. A page may if it came from here, or if `--allow-origin` names where it came
//! from; browsers tell by the `Origin` header, and ask before they send what is not a plain form
//! ([CORS](https://fetch.spec.whatwg.org/#http-cors-protocol)). Who sends no `Origin` is no page and may as well.
//!
//! "From here" is less than `Origin` being the same as `Host`: a site whose name is pointed at this machine
//! after its page was loaded (DNS rebinding) sends both as it likes. An address and `localhost` cannot be pointed
//! elsewhere, and with HTTPS the certificate would not fit; other names have to be allowed.

use core::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Server;
use super::refusal::Refusal;

/// What pages from elsewhere may send.
const METHODS: &str = "GET, POST, PATCH, DELETE";

/// What they may say about it.
const REQUEST_HEADERS: &str = "content-type, if-match, authorization";

/// What they may see of the answers.
const RESPONSE_HEADERS: &str = "location, etag, accept-patch, retry-after, rtckit-media";

/// How long a browser may remember this, in seconds.
const MAX_AGE: &str = "600";

/// An origin that `--allow-origin` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Any,
    /// As browsers write it.
    One(String),
}

impl Origin {
    /// Reads the argument of `--allow-origin`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let text = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
        let is_origin = text.split_once("://").is_some_and(|(scheme, rest)| {
            matches!(scheme, "http" | "https")
                && !rest.contains('@')
                && rest.parse::<Authority>().is_ok()
        });
        if is_origin {
            Ok(Self::One(text))
        } else {
            Err("it must be like https://example.org or http://example.org:8000, or *".into())
        }
    }

    fn is(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::One(allowed) => allowed.eq_ignore_ascii_case(origin),
        }
    }
}

/// Refuses pages that have no business here, answers browsers that ask first, and lets everyone else through.
pub(crate) async fn check(
    State(server): State<Arc<Server>>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let Some(origin) = request.headers().get(header::ORIGIN).cloned() else {
        return next.run(request).await;
    };
    let is_allowed = origin.to_str().is_ok_and(|origin| {
        server
            .options
            .allow_origin
            .iter()
            .any(|allowed| allowed.is(origin))
    });
    if !is_allowed {
        if is_from_here(&origin, request.headers(), server.options.is_secure()) {
            return next.run(request).await;
        }
        let origin = origin.to_str().unwrap_or("elsewhere").to_owned();
        return Refusal::new(
            StatusCode::FORBIDDEN,
            format_args!("pages from {origin} may not call here unless --allow-origin names it"),
        )
        .into_response();
    }
    let is_question = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let mut say = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    if is_question {
        say(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        say(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
        say(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    } else {
        say(header::ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
    }
    response
}

/// Whether the page is one of this server's.
fn is_from_here(origin: &HeaderValue, headers: &HeaderMap, is_secure: bool) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let (Ok(origin), Some(host)) = (origin.to_str(), host) else {
        return false;
    };
    let Ok(origin) = origin.parse::<Uri>() else {
        return false;
    };
    let scheme = if is_secure { "https" } else { "http" };
    let is_same = origin.scheme_str() == Some(scheme)
        && origin
            .authority()
            .is_some_and(|origin| origin.as_str().eq_ignore_ascii_case(host));
    is_same && (is_secure || origin.host().is_some_and(stays_where_it_is))
}

/// Whether a host cannot be made to mean another machine.
fn stays_where_it_is(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_as_browsers_write_them() {
        assert_eq!(Origin::parse("*"), Ok(Origin::Any));
        let one = Origin::parse("https://Example.org:8443/").unwrap();
        assert_eq!(one, Origin::One("https://example.org:8443".into()));
        assert!(one.is("https://example.org:8443"));
        assert!(!one.is("https://example.org"));
        assert!(!one.is("http://example.org:8443"));
        for wrong in [
            "",
            "example.org",
            "null",
            "ftp://a",
            "http://",
            "http://a/b",
            "http://a@b",
            "http://a b",
        ] {
            assert!(Origin::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn pages_from_here() {
        let from_here = |origin: &'static str, host: &'static str, is_secure| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            is_from_here(&HeaderValue::from_static(origin), &headers, is_secure)
        };
        assert!(from_here("http://127.0.0.1:8080", "127.0.0.1:8080", false));
        assert!(from_here("http://[::1]:8080", "[::1]:8080", false));
        assert!(from_here("http://localhost:8080", "LOCALHOST:8080", false));
        assert!(from_here("https://box.lan:8443", "box.lan:8443", true));
        assert!(!from_here(
            "http://rebound.example:8080",
            "rebound.example:8080",
            false
        ));
        assert!(!from_here("http://127.0.0.1:9", "127.0.0.1:8080", false));
        assert!(!from_here("http://127.0.0.1:8080", "127.0.0.1:8080", true));
        assert!(!from_here(
            "https://elsewhere.example",
            "127.0.0.1:8080",
            true
        ));
        assert!(!from_here("null", "127.0.0.1:8080", false));
    }
}
