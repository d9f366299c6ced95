//! What a window owes, and what becomes of one whose file goes away.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::thread;

use rustix::io::Errno;
use tempfile::TempDir;

use super::{MappedFile, Window};

/// A directory with one file of `length` bytes, none like its neighbour.
fn file_of(length: usize) -> (TempDir, PathBuf, Vec<u8>) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("published");
    let content: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
    fs::write(&path, &content).unwrap();
    (directory, path, content)
}

/// Both ends of a connection.
fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (near, listener.accept().unwrap().0)
}

/// Sends all of `window` in slices of `most` bytes and says what came out at the other end.
fn sent(mut window: Window, most: usize) -> io::Result<Vec<u8>> {
    let (mut near, mut far) = connection();
    let reader = thread::spawn(move || {
        let mut received = Vec::new();
        far.read_to_end(&mut received).map(|_| received)
    });
    let outcome = std::iter::from_fn(|| window.take(most)).try_for_each(|slice| near.write_all(&slice));
    drop(near);
    let received = reader.join().unwrap()?;
    outcome.map(|()| received)
}

#[test]
fn windows_show_their_range_wherever_it_begins() {
    let (_directory, path, content) = file_of(3 * 4096 + 7);
    let file = MappedFile::open(&path).unwrap();
    assert_eq!(file.length(), content.len() as u64);
    let whole = content.len();
    for (start, end) in [(0, whole), (1, 2), (4095, 4097), (4096, 8192), (5000, whole), (whole - 1, whole)] {
        let window = file.window(start as u64..end as u64).unwrap();
        assert_eq!(window.len(), end - start);
        assert!(sent(window, 1000).unwrap() == content[start..end], "{start}..{end}");
    }
}

#[test]
fn windows_across_units_show_their_range() {
    let (_directory, path, content) = file_of((5 << 20) + 7);
    let file = MappedFile::open(&path).unwrap();
    let (unit, whole) = (2 << 20, content.len());
    for (start, end) in [(0, whole), (1, unit), (unit - 1, unit + 1), (unit, 2 * unit), (unit + 5, whole)] {
        let window = file.window(start as u64..end as u64).unwrap();
        assert_eq!(window.len(), end - start);
        assert!(sent(window, 1 << 20).unwrap() == content[start..end], "{start}..{end}");
    }
}

#[test]
fn slices_keep_the_mapping_alive() {
    let (_directory, path, content) = file_of(10_000);
    let file = MappedFile::open(&path).unwrap();
    let mut window = file.window(100..10_000).unwrap();
    let first = window.take(50).unwrap();
    let second = window.take(usize::MAX).unwrap();
    assert!(window.is_empty() && window.take(1).is_none());
    drop((window, file));
    assert_eq!(first, content[100..150]);
    assert_eq!(second, content[150..]);
}

#[test]
fn an_empty_file_has_an_empty_window() {
    let (_directory, path, _) = file_of(0);
    let file = MappedFile::open(&path).unwrap();
    assert!(file.window(0..0).unwrap().is_empty());
    let behind = file.window(0..1).unwrap_err();
    assert_eq!(behind.kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn a_lost_page_ends_the_connection_and_not_the_process() {
    let (_directory, path, _) = file_of(256 << 10);
    let file = MappedFile::open(&path).unwrap();
    let window = file.window(0..256 << 10).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    let error = sent(window, 64 << 10).unwrap_err();
    assert_eq!(Errno::from_io_error(&error), Some(Errno::FAULT));
}

#[test]
fn a_file_that_became_shorter_is_noticed_while_populating() {
    let (_directory, path, _) = file_of(256 << 10);
    let file = MappedFile::open(&path).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_len(4096).unwrap();
    let error = file.window(0..256 << 10).unwrap_err();
    assert_eq!(Errno::from_io_error(&error), Some(Errno::IO));
}

#[test]
fn an_unlinked_file_is_sent_to_its_end() {
    let (_directory, path, content) = file_of(4 << 20);
    let file = MappedFile::open(&path).unwrap();
    let mut window = file.window(0..4 << 20).unwrap();
    let (mut near, mut far) = connection();
    let mut received = vec![0; content.len()];
    near.write_all(&window.take(64 << 10).unwrap()).unwrap();
    fs::remove_file(&path).unwrap();
    drop(file);
    let sender = thread::spawn(move || {
        std::iter::from_fn(|| window.take(1 << 20)).try_for_each(|slice| near.write_all(&slice))
    });
    far.read_exact(&mut received).unwrap();
    sender.join().unwrap().unwrap();
    assert!(received == content);
}
