//! Promises about bytes that are not as they must be.

use super::{Damage, Subject, TRANSPORTS, content, read};
use crate::{BLOCK, Error};

pub(super) async fn missing_and_damaged_bytes_are_told(subject: &dyn Subject) {
    let blobs = subject.blobs();
    for size in [1, BLOCK, 1 << 20] {
        for damage in [Damage::Remove, Damage::Shorten, Damage::Lengthen] {
            let location = blobs.put(content(size)).await.expect("the blob can be put");
            subject.damage(&location, damage).await;
            for transport in TRANSPORTS {
                let error =
                    read(&*blobs, &location, size, (0, 1), transport).await.expect_err("it is damaged");
                let told = match &error {
                    Error::Missing(at) => damage == Damage::Remove && *at == location,
                    Error::Corrupt(at, _) => damage != Damage::Remove && *at == location,
                    _ => false,
                };
                assert!(told, "{damage:?} is told as {error:?}");
            }
            blobs.delete(&location).await.expect("a damaged blob can be deleted");
        }
    }
}

pub(super) async fn an_upload_that_lost_bytes_is_missing(subject: &dyn Subject) {
    let blobs = subject.blobs();
    for damage in [Damage::Remove, Damage::Shorten] {
        let mut upload = blobs.open(&blobs.start()).await.expect("a new upload can be opened");
        upload.write(content(2 * BLOCK)).await.expect("the upload takes the piece");
        let checkpoint = upload.checkpoint().await.expect("a checkpoint can be made");
        drop(upload);
        subject.damage(&checkpoint.location, damage).await;
        let error = blobs.open(&checkpoint).await.err();
        assert!(matches!(&error, Some(Error::Missing(at)) if *at == checkpoint.location), "{error:?}");
        let error = blobs.read_upload(&checkpoint).await.err();
        assert!(matches!(&error, Some(Error::Missing(at)) if *at == checkpoint.location), "{error:?}");
        blobs.discard(&checkpoint).await.expect("what is left can be discarded");
    }
}
