//! The bytes below HTTP: a plain socket, or TLS over one.

use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;

use rustls::{ClientConnection, StreamOwned};

/// One connected stream.
#[derive(Debug)]
pub(crate) enum Wire {
    /// As it is.
    Plain(TcpStream),
    /// Encrypted.
    Tls(Box<StreamOwned<ClientConnection, Gulping>>),
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// A socket that is read in large pieces: rustls asks for 4 KiB at a time, which would cost a system call each.
#[derive(Debug)]
pub(crate) struct Gulping(BufReader<TcpStream>);

impl Gulping {
    pub(crate) fn new(socket: TcpStream) -> Self {
        Self(BufReader::with_capacity(256 * 1024, socket))
    }
}

impl Read for Gulping {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Gulping {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.get_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.get_mut().flush()
    }
}
