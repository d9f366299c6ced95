//! A client that pushes one large blob in chunks and goes on where the server is, however often it dies.

use berth_oci::Digest;
use berth_testkit::{BerthServer, Random, Repository, Upload, random_bytes};

use super::Client;

#[derive(Debug)]
pub(super) struct Uploader {
    repository: Repository,
    random: Random,
    content: Vec<u8>,
    upload: Option<Upload>,
    /// How many bytes the server said it has.
    promised: u64,
    /// What was closed and acknowledged, the last few.
    closed: Vec<Vec<u8>>,
    acknowledged: u64,
}

impl Uploader {
    pub(super) fn new(server: &BerthServer, number: u64, seed: u64) -> Self {
        let repository = server.repository(&format!("library/survival/uploader-{number}"));
        let mut random = Random::new(seed);
        let content = random_bytes(random.next(), 4_000_000);
        Self { repository, random, content, upload: None, promised: 0, closed: Vec::new(), acknowledged: 0 }
    }

    fn begin(&mut self) {
        self.content = random_bytes(self.random.next(), 4_000_000);
        self.promised = 0;
        // A session without a byte costs no durable write and may be gone after a kill.
        self.upload = self.repository.open_upload().ok();
    }

    fn append(&mut self) {
        let Some(upload) = &mut self.upload else { return };
        let from = usize::try_from(self.promised).expect("an offset fits");
        // Some bodies have several checkpoints.
        let most = if self.random.below(4) == 0 { self.content.len() } else { 700_000 };
        let len = 2 + self.random.index(most);
        let end = self.content.len().min(from + len);
        if let Ok(answer) = upload.append(self.promised, &self.content[from..end])
            && answer.status == 202
        {
            self.promised = end as u64;
            self.acknowledged += 1;
        }
    }

    fn close(&mut self) {
        let digest = Digest::sha256(&self.content);
        let Some(upload) = &mut self.upload else { return };
        match upload.close(&digest, b"") {
            Ok(answer) => {
                assert_eq!(answer.status, 201, "{}: {}", upload.location, answer.text());
                self.finished();
            }
            // It may have been closed; the check finds out.
            Err(_) => self.promised = self.content.len() as u64,
        }
    }

    fn finished(&mut self) {
        self.acknowledged += 1;
        self.closed.push(std::mem::take(&mut self.content));
        if self.closed.len() > 3 {
            self.closed.remove(0);
        }
        self.upload = None;
    }
}

impl Client for Uploader {
    fn step(&mut self) {
        if self.upload.is_none() {
            self.begin();
        } else if self.promised < self.content.len() as u64 {
            self.append();
        } else {
            self.close();
        }
    }

    fn check(&mut self, when: &str) {
        for content in &self.closed {
            let found = self.repository.blob(&Digest::sha256(content)).expect("the server answers");
            assert!(
                found.status == 200 && found.body == *content,
                "{when}: an acknowledged blob is not whole"
            );
        }
        let Some(upload) = &mut self.upload else { return };
        match upload.offset() {
            Ok(offset) => {
                assert!(
                    offset >= self.promised,
                    "{when}: {} bytes were promised, {offset} are there",
                    self.promised
                );
                assert!(offset <= self.content.len() as u64, "{when}: more bytes than were sent");
                self.promised = offset;
            }
            Err(error) => {
                // The session is gone: then it was closed, or had not a byte.
                let digest = Digest::sha256(&self.content);
                let closed = self.repository.blob(&digest).expect("the server answers").status == 200;
                assert!(
                    closed || self.promised == 0,
                    "{when}: a session with {} bytes is gone: {error}",
                    self.promised
                );
                if closed {
                    self.finished();
                }
                self.upload = None;
            }
        }
    }

    fn acknowledged(&self) -> u64 {
        self.acknowledged
    }
}
