//! Saying no over HTTP: a status, and a line or a few that say why.

use core::fmt::Display;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rtckit::PeerError;

/// An answer that is not the one asked for.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    why: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, why: impl Display) -> Self {
        Self {
            status,
            why: why.to_string(),
        }
    }

    /// The request's fault.
    pub(crate) fn bad_request(why: impl Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, why)
    }

    /// Understood, and not possible here.
    pub(crate) fn unprocessable(why: impl Display) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, why)
    }

    /// A description that was not taken. `text` is the description.
    pub(crate) fn description(error: &rtckit::Error, text: &str) -> Self {
        match error {
            rtckit::Error::Peer(PeerError::MalformedDescription(error)) => {
                Self::malformed(*error, text)
            }
            rtckit::Error::Peer(error @ PeerError::UnacceptableDescription(broken)) => {
                let number = broken.line.unwrap_or_default();
                let line = text.lines().nth((number as usize).wrapping_sub(1));
                match line {
                    Some(line) => {
                        Self::bad_request(format_args!("{error}\n{number} | {}", shown(line)))
                    }
                    None => Self::bad_request(error),
                }
            }
            rtckit::Error::Peer(error) => Self::bad_request(error),
            error => Self::from(error.clone()),
        }
    }

    /// A text that is not SDP.
    pub(crate) fn malformed(error: rtckit_sdp::ParseError, text: &str) -> Self {
        Self::bad_request(error.explain(text))
    }
}

/// The beginning of a line, as a terminal can show it.
fn shown(line: &str) -> String {
    const MOST: usize = 120;

    let shown = line.chars().take(MOST);
    shown
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect()
}

impl From<rtckit::Error> for Refusal {
    /// What fails on this side, such as sockets that cannot be bound; but a description is the caller's, wherever its fault
    /// is noticed.
    fn from(error: rtckit::Error) -> Self {
        let status = match error {
            rtckit::Error::Peer(
                PeerError::MalformedDescription(_)
                | PeerError::UnacceptableDescription(_)
                | PeerError::TooManyTransceivers,
            ) => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        let mut response = (self.status, format!("{}\n", self.why)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, text);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
