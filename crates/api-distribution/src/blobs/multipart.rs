//! Several ranges of a blob in one answer: `multipart/byteranges` (RFC 9110 §14.6).

use axum::BoxError;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use berth_http::outgoing;
use berth_oci::{ByteRange, RepositoryName};
use berth_registry::{BlobInfo, ByteStream};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};

use crate::answer;
use crate::blobs::about;
use crate::blobs::get::content_range;
use crate::call::Call;
use crate::error::Error;

/// 206 with `parts` in the order asked for. Each is opened when the one before it has been sent; the first one at once, so that
/// what cannot be read at all gets its status.
pub(super) async fn parts(
    call: &Call<'_>,
    repository: &RepositoryName,
    blob: &BlobInfo,
    parts: Vec<ByteRange>,
) -> Result<Response, Error> {
    // A boundary must not occur in the content, and no content can be found that holds its own digest.
    let boundary = format!("berth-{}", &blob.digest.hex()[..32]);
    let heads: Vec<Bytes> = parts.iter().map(|part| head(&boundary, *part, blob.size)).collect();
    let tail = Bytes::from(format!("\r\n--{boundary}--\r\n"));
    let framing = heads.iter().map(|head| head.len() as u64).sum::<u64>() + tail.len() as u64;
    let length = framing + parts.iter().map(ByteRange::len).sum::<u64>();

    let mut first =
        Some(call.registry.read_blob(repository, &blob.digest, parts[0], call.lent()).await?.stream);
    let (registry, caller) = (call.door.registry.clone(), call.caller.clone());
    let (repository, digest, lent) = (repository.clone(), blob.digest, call.lent().cloned());
    let pieces = stream::iter(heads.into_iter().zip(parts)).then(move |(head, part)| {
        let (registry, caller) = (registry.clone(), caller.clone());
        let (repository, lent) = (repository.clone(), lent.clone());
        let opened = first.take();
        async move {
            let content = if let Some(content) = opened {
                content
            } else {
                let registry = registry.as_caller(&caller);
                registry.read_blob(&repository, &digest, part, lent.as_ref()).await?.stream
            };
            Ok::<_, BoxError>(framed(head, content))
        }
    });
    let body = pieces.try_flatten().chain(stream::once(async { Ok(tail) })).boxed();

    let mut answer = about(blob, StatusCode::PARTIAL_CONTENT, length, outgoing(body, length));
    let media_type = answer::value(format!("multipart/byteranges; boundary={boundary}"));
    answer.headers_mut().insert(CONTENT_TYPE, media_type);
    Ok(answer)
}

/// What stands before the bytes of one part.
fn head(boundary: &str, part: ByteRange, size: u64) -> Bytes {
    let range = content_range(part, size);
    Bytes::from(format!(
        "\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: {range}\r\n\r\n"
    ))
}

fn framed(head: Bytes, content: ByteStream) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
    stream::once(async { Ok(head) }).chain(content.map_err(BoxError::from))
}
