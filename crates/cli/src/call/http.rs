//! As much of an HTTP client as it takes to post an offer and to hang up.

use core::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::failure::Failure;
use crate::serve::ECHO_HEADER;
use crate::tls::{self, Trust};

/// How long the server may take for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long it may take to be told that the call is over.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(2);

/// The largest answer that is read.
const MAX_BODY: usize = 256 << 10;

/// How much of a refusal is repeated to the user, in characters.
const MAX_REASON: usize = 300;

/// How often a server may say that another should be asked.
const MAX_REDIRECTS: usize = 5;

/// With what the command exits if its URL is none.
const USAGE: u8 = 2;

/// What came of an offer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) sdp: String,
    /// What is deleted to hang up, if the server named it.
    pub(crate) resource: Option<Uri>,
    /// Whether the server says that media comes back as it was sent.
    pub(crate) is_echo: bool,
    /// The fingerprint of the server's certificate, if it has shown one.
    pub(crate) certificate: Option<String>,
}

/// Who asks.
pub(crate) struct Client {
    tls: TlsConnector,
}

/// An answer's head and body.
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
    certificate: Option<String>,
}

/// The URL at which offers are taken.
pub(crate) fn endpoint(url: &str) -> Result<Uri, Failure> {
    let malformed = |what: &str| Failure::new(format_args!("{url}: {what}")).with_code(USAGE);
    let uri: Uri = url.parse().map_err(|_| malformed("it is not a URL"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(malformed("the URL must begin with http:// or https://"));
    }
    if uri.path() != "/" || uri.query().is_some() {
        return Ok(uri);
    }
    resolve(&uri, "/offer").ok_or_else(|| malformed("it is not a URL"))
}

impl Client {
    /// Fails if what is to be trusted cannot be read.
    pub(crate) fn new(trust: &Trust) -> Result<Self, Failure> {
        Ok(Self {
            tls: trust.connector()?,
        })
    }

    /// Posts an offer.
    pub(crate) async fn post(&self, url: &Uri, offer: &str) -> Result<Answer, Failure> {
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let exchange = async {
                self.send(&url, request(Method::POST, &url, offer.to_owned())?)
                    .await
            };
            let reply = timeout(TIMEOUT, exchange)
                .await
                .map_err(|_| {
                    at(
                        &url,
                        format_args!("no answer within {} s", TIMEOUT.as_secs()),
                    )
                })?
                .map_err(|what: String| at(&url, what))?;
            match reply.status {
                StatusCode::CREATED | StatusCode::OK => return answer(&url, reply),
                StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => {
                    let to = location(&url, &reply.headers)
                        .ok_or_else(|| at(&url, "it redirects, and does not say where to"))?;
                    if url.scheme_str() == Some("https") && to.scheme_str() != Some("https") {
                        return Err(at(&url, format_args!("it redirects to {to}, in the clear")));
                    }
                    url = to;
                }
                status => {
                    let reason: String = reply.body.trim().chars().take(MAX_REASON).collect();
                    if reason.is_empty() {
                        return Err(at(&url, status));
                    }
                    return Err(at(&url, format_args!("{status}: {reason}")));
                }
            }
        }
        Err(at(&url, "it redirects in circles"))
    }

    /// Tells the server that the call is over. If it does not listen, it will notice by itself.
    pub(crate) async fn delete(&self, resource: &Uri) {
        let exchange = async {
            self.send(resource, request(Method::DELETE, resource, String::new())?)
                .await
        };
        let _ = timeout(GOODBYE_TIMEOUT, exchange).await;
    }

    /// One request on a connection of its own.
    async fn send(&self, url: &Uri, request: Request<Body>) -> Result<Reply, String> {
        let host = url.host().ok_or("the URL names no host")?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_secure = url.scheme_str() == Some("https");
        let port = url.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        let stream = TcpStream::connect((host, port))
            .await
            .map_err(|error| format!("cannot connect: {error}"))?;
        if !is_secure {
            return exchange(stream, request, None).await;
        }
        let stream = tls::connect(&self.tls, host, stream).await?;
        let certificate = tls::fingerprint(&stream);
        exchange(stream, request, certificate).await
    }
}

fn answer(url: &Uri, reply: Reply) -> Result<Answer, Failure> {
    let headers = &reply.headers;
    let media_type = headers.get(header::CONTENT_TYPE);
    let media_type = media_type.and_then(|value| value.to_str().ok());
    let essence = media_type.unwrap_or("").split(';').next().unwrap_or("");
    if !essence.trim().eq_ignore_ascii_case("application/sdp") {
        return Err(at(
            url,
            format_args!(
                "the answer is {}, not application/sdp",
                media_type.unwrap_or("of no type")
            ),
        ));
    }
    Ok(Answer {
        sdp: reply.body,
        resource: location(url, headers),
        is_echo: headers
            .get(ECHO_HEADER)
            .is_some_and(|value| value == "echo"),
        certificate: reply.certificate,
    })
}

fn request(method: Method, url: &Uri, body: String) -> Result<Request<Body>, String> {
    let host = url.authority().ok_or("the URL names no host")?;
    Request::builder()
        .method(method)
        .uri(url.path_and_query().map_or("/", |path| path.as_str()))
        .header(header::HOST, host.as_str())
        .header(header::CONTENT_TYPE, "application/sdp")
        .header(header::ACCEPT, "application/sdp")
        .body(Body::from(body))
        .map_err(|error| error.to_string())
}

/// Sends a request on `stream` and reads the answer.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Body>,
    certificate: Option<String>,
) -> Result<Reply, String> {
    let nonsense = |error: hyper::Error| format!("does not speak HTTP as it should: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(nonsense)?;
    // Ends with the exchange.
    tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(nonsense)?;
    Ok(Reply {
        status: response.status(),
        headers: response.headers().clone(),
        body: text(response).await?,
        certificate,
    })
}

async fn text(response: Response<Incoming>) -> Result<String, String> {
    let body = Limited::new(response.into_body(), MAX_BODY).collect().await;
    let bytes = body
        .map_err(|error| format!("the answer cannot be read: {error}"))?
        .to_bytes();
    String::from_utf8(bytes.into()).map_err(|_| "the answer is not text".into())
}

fn location(base: &Uri, headers: &HeaderMap) -> Option<Uri> {
    resolve(base, headers.get(header::LOCATION)?.to_str().ok()?)
}

/// A reference seen from `base`: a whole URL, an absolute path, or a name beside it (RFC 3986 §5.2, without `..`).
fn resolve(base: &Uri, reference: &str) -> Option<Uri> {
    if reference.contains("://") {
        return reference.parse().ok();
    }
    let (scheme, authority) = (base.scheme_str()?, base.authority()?);
    if reference.starts_with('/') {
        return format!("{scheme}://{authority}{reference}").parse().ok();
    }
    let folder = base
        .path()
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder);
    format!("{scheme}://{authority}{folder}/{reference}")
        .parse()
        .ok()
}

fn at(url: &Uri, what: impl core::fmt::Display) -> Failure {
    Failure::new(format_args!("{url}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_offers_are_taken() {
        let endpoint = |url| endpoint(url).map(|uri| uri.to_string()).ok();
        assert_eq!(
            endpoint("http://127.0.0.1:8080").as_deref(),
            Some("http://127.0.0.1:8080/offer")
        );
        assert_eq!(
            endpoint("https://localhost").as_deref(),
            Some("https://localhost/offer")
        );
        assert_eq!(
            endpoint("http://[::1]/whip?room=1").as_deref(),
            Some("http://[::1]/whip?room=1")
        );
        for wrong in ["", "127.0.0.1:8080", "ftp://a/", "http://", "/offer"] {
            assert_eq!(endpoint(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn references_are_seen_from_their_base() {
        let base: Uri = "http://host:1/a/offer".parse().unwrap();
        let resolve = |reference| resolve(&base, reference).unwrap().to_string();
        assert_eq!(resolve("/offer/1"), "http://host:1/offer/1");
        assert_eq!(resolve("1"), "http://host:1/a/1");
        assert_eq!(resolve("http://other/x"), "http://other/x");
    }
}
