//! What the gRPC library answers before a request has reached the service. It knows no code words, and it takes a
//! message that is none for a fault of ours.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use betex_proto::FILE_DESCRIPTOR_SET;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::codegen::{Service, http};
use tonic::{Code, Status};
use tower_layer::Layer;

use crate::wire::fault::{fault, quoted};

/// Puts [`Answers`] before a service.
#[derive(Clone, Copy)]
pub(crate) struct StatusLayer {
    /// The most bytes of a request.
    pub(crate) request_bytes_max: usize,
}

impl<S> Layer<S> for StatusLayer {
    type Service = Answers<S>;

    fn layer(&self, inner: S) -> Answers<S> {
        Answers { inner, request_bytes_max: self.request_bytes_max }
    }
}

/// Says in our words what the library refuses.
#[derive(Clone)]
pub(crate) struct Answers<S> {
    inner: S,
    request_bytes_max: usize,
}

impl<S, A, B> Service<http::Request<A>> for Answers<S>
where
    S: Service<http::Request<A>, Response = http::Response<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<A>) -> Self::Future {
        let (uri, bytes_max) = (request.uri().clone(), self.request_bytes_max);
        let answer = self.inner.call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            // An answer with a status among its headers is a refusal. What the service refuses keeps its words.
            let refused = Status::from_header_map(response.headers());
            if let Some(status) =
                refused.as_ref().and_then(|status| in_our_words(status, uri.path(), bytes_max))
            {
                // The status replaces what was there; other metadata stays. It is plain text, so it fits.
                let _ = status.add_header(response.headers_mut());
            }
            Ok(response)
        })
    }
}

/// What the library refused, with a code word. `None` of a status that the service made.
fn in_our_words(status: &Status, path: &str, bytes_max: usize) -> Option<Status> {
    let said = status.message();
    if has_code_word(said) {
        return None;
    }
    match status.code() {
        // A fault of ours has the code word INTERNAL, so this one is of the request.
        Code::Internal => {
            let what = format!("the request cannot be read as the message of {}: {said}", quoted(path));
            Some(fault(Code::InvalidArgument, "UNREADABLE_REQUEST", what))
        }
        // The second is a compressed one, should compression ever be taken.
        Code::OutOfRange | Code::ResourceExhausted => {
            let what = format!("a request may have {bytes_max} bytes: {said}");
            Some(fault(Code::OutOfRange, "REQUEST_TOO_LARGE", what))
        }
        Code::Unimplemented if said.is_empty() => {
            let known = known_methods();
            let what = format!("there is no method {}; there are {known}", quoted(path));
            Some(fault(Code::Unimplemented, "UNKNOWN_METHOD", what))
        }
        Code::Unimplemented => {
            let what = format!("{said}; send requests without compression");
            Some(fault(Code::Unimplemented, "UNKNOWN_COMPRESSION", what))
        }
        _ => None,
    }
}

/// Whether a message begins as all of ours do: `CODE_WORD: `.
fn has_code_word(message: &str) -> bool {
    let word = message.split_once(": ").map_or("", |(word, _)| word);
    !word.is_empty()
        && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The methods of the service, as its proto file has them.
fn known_methods() -> Arc<str> {
    static KNOWN: OnceLock<Arc<str>> = OnceLock::new();
    let read = || {
        let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("the build made it");
        let of_file = files.file.iter().flat_map(|file| {
            file.service.iter().map(|service| {
                let methods: Vec<_> = service.method.iter().map(|method| method.name()).collect();
                format!("/{}.{}/ with {}", file.package(), service.name(), methods.join(", "))
            })
        });
        of_file.collect::<Vec<_>>().join("; ").into()
    };
    Arc::clone(KNOWN.get_or_init(read))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_no_code_word_is_put_in_ours() {
        let told = |code, said: &str| in_our_words(&Status::new(code, said), "/a/B", 9);
        for (code, said) in [
            (Code::Internal, "INTERNAL: a lock"),
            (Code::OutOfRange, "SEQUENCE_AHEAD: from_sequence"),
            (Code::ResourceExhausted, "QUEUE_FULL: more is asked"),
            (Code::NotFound, "service not registered"),
            (Code::Cancelled, "Timeout expired"),
        ] {
            assert!(told(code, said).is_none(), "{said}");
        }
        for (code, said, then, words) in [
            (
                Code::Internal,
                "failed to decode",
                Code::InvalidArgument,
                "UNREADABLE_REQUEST: the request cannot",
            ),
            (Code::Internal, "protocol error: flag", Code::InvalidArgument, "UNREADABLE_REQUEST: "),
            (
                Code::OutOfRange,
                "Error, decoded",
                Code::OutOfRange,
                "REQUEST_TOO_LARGE: a request may have 9 bytes",
            ),
            (
                Code::Unimplemented,
                "",
                Code::Unimplemented,
                "UNKNOWN_METHOD: there is no method \"/a/B\"; there are /orderbook.v1.OrderBookService/ with CreateMarket, ",
            ),
            (Code::Unimplemented, "Content is", Code::Unimplemented, "UNKNOWN_COMPRESSION: Content is"),
        ] {
            let status = told(code, said).expect("it has no code word");
            assert_eq!(status.code(), then);
            assert!(status.message().starts_with(words), "{status:?}");
        }
    }
}
