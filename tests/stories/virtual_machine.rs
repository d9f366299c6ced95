//! A virtual machine's disk of several GiB in one layer, as KubeVirt's containerDisk: pushed once, pulled in every way that CDI
//! and containerd know.

use std::fs::File;
use std::io::{self, Read};
use std::thread;

use berth_oci::{Algorithm, Digest, Hasher, media_type};
use berth_testkit::{
    BerthServer, Connection, DiskLayer, Program, Random, Repository, Request, Scratch, system,
};
use serde_json::json;

const GIBIBYTES: u64 = 6;
const MIB: u64 = 1 << 20;

#[test]
fn a_disk_of_6_gib_is_pushed_and_pulled_in_every_way() {
    let (server, scratch) = (BerthServer::start(), Scratch::new());
    let layer = DiskLayer::new(scratch.path(), GIBIBYTES);
    assert!(layer.len() > GIBIBYTES << 30);
    let repository = server.repository("library/machines/debian");
    push(&repository, &layer);

    pulled_by_skopeo(&server, &scratch, &layer);
    read_by_parallel_open_ranges(&server, &repository, &layer);
    interrupted_and_resumed(&server, &repository, &layer);
    let tail =
        repository.blob_range(&layer.digest(), layer.len() - 1000, None).expect("an answer").expect(206);
    assert_eq!(tail.body, layer.part(layer.len() - 1000, 1000));
}

/// As docker pushes: the layer as one body of unknown length.
fn push(repository: &Repository, layer: &DiskLayer) {
    repository.push_stream(&layer.digest(), &mut layer.reader()).expect("the layer is taken");
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": { "type": "layers", "diff_ids": [layer.digest().to_string()] },
    });
    let config = serde_json::to_vec(&config).expect("JSON can be written");
    let config_digest = repository.push_blob(&config).expect("the config is taken");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": config_digest.to_string(),
            "size": config.len(),
        },
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": layer.digest().to_string(),
            "size": layer.len(),
        }],
    });
    let manifest = serde_json::to_vec(&manifest).expect("JSON can be written");
    repository.push_manifest("12", media_type::OCI_MANIFEST, &manifest).expect("the manifest is taken");
}

/// As CDI does it; the disk in what came is one that QEMU takes.
fn pulled_by_skopeo(server: &BerthServer, scratch: &Scratch, layer: &DiskLayer) {
    let folder = scratch.join("pulled");
    let copy = Program::new(system("skopeo")).args(["--insecure-policy", "copy", "--src-tls-verify=false"]);
    copy.arg(format!("docker://{}", server.image("library/machines/debian:12")))
        .arg(format!("dir:{}", folder.display()))
        .run();
    let file = folder.join(layer.digest().to_string().trim_start_matches("sha256:"));
    assert_eq!(digest_of(&mut File::open(&file).expect("the layer was pulled")), layer.digest());

    let inside = format!(
        "driver=qcow2,file.driver=raw,file.offset=512,file.size={},file.file.driver=file,file.file.filename={}",
        layer.disk_size(),
        file.display(),
    );
    let info = Program::new(system("qemu-img"))
        .args(["info", "--output=json", "--image-opts", &inside])
        .run()
        .json();
    assert_eq!(info["virtual-size"], GIBIBYTES << 30, "{info}");
    Program::new(system("qemu-img")).args(["check", "--image-opts", &inside]).run();
    std::fs::remove_dir_all(folder).expect("what was pulled can be removed");
}

/// As containerd 2.1 does it: every reader asks for all from its offset on, and hangs up when it has its part.
fn read_by_parallel_open_ranges(server: &BerthServer, repository: &Repository, layer: &DiskLayer) {
    const READERS: u64 = 8;
    const PART: u64 = 24 * MIB;
    let step = layer.len() / READERS;
    thread::scope(|scope| {
        for reader in 0..READERS {
            scope.spawn(move || {
                for offset in [reader * step, reader * step + step / 2 + 1] {
                    let mut connection = server.connect();
                    let mut answer =
                        connection.begin(&open_range(repository, layer, offset)).expect("an answer");
                    assert_eq!(answer.status, 206);
                    let mut part =
                        vec![0; usize::try_from(PART.min(layer.len() - offset)).expect("a part fits")];
                    answer.read_exact(&mut part).expect("the part comes");
                    assert!(part == layer.part(offset, part.len()), "the part at {offset} came changed");
                }
            });
        }
    });
}

/// A client whose connection breaks again and again, at any byte, and who goes on where it was.
fn interrupted_and_resumed(server: &BerthServer, repository: &Repository, layer: &DiskLayer) {
    let mut random = Random::unforeseen();
    let seed = random.seed();
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let mut offset = 0;
    while offset < layer.len() {
        let mut connection: Connection = server.connect();
        let answer = connection.begin(&open_range(repository, layer, offset)).expect("an answer");
        assert_eq!(answer.status, 206, "seed {seed}");
        let until_break = 1 + random.below(768 * MIB);
        offset += read_into(&mut answer.take(until_break), &mut hasher).expect("bytes come until the break");
    }
    assert_eq!(hasher.digest(), layer.digest(), "seed {seed}");
}

fn open_range(repository: &Repository, layer: &DiskLayer, offset: u64) -> Request {
    Request::get(repository.path(&format!("blobs/{}", layer.digest())))
        .header("Range", format!("bytes={offset}-"))
}

fn digest_of(reader: &mut dyn Read) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    read_into(reader, &mut hasher).expect("the file can be read");
    hasher.digest()
}

fn read_into(reader: &mut dyn Read, hasher: &mut Hasher) -> io::Result<u64> {
    let mut buffer = vec![0; 1 << 20];
    let mut total = 0;
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            return Ok(total);
        }
        hasher.update(&buffer[..read]);
        total += read as u64;
    }
}
