//! regctl: indexes, referrers, uploads in small chunks, downloads that are resumed.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use berth_oci::Digest;
use berth_testkit::{BerthServer, Image, Layout, Program, Scratch, random_bytes, tar_of, tool};

struct Regctl<'a> {
    scratch: &'a Scratch,
}

impl<'a> Regctl<'a> {
    /// A client that speaks plain HTTP with the server, in chunks of 64 KiB where a blob is larger than that.
    fn new(server: &BerthServer, scratch: &'a Scratch) -> Self {
        Self::at(&server.address(), scratch)
    }

    /// The same with a registry at `host:port`.
    fn at(address: &str, scratch: &'a Scratch) -> Self {
        let client = Self { scratch };
        let set = client.run(&[
            "registry",
            "set",
            "--tls=disabled",
            "--skip-check",
            "--blob-chunk=65536",
            "--blob-max=65536",
        ]);
        set.arg(address).run();
        client
    }

    fn run(&self, arguments: &[&str]) -> Program {
        let program = Program::new(tool("regctl")).args(arguments).folder(self.scratch.path());
        program.env("REGCTL_CONFIG", self.scratch.join("regctl.json")).env("HOME", self.scratch.path())
    }
}

#[test]
fn images_become_an_index() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let regctl = Regctl::new(&server, &scratch);
    let image = |architecture: &str, seed| {
        let payload = random_bytes(seed, 300_000);
        Image::of(architecture, &[tar_of(&[("payload", &payload)])])
    };
    let images = [image("amd64", 1), image("arm64", 2)];
    for (image, tag) in images.iter().zip(["amd64", "arm64"]) {
        let layout = Layout::of_image(&scratch.folder(tag), tag, image);
        let source = format!("ocidir://{}:{tag}", layout.path().display());
        regctl.run(&["image", "copy", &source, &server.image(&format!("library/regctl:{tag}"))]).run();
        server.repository("library/regctl").assert_image(tag, image);
    }
    let index = server.image("library/regctl:both");
    let create = regctl.run(&["index", "create", &index]);
    let create = create.args(["--ref", &server.image("library/regctl:amd64"), "--platform", "linux/amd64"]);
    create.args(["--ref", &server.image("library/regctl:arm64")]).run();
    let found = regctl.run(&["manifest", "get", "--format", "raw-body", &index]).run().json();
    let digests: Vec<_> =
        found["manifests"].as_array().expect("an index").iter().map(|it| it["digest"].clone()).collect();
    assert_eq!(digests, images.map(|image| serde_json::json!(image.digest().to_string())));
}

#[test]
fn artifacts_refer_to_an_image() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let regctl = Regctl::new(&server, &scratch);
    server.repository("library/regctl").push_image("1", &Image::random(3, 1000)).expect("pushed");
    let image = server.image("library/regctl:1");
    for kind in ["one", "two"] {
        let artifact_type = format!("application/vnd.story.{kind}");
        let put = regctl.run(&["artifact", "put", "--artifact-type", &artifact_type, "--subject", &image]);
        put.input(format!("content of {kind}")).run();
    }
    let list = |more: &[&str]| {
        regctl.run(&["artifact", "list", "--format", "{{jsonPretty .}}"]).args(more).arg(&image).run().json()
    };
    assert_eq!(list(&[])["descriptors"].as_array().map(Vec::len), Some(2));
    let one = list(&["--filter-artifact-type", "application/vnd.story.one"]);
    assert_eq!(one["descriptors"].as_array().map(Vec::len), Some(1), "{one}");
    let read = regctl.run(&[
        "artifact",
        "get",
        "--subject",
        &image,
        "--filter-artifact-type",
        "application/vnd.story.two",
    ]);
    assert_eq!(read.run().text(), "content of two");
}

/// A layer of two files, pushed in chunks; and the second file.
fn layer_in_chunks(regctl: &Regctl<'_>, repository: &str) -> (Vec<u8>, Vec<u8>) {
    let (one, two) = (random_bytes(4, 100_000), random_bytes(5, 200_000));
    let layer = tar_of(&[("one", &one), ("two", &two)]);
    let put = regctl.run(&["blob", "put", repository]).input(layer.clone()).run();
    assert_eq!(put.text(), Digest::sha256(&layer).to_string());
    (layer, two)
}

#[test]
fn a_blob_that_came_in_chunks_is_read_whole_and_a_file_out_of_it() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let regctl = Regctl::new(&server, &scratch);
    let repository = server.image("library/regctl");
    let (layer, two) = layer_in_chunks(&regctl, &repository);
    let digest = Digest::sha256(&layer).to_string();
    assert_eq!(regctl.run(&["blob", "get", &repository, &digest]).run().stdout, layer);
    let file = regctl.run(&["blob", "get-file", &repository, &digest, "two"]).run();
    assert!(file.stdout == two);
}

/// regctl has no command that asks for a part.
#[test]
fn a_plain_client_reads_parts_of_a_blob_that_came_in_chunks() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let regctl = Regctl::new(&server, &scratch);
    let (layer, _) = layer_in_chunks(&regctl, &server.image("library/regctl"));
    let repository = server.repository("library/regctl");
    for (first, last) in [(0, Some(0)), (512, Some(1023)), (100_000, None), (layer.len() as u64 - 1, None)] {
        let part =
            repository.blob_range(&Digest::sha256(&layer), first, last).expect("an answer").expect(206);
        let end = last.map_or(layer.len(), |last| usize::try_from(last).unwrap() + 1);
        assert!(part.body == layer[usize::try_from(first).unwrap()..end]);
        assert_eq!(
            part.header("content-range"),
            Some(format!("bytes {first}-{}/{}", end - 1, layer.len()).as_str())
        );
    }
}

/// A way to a server that breaks off once, in the middle of what comes back.
struct BrittleWay {
    port: u16,
    /// Everything that went to the server.
    asked: Arc<Mutex<Vec<u8>>>,
}

impl BrittleWay {
    /// A way to `host:port` on which the first connection ends that brings more than `most` bytes back. It lasts as long as the test.
    fn to(server: String, most: u64) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let asked: Arc<Mutex<Vec<u8>>> = Arc::default();
        let heard = Arc::clone(&asked);
        thread::spawn(move || {
            let broken: Arc<AtomicBool> = Arc::default();
            for near in listener.incoming() {
                let near = near.expect("a connection");
                let far = TcpStream::connect(&server).expect("the server listens");
                let (from, to) = (clone_of(&near), clone_of(&far));
                let (heard, broken) = (Arc::clone(&heard), Arc::clone(&broken));
                thread::spawn(move || forward(from, to, &heard));
                thread::spawn(move || bring_back(far, near, most, &broken));
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> String {
        String::from_utf8_lossy(&self.asked.lock().expect("nobody panicked")).into_owned()
    }
}

fn clone_of(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("a socket can be cloned")
}

/// Brings what the client says to the server, until either has gone.
fn forward(mut from: TcpStream, mut to: TcpStream, heard: &Mutex<Vec<u8>>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        heard.lock().expect("nobody panicked").extend_from_slice(&buffer[..read]);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    // Whoever has gone already needs no end.
    let _ = to.shutdown(Shutdown::Write);
}

/// Brings back what the server says; the first time it is too much, the client sees the end of it.
fn bring_back(mut from: TcpStream, mut to: TcpStream, most: u64, broken: &AtomicBool) {
    let came = io::copy(&mut (&from).take(most), &mut to);
    if came.is_ok_and(|came| came < most) || broken.swap(true, Ordering::SeqCst) {
        // The rest, if there is any.
        let _ = io::copy(&mut from, &mut to);
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// It goes on with a range where the answer ended.
#[test]
fn a_download_that_breaks_off_is_resumed() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let blob = random_bytes(6, 1_000_000);
    let digest = server.repository("library/regctl").push_blob(&blob).expect("pushed");
    let way = BrittleWay::to(server.address(), 400_000);
    let address = format!("127.0.0.1:{}", way.port);
    let regctl = Regctl::at(&address, &scratch);
    let got = regctl.run(&["blob", "get", &format!("{address}/library/regctl"), &digest.to_string()]).run();
    assert!(got.stdout == blob);
    let asked = way.asked().to_lowercase();
    assert!(asked.contains("\r\nrange: bytes="), "{asked}");
}
