//! Which names a browser may reach the WebSocket by, and pages of which origins may open it.
//!
//! A browser sends its user's requests from any page. `Origin` says which page it is, and is checked against a
//! list. `Host` says by which name the server was reached: a page whose own name was made to resolve to this
//! machine (DNS rebinding) has the right origin and the wrong host.

use std::net::IpAddr;

use axum::Json;
use axum::http::header::{HOST, HeaderName, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, Version};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::wire::fault::quoted;

/// What an operator has allowed beyond addresses and loopback names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allowed {
    hosts: Vec<Place>,
    origins: Vec<Page>,
}

/// A host, and a port where one is given.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    /// In lower case, without the dot at the end and without brackets.
    host: String,
    port: Option<u16>,
}

/// An origin.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Page {
    scheme: String,
    place: Place,
}

impl Allowed {
    /// As the options say; both lists are known to be valid.
    pub(crate) fn new(hosts: &[String], origins: &[String]) -> Self {
        Self {
            hosts: hosts.iter().filter_map(|host| Place::parse(host)).collect(),
            origins: origins.iter().filter_map(|origin| Page::parse(origin)).collect(),
        }
    }

    /// The refusal of a request that a browser may have been tricked into.
    pub(crate) fn check(&self, version: Version, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = self.check_host(version, uri, headers)?;
        self.check_origin(host.as_ref(), headers)
    }

    fn check_host(&self, version: Version, uri: &Uri, headers: &HeaderMap) -> Result<Option<Place>, Refusal> {
        let given = match (uri.authority(), only(headers, &HOST)) {
            (_, Err(_)) => {
                return Err(Refusal::bad_host("host: more than one Host header; send exactly one"));
            }
            (Some(authority), _) => authority.as_str().to_owned(),
            (None, Ok(Some(host))) => host,
            // HTTP/1.0 has none, and no browser speaks it.
            (None, Ok(None)) if version < Version::HTTP_11 => return Ok(None),
            (None, Ok(None)) => {
                return Err(Refusal::bad_host(
                    "host: is missing; send the Host header that HTTP/1.1 requires",
                ));
            }
        };
        let place = Place::parse(&given).ok_or_else(|| {
            Refusal::bad_host(&format!(
                "host: {} is not a host name; NAME or NAME:PORT is valid",
                quoted(&given)
            ))
        })?;
        // A name can be made to mean this machine, an address cannot.
        if place.is_address() || place.is_loopback() || self.hosts.iter().any(|host| host.covers(&place)) {
            return Ok(Some(place));
        }
        let message = format!(
            "host: {} is not allowed; connect by an IP address or by localhost, or start the server with --allow-host {}",
            quoted(&given),
            place.host
        );
        Err(Refusal { status: StatusCode::FORBIDDEN, code: "HOST_NOT_ALLOWED", message })
    }

    fn check_origin(&self, host: Option<&Place>, headers: &HeaderMap) -> Result<(), Refusal> {
        let refused =
            |message: String| Refusal { status: StatusCode::FORBIDDEN, code: "ORIGIN_NOT_ALLOWED", message };
        let given = match only(headers, &ORIGIN) {
            // No browser.
            Ok(None) => return Ok(()),
            Ok(Some(given)) => given,
            Err(_) => {
                return Err(refused("origin: more than one Origin header; send one, or none".to_owned()));
            }
        };
        let valid = "pages of this server's own host, of a loopback name (localhost, 127.0.0.1, [::1]) and of the \
                     origins of --allow-origin may open this WebSocket";
        let Some(page) = Page::parse(&given) else {
            return Err(refused(format!(
                "origin: {} is not an origin that can be allowed; {valid}",
                quoted(&given)
            )));
        };
        let same = host.is_some_and(|host| page.is_at(host));
        if same || page.place.is_loopback() || self.origins.contains(&page) {
            return Ok(());
        }
        Err(refused(format!("origin: {} is not allowed; {valid}", quoted(&given))))
    }
}

/// The header, if there is exactly one or none.
fn only(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, ()> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => Ok(Some(String::from_utf8_lossy(value.as_bytes()).into_owned())),
        (Some(_), Some(_)) => Err(()),
    }
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        let authority: Authority = text.parse().ok()?;
        let host = authority.host();
        if host.is_empty() || text.contains('@') {
            return None;
        }
        let port = match text.strip_prefix(host)? {
            "" => None,
            rest => Some(rest.strip_prefix(':')?.parse().ok()?),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let bare = bare.strip_suffix('.').unwrap_or(bare);
        Some(Self { host: bare.to_ascii_lowercase(), port }).filter(|place| !place.host.is_empty())
    }

    fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    fn is_address(&self) -> bool {
        self.address().is_some()
    }

    fn is_loopback(&self) -> bool {
        let is_name = self.host == "localhost" || self.host.ends_with(".localhost");
        is_name || self.address().is_some_and(|address| address.to_canonical().is_loopback())
    }

    /// Whether an operator who allowed this meant that, too: without a port, any.
    fn covers(&self, other: &Self) -> bool {
        self.host == other.host && self.port.is_none_or(|port| other.port == Some(port))
    }
}

impl Page {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, place) = text.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let is_scheme = scheme.chars().next().is_some_and(|first| first.is_ascii_alphabetic())
            && scheme.chars().all(|char| char.is_ascii_alphanumeric() || "+-.".contains(char));
        let place = Place::parse(place).filter(|_| is_scheme)?;
        let port = place.port.or_else(|| default_port(&scheme));
        Some(Self { scheme, place: Place { port, ..place } })
    }

    /// Whether this is a page of the host that the request went to.
    fn is_at(&self, host: &Place) -> bool {
        let Some(default) = default_port(&self.scheme) else { return false };
        self.place.host == host.host && self.place.port == Some(host.port.unwrap_or(default))
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// What `--allow-host` may be.
pub(crate) fn host(text: &str) -> Result<String, String> {
    let valid =
        "a host name without scheme and path is valid, with or without a port: example.org, example.org:3000";
    Place::parse(text.trim()).map(|_| text.trim().to_owned()).ok_or_else(|| valid.to_owned())
}

/// What `--allow-origin` may be.
pub(crate) fn origin(text: &str) -> Result<String, String> {
    let valid = "an origin is valid: a scheme and a host, perhaps a port, and no path: https://example.org";
    Page::parse(text.trim()).map(|_| text.trim().to_owned()).ok_or_else(|| valid.to_owned())
}

/// Why a request is refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn bad_host(message: &str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "INVALID_HOST", message: message.to_owned() }
    }

    pub(crate) fn into_response(self) -> Response {
        let said = json!({ "type": "error", "code": self.code, "message": self.message });
        (self.status, Json(said)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    /// The code of the refusal, or nothing.
    fn checked(hosts: &[&str], origins: &[&str], host: &[&str], origin: &[&str]) -> &'static str {
        let owned = |all: &[&str]| -> Vec<String> { all.iter().map(ToString::to_string).collect() };
        let allowed = Allowed::new(&owned(hosts), &owned(origins));
        let mut headers = HeaderMap::new();
        for value in host {
            headers.append(HOST, HeaderValue::from_str(value).unwrap());
        }
        for value in origin {
            headers.append(ORIGIN, HeaderValue::from_str(value).unwrap());
        }
        let checked = allowed.check(Version::HTTP_11, &Uri::from_static("/ws"), &headers);
        checked.map_or_else(|refusal| refusal.code, |()| "")
    }

    #[test]
    fn a_host_is_an_address_a_loopback_name_or_on_the_list() {
        for host in [
            "localhost",
            "localhost:3000",
            "LOCALHOST.",
            "a.localhost:1",
            "127.0.0.1:3000",
            "[::1]:3000",
            "10.1.2.3",
            "[2001:db8::1]",
            "example.org",
            "Example.ORG.:99",
            "ported.org:7",
        ] {
            assert_eq!(checked(&["example.org", "ported.org:7"], &[], &[host], &[]), "", "{host}");
        }
        for host in [
            "evil.org",
            "evil.org:3000",
            "localhost.evil.org",
            "127.0.0.1.evil.org",
            "notlocalhost",
            "sub.example.org",
            "ported.org",
            "ported.org:8",
        ] {
            let code = checked(&["example.org", "ported.org:7"], &[], &[host], &[]);
            assert_eq!(code, "HOST_NOT_ALLOWED", "{host}");
        }
        for host in [
            &[][..],
            &["localhost", "localhost"],
            &["user@localhost"],
            &["localhost:x"],
            &["localhost:99999"],
        ] {
            assert_eq!(checked(&[], &[], host, &[]), "INVALID_HOST", "{host:?}");
        }
    }

    #[test]
    fn an_origin_is_the_host_itself_a_loopback_name_or_on_the_list() {
        let list = ["https://app.example.org", "https://ported.org:8443"];
        for (host, origin) in [
            ("10.0.0.5:3000", "http://10.0.0.5:3000"),
            ("10.0.0.5", "http://10.0.0.5"),
            ("10.0.0.5:443", "https://10.0.0.5"),
            ("localhost:3000", "http://127.0.0.1:8080"),
            ("10.0.0.5", "http://localhost:5173"),
            ("10.0.0.5", "https://[::1]"),
            ("10.0.0.5", "https://app.example.org"),
            ("10.0.0.5", "HTTPS://APP.example.org:443"),
            ("10.0.0.5", "https://ported.org:8443"),
        ] {
            assert_eq!(checked(&[], &list, &[host], &[origin]), "", "{host} {origin}");
        }
        for (host, origin) in [
            ("10.0.0.5:3000", "http://10.0.0.5:3001"),
            ("10.0.0.5:3000", "http://10.0.0.5"),
            ("localhost", "https://evil.org"),
            ("localhost", "http://localhost.evil.org"),
            ("localhost", "null"),
            ("localhost", ""),
            ("localhost", "http://user@localhost"),
            ("localhost", "http://localhost/path"),
            ("localhost", "http://app.example.org"),
            ("localhost", "https://ported.org"),
            ("localhost", "file://"),
        ] {
            assert_eq!(checked(&[], &list, &[host], &[origin]), "ORIGIN_NOT_ALLOWED", "{host} {origin}");
        }
        let twice = ["http://localhost", "http://localhost"];
        assert_eq!(checked(&[], &[], &["localhost"], &twice), "ORIGIN_NOT_ALLOWED");
    }

    #[test]
    fn what_may_be_allowed_is_checked() {
        assert_eq!(host(" example.org:3000 "), Ok("example.org:3000".to_owned()));
        assert_eq!(origin("https://example.org"), Ok("https://example.org".to_owned()));
        for bad in ["", "https://example.org", "a/b", "a:b:c", "*@"] {
            assert!(host(bad).is_err(), "{bad}");
        }
        for bad in ["", "null", "example.org", "https://example.org/", "https://", "*"] {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }
}
