//! A client that pushes one large blob in chunks and goes on where the server is, however often it dies.

use berth_oci::Digest;
use berth_testkit::{BerthServer, Random, Repository, Request, Upload, random_bytes};

use super::Client;
use super::downtime::Downtime;
use super::tally::Tally;

/// How long a blob is.
const LENGTH: usize = 4_000_000;

#[derive(Debug)]
pub(super) struct Uploader {
    repository: Repository,
    downtime: Downtime,
    random: Random,
    content: Vec<u8>,
    upload: Option<Upload>,
    /// How many bytes the server said it has.
    promised: u64,
    /// Whether a kill came when it had some.
    interrupted: bool,
    /// Whether a close was sent of which no answer came.
    closing: bool,
    /// What was closed and acknowledged, the last few.
    closed: Vec<Vec<u8>>,
    acknowledged: u64,
    resumed: u64,
}

impl Uploader {
    pub(super) fn new(server: &BerthServer, downtime: &Downtime, number: u64, seed: u64) -> Self {
        Self {
            repository: server.repository(&format!("library/survival/uploader-{number}")),
            downtime: downtime.clone(),
            random: Random::new(seed),
            content: Vec::new(),
            upload: None,
            promised: 0,
            interrupted: false,
            closing: false,
            closed: Vec::new(),
            acknowledged: 0,
            resumed: 0,
        }
    }

    fn begin(&mut self) {
        let opened = self.repository.ask(&Request::post(self.repository.path("blobs/uploads/")));
        let Some(opened) = self.downtime.answer("the beginning of an upload", opened, &[202]) else { return };
        self.upload = Some(self.repository.upload(&opened).expect("it says where to go on"));
        self.content = random_bytes(self.random.next(), LENGTH);
        self.promised = 0;
    }

    /// Nobody else writes to it, so it is never in the way of anybody.
    fn append(&mut self) {
        let Some(upload) = &mut self.upload else { return };
        let from = usize::try_from(self.promised).expect("an offset fits");
        // Some bodies have several checkpoints.
        let most = if self.random.below(4) == 0 { LENGTH } else { 700_000 };
        let end = LENGTH.min(from + 2 + self.random.index(most));
        let answer = upload.append(self.promised, &self.content[from..end]);
        let asked = format!("the bytes {from} to {end} of an upload");
        let Some(answer) = self.downtime.answer(&asked, answer, &[202]) else { return };
        assert_eq!(answer.header("range"), Some(format!("0-{}", end - 1).as_str()), "{asked}");
        self.promised = end as u64;
        self.acknowledged += 1;
    }

    fn close(&mut self) {
        let Some(upload) = &mut self.upload else { return };
        let answer = upload.close(&Digest::sha256(&self.content), b"");
        // It may have been closed all the same; the check finds out.
        self.closing = true;
        if self.downtime.answer("the close of an upload", answer, &[201]).is_some() {
            self.finished();
        }
    }

    fn finished(&mut self) {
        self.acknowledged += 1;
        self.resumed += u64::from(self.interrupted);
        self.closed.push(std::mem::take(&mut self.content));
        if self.closed.len() > 3 {
            self.closed.remove(0);
        }
        self.upload = None;
        (self.interrupted, self.closing) = (false, false);
    }

    fn assert_pulled(&self, content: &[u8], when: &str) {
        let answer = self.repository.blob(&Digest::sha256(content));
        let asked = format!("{when}: a blob that was closed");
        let found = self.downtime.answer(&asked, answer, &[200]).expect("the server is up");
        assert!(found.body == content, "{asked} came changed");
    }

    /// How far the upload is. A session is there also before its first byte; only a close takes it away, and then its blob is there.
    fn settle(&mut self, when: &str) {
        let Some(upload) = &mut self.upload else { return };
        let permitted: &[u16] = if self.closing { &[204, 404] } else { &[204] };
        let status = self.repository.ask(&Request::get(&upload.location));
        let asked = format!("{when}: the status of {} with {} bytes", upload.location, self.promised);
        let status = self.downtime.answer(&asked, status, permitted).expect("the server is up");
        if status.status == 404 {
            assert_eq!(status.code(), "BLOB_UPLOAD_UNKNOWN", "{asked}");
            self.assert_pulled(&self.content, when);
            return self.finished();
        }
        let offset = upload.offset().expect("a status");
        assert!(offset >= self.promised, "{asked}: {offset} are there");
        assert!(offset <= LENGTH as u64, "{asked}: {offset} are there, more than were sent");
        self.promised = offset;
        self.interrupted |= offset > 0;
        self.closing = false;
    }
}

impl Client for Uploader {
    fn step(&mut self) {
        if self.upload.is_none() {
            self.begin();
        } else if self.promised < LENGTH as u64 {
            self.append();
        } else {
            self.close();
        }
    }

    fn check(&mut self, when: &str) {
        self.closed.iter().for_each(|content| self.assert_pulled(content, when));
        self.settle(when);
    }

    fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    fn tally(&self) -> Tally {
        Tally { resumed: self.resumed, ..Tally::default() }
    }

    fn is_in_an_upload(&self) -> bool {
        self.upload.is_some() && (1..LENGTH as u64).contains(&self.promised)
    }
}
