//! Stored files that are damaged while they are sent, which nobody but the kernel notices; and clients that go away, which are no damage.

use std::fs::{self, File, Permissions};
use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use berth_blobs::{Lender, Lent, StoredFile, Stretch};
use berth_oci::ByteRange;
use bytes::Bytes;
use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};

use crate::activity::Activity;
use crate::refusal::Refusing;
use crate::send_file::SendFile;
use crate::socket::Socket;
use crate::tests::client::{get, number, push_blob, send, status};
use crate::tests::written::Written;
use crate::tests::{Running, start};

const ADMIN: &str = "authorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=";
/// One window, and much more than both ends of a connection hold.
const SIZE: usize = 8 << 20;

/// Asks for a path and waits until the answer has begun: what is to be sent is mapped then, and most of it is not sent yet.
async fn begin(address: SocketAddr, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 << 10).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: b\r\n{ADMIN}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'H');
    stream
}

async fn head(address: SocketAddr, path: &str) -> u16 {
    let request = format!("HEAD {path} HTTP/1.1\r\nhost: b\r\n{ADMIN}\r\nconnection: close\r\n\r\n");
    status(&send(address, &request).await)
}

/// The one file that is stored.
fn stored(server: &Running) -> PathBuf {
    let blobs = server.data.path().join("data/blobs/blobs");
    let files =
        fs::read_dir(blobs).unwrap().flat_map(|directory| fs::read_dir(directory.unwrap().path()).unwrap());
    let files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

/// What must come of a blob whose file keeps so many bytes while it is sent.
async fn cut_short(left: usize) {
    let (written, _logging) = Written::here();
    let server = start(|_| {}).await;
    let content = "b".repeat(SIZE);
    let path = push_blob(server.address, &content).await;
    let file = stored(&server);
    let mut client = begin(server.address, &path).await;
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    File::options().write(true).open(&file).unwrap().set_len(left as u64).unwrap();
    let mut taken = Vec::new();
    // It ends or is reset, as what was still under way has it.
    let _ = client.read_to_end(&mut taken).await;
    assert!(taken.len() < SIZE && taken.ends_with(b"bbb"), "{} bytes", taken.len());

    while head(server.address, &path).await != 404 {}
    let log = written.text();
    let digest = path.rsplit('/').next().unwrap();
    let (why, name) = (format!("it has {left} bytes instead of {SIZE}"), file.file_name().unwrap());
    let told = |line: &str| line.contains("ERROR") && line.contains(digest) && line.contains(&why);
    let line = log.lines().find(|line| told(line)).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains(name.to_str().unwrap()), "where it lies: {line}");

    assert_eq!(push_blob(server.address, &content).await, path);
    assert_eq!(head(server.address, &path).await, 200);
    assert!(get(server.address, &path).await.ends_with(&content), "the push healed it");
    assert!(server.end().await);
}

#[tokio::test]
async fn a_file_that_is_emptied_while_it_is_sent_is_marked_and_healed() {
    cut_short(0).await;
}

#[tokio::test]
async fn a_file_that_is_cut_in_the_middle_while_it_is_sent_is_marked_and_healed() {
    cut_short(SIZE / 2).await;
}

#[tokio::test]
async fn a_client_that_goes_away_says_nothing_of_the_blob() {
    let (written, _logging) = Written::here();
    let server = start(|_| {}).await;
    let path = push_blob(server.address, &"b".repeat(SIZE)).await;
    drop(begin(server.address, &path).await);
    // Nobody is left but who asks.
    while number(&get(server.address, "/metrics").await, "berth_connections") > 1 {}
    assert_eq!(head(server.address, &path).await, 200);
    assert!(server.end().await);
    let log = written.text();
    let digest = path.rsplit('/').next().unwrap();
    let told = |line: &str| (line.contains("ERROR") || line.contains("WARN")) && line.contains(digest);
    assert!(!log.lines().any(told), "{log}");
}

/// A connection that takes nothing, for one reason.
#[derive(Debug)]
struct Broken(Errno);

impl AsyncRead for Broken {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Broken {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<std::io::Result<usize>> {
        Poll::Ready(Err(self.0.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl SendFile for Broken {}

#[derive(Debug, Default)]
struct Told(AtomicBool);

impl Lender for Told {
    fn unreadable(self: Arc<Self>, _: ByteRange) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn lenders_are_told_of_lost_pages_and_of_nothing_else() {
    let server = start(|_| {}).await;
    let shared = &server.listening.shared;
    for (errno, expected) in
        [(Errno::FAULT, true), (Errno::PIPE, false), (Errno::CONNRESET, false), (Errno::TIMEDOUT, false)]
    {
        let activity = Activity::new(Arc::clone(&shared.metrics));
        let _answering = activity.begin();
        let (lent, told): (&Lent, _) = (&activity.lent, Arc::new(Told::default()));
        let file = StoredFile::new(tempfile::tempfile().unwrap());
        let stretch = Stretch { file, part: ByteRange { start: 0, end: 5 } };
        let window = lent.lend(Bytes::from_static(b"berth"), stretch, Arc::<Told>::clone(&told));
        let refusing = Refusing { shared: Arc::clone(shared), peer: server.address };
        let mut socket = Socket::new(Broken(errno), Arc::clone(&activity), refusing);
        let refused = socket.write_vectored(&[IoSlice::new(&window)]).await.unwrap_err();
        assert_eq!(Errno::from_io_error(&refused), Some(errno));
        assert_eq!(told.0.load(Ordering::Relaxed), expected, "{errno:?}");
    }
    assert!(server.end().await);
}
