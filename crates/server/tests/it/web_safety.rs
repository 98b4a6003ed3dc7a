//! What browsers are kept from: pages of elsewhere at the WebSocket, names that were made to mean this machine, and
//! answers that are taken for something else.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::Running;

/// One request of these lines; the head of the answer and its body.
async fn ask(server: &Running, lines: &[&str]) -> (String, String) {
    let mut stream = tokio::net::TcpStream::connect(server.http).await.unwrap();
    stream.write_all(format!("{}\r\n\r\n", lines.join("\r\n")).as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        assert!(
            stream.read_buf(&mut bytes).await.unwrap() > 0,
            "it answers: {}",
            String::from_utf8_lossy(&bytes)
        );
    }
    stream.read_to_end(&mut bytes).await.unwrap();
    let answer = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[tokio::test]
async fn every_answer_has_the_headers() {
    let server = Running::start();
    for lines in [
        &["GET / HTTP/1.1", "Host: localhost", "Connection: close"][..],
        &["GET /style.css HTTP/1.1", "Host: localhost", "Connection: close"],
        &["GET /health HTTP/1.1", "Host: localhost", "Connection: close"],
        &["GET /metrics HTTP/1.1", "Host: localhost", "Connection: close"],
        &["GET /nothing HTTP/1.1", "Host: localhost", "Connection: close"],
        &["POST /health HTTP/1.1", "Host: localhost", "Connection: close", "Content-Length: 0"],
        &["GET /ws HTTP/1.1", "Host: localhost", "Connection: close"],
        &["GET /ws HTTP/1.1", "Host: evil.org", "Connection: close"],
    ] {
        let (head, _) = ask(&server, lines).await;
        let head = head.to_ascii_lowercase();
        for header in [
            "x-content-type-options: nosniff",
            "content-security-policy: default-src 'none'; style-src 'self'; ",
            "frame-ancestors 'none'",
            "x-frame-options: deny",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
            "cross-origin-opener-policy: same-origin",
            "cross-origin-resource-policy: same-origin",
            "permissions-policy: ",
        ] {
            assert!(head.contains(header), "{header} of {lines:?}: {head}");
        }
    }
}

#[tokio::test]
async fn the_page_needs_nothing_that_its_policy_forbids() {
    let server = Running::start();
    let (_, page) = server.get("/").await;
    assert!(page.contains("<link rel=\"stylesheet\" href=\"/style.css\">"), "{page}");
    for forbidden in ["<style", "<script", "style=", "onclick", "http://", "https://"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let (head, style) =
        ask(&server, &["GET /style.css HTTP/1.1", "Host: localhost", "Connection: close"]).await;
    assert!(
        head.to_ascii_lowercase().contains("content-type: text/css") && style.contains("body {"),
        "{head}"
    );
}

#[tokio::test]
async fn a_page_of_elsewhere_does_not_get_the_websocket() {
    let server = Running::with(&[
        "--allow-host",
        "exchange.example.org",
        "--allow-origin",
        "https://app.example.org,https://other.example.org",
    ]);
    let own = format!("Host: {}", server.http);
    let same = format!("Origin: http://{}", server.http);
    for headers in [
        vec![own.as_str()],
        vec![own.as_str(), &same],
        vec!["Host: localhost:3000", "Origin: http://localhost:5173"],
        vec![own.as_str(), "Origin: https://app.example.org"],
        vec![own.as_str(), "Origin: https://other.example.org"],
        vec!["Host: exchange.example.org", "Origin: https://exchange.example.org"],
    ] {
        let (status, body) = upgrade(&server, &headers).await;
        assert_eq!(status, 101, "{headers:?}: {body}");
    }
    for (headers, code, words) in [
        (vec![own.as_str(), "Origin: https://evil.org"], "ORIGIN_NOT_ALLOWED", "https://evil.org"),
        (vec![own.as_str(), "Origin: null"], "ORIGIN_NOT_ALLOWED", "--allow-origin"),
        (vec![own.as_str(), "Origin: http://app.example.org"], "ORIGIN_NOT_ALLOWED", "--allow-origin"),
        (vec!["Host: evil.org", "Origin: http://evil.org"], "HOST_NOT_ALLOWED", "--allow-host evil.org"),
        (vec!["Host: evil.org"], "HOST_NOT_ALLOWED", "\\\"evil.org\\\""),
    ] {
        let (status, body) = upgrade(&server, &headers).await;
        assert_eq!(status, 403, "{headers:?}: {body}");
        assert!(body.contains(&format!("\"code\":\"{code}\"")) && body.contains(words), "{body}");
    }
    // No host at all is no HTTP/1.1.
    assert_eq!(upgrade(&server, &[]).await.0, 400);
}

/// An upgrade to a WebSocket with these headers besides: the status, and what a refusal says.
async fn upgrade(server: &Running, headers: &[&str]) -> (u16, String) {
    let mut stream = tokio::net::TcpStream::connect(server.http).await.unwrap();
    let mut lines = vec!["GET /ws HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket"];
    lines.extend(["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]);
    lines.extend(headers);
    stream.write_all(format!("{}\r\n\r\n", lines.join("\r\n")).as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    loop {
        let answer = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = answer.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if length.is_none_or(|length| body.len() >= length.parse().unwrap()) {
                return (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned());
            }
        }
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "{answer}");
    }
}

#[tokio::test]
async fn health_and_metrics_answer_by_any_name() {
    let server = Running::start();
    for path in ["/health", "/metrics", "/"] {
        let get = format!("GET {path} HTTP/1.1");
        let (head, _) = ask(&server, &[&get, "Host: betex.internal:3000", "Connection: close"]).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let (head, _) = ask(&server, &[&format!("GET {path} HTTP/1.0")]).await;
        assert!(head.contains(" 200"), "{head}");
    }
}

#[test]
fn what_may_not_be_allowed_is_an_error() {
    for (flag, value) in
        [("--allow-host", "https://a.org"), ("--allow-origin", "a.org"), ("--allow-origin", "null")]
    {
        let (code, said) = crate::harness::failing(&[flag, value]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(flag) && said.contains("is valid"), "{said}");
    }
}
