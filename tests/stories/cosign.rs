//! cosign 2 and 3: signatures by a local key, under tags and as referrers, with no service but this one.

use berth_testkit::{BerthServer, Image, Program, Request, Scratch, tool};

struct Cosign {
    version: &'static str,
    scratch: Scratch,
}

impl Cosign {
    /// A signer with a fresh key.
    fn new(version: &'static str) -> Self {
        let cosign = Self { version, scratch: Scratch::new() };
        cosign.run(&["generate-key-pair"]).run();
        cosign
    }

    fn run(&self, arguments: &[&str]) -> Program {
        let program = Program::new(tool(self.version)).args(arguments).folder(self.scratch.path());
        program.env("COSIGN_PASSWORD", "").env("HOME", self.scratch.path()).env("COSIGN_EXPERIMENTAL", "1")
    }

    fn sign(&self, image: &str, how: &[&str]) {
        let sign =
            self.run(&["sign", "--key=cosign.key", "--tlog-upload=false", "--allow-http-registry", "--yes"]);
        sign.args(how).arg(image).run();
    }

    fn verify(&self, image: &str, how: &[&str]) -> Program {
        let verify =
            self.run(&["verify", "--key=cosign.pub", "--insecure-ignore-tlog=true", "--allow-http-registry"]);
        verify.args(how).arg(image)
    }
}

/// Pushes an image, and gives its reference by digest.
fn image(server: &BerthServer, seed: u64) -> String {
    let image = Image::random(seed, 1000);
    server.repository("library/signed").push_image("1", &image).expect("pushed");
    server.image(&format!("library/signed@{}", image.digest()))
}

#[test]
fn cosign_2_signs_under_a_tag() {
    let (server, cosign) = (BerthServer::start(), Cosign::new("cosign2"));
    let (signed, other) = (image(&server, 1), image(&server, 2));
    cosign.sign(&signed, &[]);
    cosign.verify(&signed, &[]).run();
    cosign.verify(&other, &[]).fail();
    let tags = server.repository("library/signed").tags().expect("tags");
    assert!(tags.iter().any(|tag| tag.starts_with("sha256-") && tag.contains(".sig")), "{tags:?}");
}

#[test]
fn cosign_2_signs_as_a_referrer() {
    let (server, cosign) = (BerthServer::start(), Cosign::new("cosign2"));
    let signed = image(&server, 3);
    cosign.sign(&signed, &["--registry-referrers-mode=oci-1-1"]);
    cosign.verify(&signed, &["--experimental-oci11=true"]).run();
    assert_eq!(server.repository("library/signed").tags().expect("tags"), ["1"]);
}

#[test]
fn cosign_3_signs_with_a_bundle_as_a_referrer() {
    let (server, cosign) = (BerthServer::start(), Cosign::new("cosign3"));
    let (signed, other) = (image(&server, 4), image(&server, 5));
    cosign.sign(&signed, &["--use-signing-config=false", "--new-bundle-format=true"]);
    cosign.verify(&signed, &["--new-bundle-format=true"]).run();
    cosign.verify(&other, &["--new-bundle-format=true"]).fail();
    assert_eq!(server.repository("library/signed").tags().expect("tags"), ["1"]);
}

#[test]
fn cosign_3_signs_under_a_tag() {
    let (server, cosign) = (BerthServer::start(), Cosign::new("cosign3"));
    let signed = image(&server, 6);
    cosign.sign(&signed, &["--use-signing-config=false", "--new-bundle-format=false"]);
    cosign.verify(&signed, &["--new-bundle-format=false"]).run();
    Cosign::new("cosign3").verify(&signed, &["--new-bundle-format=false"]).fail();
    let digest = signed.rsplit('@').next().expect("a reference by digest");
    let mut tags = server.repository("library/signed").tags().expect("tags");
    tags.sort();
    assert_eq!(tags, ["1".to_owned(), format!("{}.sig", digest.replace(':', "-"))]);
    let referrers = server.ask(&Request::get(format!("/v2/library/signed/referrers/{digest}"))).expect(200);
    assert_eq!(referrers.json()["manifests"].as_array().map(Vec::len), Some(0), "{}", referrers.text());
}
