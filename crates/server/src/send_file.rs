//! Sending a part of a file without anybody looking at it, where the kernel can.

use std::io;
use std::task::{Context, Poll, ready};

use berth_blobs::Stretch;
use rustix::fs::sendfile;
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// A stream that may send a part of a file by itself.
pub(crate) trait SendFile {
    /// Sends some bytes of `stretch`, from its first one on: `None` where that fails and they have to be written, which tells whether
    /// the file or the connection is the reason. That the file has no such bytes is `EFAULT`, as it is of a window that is written:
    /// memory would have zeros in their place.
    fn poll_send_file(&self, _: &mut Context<'_>, _: &Stretch) -> Poll<Option<io::Result<usize>>> {
        Poll::Ready(None)
    }
}

impl SendFile for TcpStream {
    fn poll_send_file(&self, cx: &mut Context<'_>, stretch: &Stretch) -> Poll<Option<io::Result<usize>>> {
        loop {
            if let Err(error) = ready!(self.poll_write_ready(cx)) {
                return Poll::Ready(Some(Err(error)));
            }
            return Poll::Ready(match self.try_io(Interest::WRITABLE, || send(self, stretch)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) if Errno::from_io_error(&error) != Some(Errno::FAULT) => None,
                sent => Some(sent),
            });
        }
    }
}

/// Every byte is encrypted first.
impl<S> SendFile for TlsStream<S> {}

fn send(socket: &TcpStream, stretch: &Stretch) -> io::Result<usize> {
    let mut offset = stretch.part.start;
    let length = usize::try_from(stretch.part.end - offset).unwrap_or(usize::MAX);
    loop {
        return match sendfile(socket, &stretch.file, Some(&mut offset), length) {
            Err(Errno::INTR) => continue,
            // It was cut short.
            Ok(0) => Err(Errno::FAULT.into()),
            sent => Ok(sent?),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::future::poll_fn;
    use std::io::Write as _;

    use berth_blobs::StoredFile;
    use berth_oci::ByteRange;
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;

    async fn connection() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (near, listener.accept().await.unwrap().0)
    }

    fn file(length: usize) -> (File, Vec<u8>) {
        let content: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&content).unwrap();
        (file, content)
    }

    /// Sends all of a part and says what came of the last step.
    async fn sent(stream: &TcpStream, file: StoredFile, part: ByteRange) -> Option<io::Result<usize>> {
        let mut stretch = Stretch { file, part };
        loop {
            match poll_fn(|cx| stream.poll_send_file(cx, &stretch)).await {
                Some(Ok(bytes)) => stretch.part.start += bytes as u64,
                end => return end,
            }
            if stretch.part.start == part.end {
                return Some(Ok(0));
            }
        }
    }

    fn errno(outcome: Option<io::Result<usize>>) -> Option<Errno> {
        Errno::from_io_error(&outcome.unwrap().unwrap_err())
    }

    #[tokio::test]
    async fn a_part_leaves_whole_and_waits_for_its_reader() {
        let ((near, mut far), (file, content)) = (connection().await, file(16 << 20));
        let part = ByteRange { start: 4097, end: (16 << 20) - 5 };
        let sending = tokio::spawn(async move { sent(&near, StoredFile::new(file), part).await });
        let mut received = Vec::new();
        far.read_to_end(&mut received).await.unwrap();
        assert!(matches!(sending.await.unwrap(), Some(Ok(0))));
        assert!(received == content[4097..content.len() - 5]);
    }

    #[tokio::test]
    async fn bytes_that_are_not_there_are_a_fault() {
        let ((near, mut far), (file, content)) = (connection().await, file(9));
        assert_eq!(
            errno(sent(&near, StoredFile::new(file), ByteRange { start: 4, end: 10 }).await),
            Some(Errno::FAULT)
        );
        drop(near);
        let mut received = Vec::new();
        far.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, content[4..], "what was there has left");
    }

    #[tokio::test]
    async fn what_fails_is_written() {
        let ((near, far), (file, _)) = (connection().await, file(64 << 20));
        let strange = StoredFile::new(File::open("/proc/self/stat").unwrap());
        let outcome = sent(&near, strange, ByteRange { start: 0, end: 5 }).await;
        assert!(outcome.is_none(), "no file that can go this way: {outcome:?}");
        let unreadable = StoredFile::new(File::open(env!("CARGO_MANIFEST_DIR")).unwrap());
        let outcome = sent(&near, unreadable, ByteRange { start: 0, end: 5 }).await;
        assert!(outcome.is_none(), "no file that can be read: {outcome:?}");
        drop(far);
        let outcome = sent(&near, StoredFile::new(file), ByteRange { start: 0, end: 64 << 20 }).await;
        assert!(outcome.is_none(), "no client: {outcome:?}");
    }
}
