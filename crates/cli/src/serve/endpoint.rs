//! What is behind which URL.
//!
//! ```text
//! GET    /                  the page
//! POST   /offer             an offer in, an answer out: 201, with the call's URL in Location
//! PATCH  /offer/NAME        candidates that were found later (trickle ICE)
//! DELETE /offer/NAME        hang up
//! GET    /offer/NAME/stats  what this side counts, as the W3C's statistics
//! GET    /status            how many calls there are
//! ```
//!
//! Offers and their resources are as in WHIP ([RFC 9725](https://www.rfc-editor.org/rfc/rfc9725)), but media
//! comes back as well. What is left out: ICE restarts (422) and authorization. [`origin`] says which pages may call.

use core::net::SocketAddr;
use core::time::Duration;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, patch, post};
use axum::{Json, Router};
use http_body_util::LengthLimitError;
use rtckit::IceCandidate;
use rtckit_sdp::Session;
use serde::Serialize;
use tokio::time::timeout;

use super::peers::{Ending, Line};
use super::refusal::Refusal;
use super::{Server, call, origin, page, stats, unread};

/// The largest body that is read. Browsers' offers have 3 to 20 kB.
const MAX_BODY: usize = 64 << 10;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

const SDP: &str = "application/sdp";
const SDP_FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// How many calls there are.
#[derive(Debug, Serialize)]
struct Status {
    peers: usize,
    max_peers: usize,
    calls: u64,
    uptime_seconds: f64,
    echo: bool,
}

/// The whole web server.
pub(crate) fn router(server: Arc<Server>) -> Router {
    Router::new()
        .merge(page::router())
        .route("/offer", post(offer).options(offer_options))
        .route(
            "/offer/{name}",
            patch(trickle).delete(hang_up).options(call_options),
        )
        .route("/offer/{name}/stats", get(statistics))
        .route("/status", get(status))
        .method_not_allowed_fallback(not_so)
        .fallback(any(nothing_here))
        .layer(from_fn_with_state(Arc::clone(&server), origin::check))
        .layer(from_fn(unread::close))
        .with_state(server)
}

/// Takes a call.
async fn offer(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<SocketAddr>,
    request: Request<Body>,
) -> Result<Response, Refusal> {
    let offer = text(request, SDP).await?;
    Session::parse(&offer).map_err(|error| Refusal::malformed(error, &offer))?;
    let slot = server.slot()?;
    let (line, answer) = call::answer(&server, caller, offer, slot).await?;
    let location = header_value(&format!("/offer/{}", line.name))?;
    let mut response = (StatusCode::CREATED, answer).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(SDP));
    headers.insert(header::LOCATION, location);
    headers.insert(header::ETAG, header_value(&entity_tag(&line))?);
    headers.insert("accept-patch", HeaderValue::from_static(SDP_FRAGMENT));
    if server.echoes() {
        headers.insert(super::ECHO_HEADER, HeaderValue::from_static("echo"));
    }
    Ok(response)
}

async fn offer_options() -> Response {
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static("OPTIONS, POST"));
    headers.insert("accept-post", HeaderValue::from_static(SDP));
    response
}

async fn call_options(
    State(server): State<Arc<Server>>,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    find(&server, &name)?;
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    let methods = HeaderValue::from_static("DELETE, OPTIONS, PATCH");
    headers.insert(header::ALLOW, methods);
    headers.insert("accept-patch", HeaderValue::from_static(SDP_FRAGMENT));
    Ok(response)
}

/// Takes candidates that were found after the offer ([RFC 9725 §4.3.2](https://www.rfc-editor.org/rfc/rfc9725#section-4.3.2)).
async fn trickle(
    State(server): State<Arc<Server>>,
    Path(name): Path<String>,
    request: Request<Body>,
) -> Result<StatusCode, Refusal> {
    let line = find(&server, &name)?;
    check_entity_tag(&line, request.headers())?;
    let fragment = text(request, SDP_FRAGMENT).await?;
    let session =
        Session::parse_fragment(&fragment).map_err(|error| Refusal::malformed(error, &fragment))?;
    for candidate in candidates(&line, &session)? {
        line.connection
            .add_ice_candidate(&candidate)
            .await
            .map_err(Refusal::bad_request)?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The candidates of a fragment ([RFC 8840 §9](https://www.rfc-editor.org/rfc/rfc8840#section-9)).
fn candidates(line: &Line, session: &Session<'_>) -> Result<Vec<IceCandidate>, Refusal> {
    let mut candidates = Vec::new();
    let session_ufrag = value(session.attributes(), "ice-ufrag");
    for media in session.media() {
        let ufrag = value(media.attributes(), "ice-ufrag").or_else(|| session_ufrag.clone());
        if let Some(ufrag) = &ufrag
            && !is_of_the_offer(line, ufrag)
        {
            return Err(Refusal::unprocessable(
                "the credentials are not those of the offer, and ICE restarts are not supported",
            ));
        }
        for attribute in media.attributes() {
            let candidate = match attribute.name {
                "candidate" => format!("candidate:{}", attribute.value.unwrap_or_default()),
                "end-of-candidates" => String::new(),
                _ => continue,
            };
            candidates.push(IceCandidate {
                candidate,
                sdp_mid: media.mid().map(str::to_owned),
                username_fragment: ufrag.clone(),
            });
        }
    }
    if session.has("end-of-candidates") {
        candidates.push(IceCandidate {
            candidate: String::new(),
            sdp_mid: None,
            username_fragment: session_ufrag,
        });
    }
    Ok(candidates)
}

/// Ends a call.
async fn hang_up(
    State(server): State<Arc<Server>>,
    Path(name): Path<String>,
) -> Result<StatusCode, Refusal> {
    let line = server.peers.forget(&name).ok_or_else(no_such_call)?;
    line.hang_up(Ending::Deleted);
    Ok(StatusCode::OK)
}

async fn statistics(
    State(server): State<Arc<Server>>,
    Path(name): Path<String>,
) -> Result<Json<Vec<stats::Stats>>, Refusal> {
    let line = find(&server, &name)?;
    Ok(Json(stats::stats(&line.connection.stats().await)))
}

async fn status(State(server): State<Arc<Server>>) -> Json<Status> {
    Json(Status {
        peers: server.peers.count(),
        max_peers: server.peers.max(),
        calls: server.peers.taken(),
        uptime_seconds: server.log.trace.elapsed().as_secs_f64(),
        echo: server.echoes(),
    })
}

/// The `Allow` header, which the router adds, says what could be done instead.
async fn not_so() -> Refusal {
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this cannot be done here; Allow says what can",
    )
}

async fn nothing_here() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "there is nothing here")
}

/// The body, if it is of the type that belongs here.
async fn text(request: Request<Body>, media_type: &'static str) -> Result<String, Refusal> {
    let given = request.headers().get(header::CONTENT_TYPE);
    let given = given.and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = given.split(';').next().unwrap_or("").trim();
    if !essence.eq_ignore_ascii_case(media_type) {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format_args!("the Content-Type must be {media_type}"),
        ));
    }
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    // Before the first byte of it is read.
    if announced.is_some_and(|length| length > MAX_BODY as u64) {
        return Err(too_large());
    }
    let body = timeout(BODY_TIMEOUT, to_bytes(request.into_body(), MAX_BODY)).await;
    let bytes = match body {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => {
            let is_too_large = error
                .into_inner()
                .downcast_ref::<LengthLimitError>()
                .is_some();
            return Err(if is_too_large {
                too_large()
            } else {
                Refusal::bad_request("the body broke off")
            });
        }
        Err(_) => {
            return Err(Refusal::new(
                StatusCode::REQUEST_TIMEOUT,
                format_args!(
                    "the body did not arrive within {} s",
                    BODY_TIMEOUT.as_secs()
                ),
            ));
        }
    };
    String::from_utf8(bytes.into()).map_err(|error| {
        let (line, column) = place(error.as_bytes(), error.utf8_error().valid_up_to());
        Refusal::bad_request(format_args!("line {line}, column {column}: expected UTF-8"))
    })
}

fn too_large() -> Refusal {
    Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format_args!("the body has more than {MAX_BODY} bytes"),
    )
}

/// Line and column of a byte, from 1.
fn place(bytes: &[u8], offset: usize) -> (usize, usize) {
    let before = bytes.get(..offset).unwrap_or(bytes);
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let column = before
        .iter()
        .rev()
        .take_while(|&&byte| byte != b'\n')
        .count()
        + 1;
    (line, column)
}

fn find(server: &Server, name: &str) -> Result<Arc<Line>, Refusal> {
    server.peers.find(name).ok_or_else(no_such_call)
}

fn no_such_call() -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "there is no such call, or it is over",
    )
}

/// One call has one ICE session, so its name tells it from all others.
fn entity_tag(line: &Line) -> String {
    format!("\"{}\"", line.name)
}

/// A request names the ICE session it is for, and means ours
/// ([RFC 9725 §4.3.1](https://www.rfc-editor.org/rfc/rfc9725#section-4.3.1)).
fn check_entity_tag(line: &Line, headers: &HeaderMap) -> Result<(), Refusal> {
    let given = headers.get_all(header::IF_MATCH).iter();
    // Entity tags of ours have no comma, so it does not matter how those of others are split.
    let given: Vec<&[u8]> = given
        .flat_map(|list| list.as_bytes().split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
        .collect();
    if given.is_empty() {
        return Err(Refusal::new(
            StatusCode::PRECONDITION_REQUIRED,
            "If-Match must name the entity tag that came with the answer",
        ));
    }
    if given.contains(&entity_tag(line).as_bytes()) {
        return Ok(());
    }
    let means_a_restart = |tag: &&[u8]| [&b"*"[..], b"\"*\""].contains(tag);
    if given.iter().any(means_a_restart) {
        return Err(Refusal::unprocessable("ICE restarts are not supported"));
    }
    Err(Refusal::new(
        StatusCode::PRECONDITION_FAILED,
        "this is not the entity tag of the call",
    ))
}

fn is_of_the_offer(line: &Line, ufrag: &str) -> bool {
    let Some(offer) = line.connection.remote_description() else {
        return false;
    };
    offer
        .sdp
        .lines()
        .any(|line| line.strip_prefix("a=ice-ufrag:") == Some(ufrag))
}

/// The value of the first attribute of this name.
fn value<'s>(
    attributes: impl Iterator<Item = rtckit_sdp::attribute::RawAttribute<'s>>,
    name: &str,
) -> Option<String> {
    let mut attributes = attributes;
    attributes
        .find(|attribute| attribute.name == name)
        .and_then(|attribute| attribute.value.map(str::to_owned))
}

fn header_value(text: &str) -> Result<HeaderValue, Refusal> {
    HeaderValue::from_str(text)
        .map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_from_one() {
        assert_eq!(place(b"\xff", 0), (1, 1));
        assert_eq!(place(b"v=0\r\no=\xff", 7), (2, 3));
    }
}
