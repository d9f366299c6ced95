//! A disk that failed, so that the kernel lets nobody write to it any more.

use berth_metadata::{Error, Metadata as _};
use berth_testkit::Ext4;

use super::{is_there, push, repository};
use crate::SqlMetadata;
use crate::database::Pools;
use crate::sqlite::READERS;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_may_only_be_read_is_no_database() {
    let disk = Ext4::mount(64);
    let metadata = SqlMetadata::open_sqlite(&disk.path().join("berth.db")).await.unwrap();
    let (_, repository) = repository(&metadata).await;
    push(&metadata, &repository, "before").await.unwrap();
    metadata.check().await.unwrap();
    disk.fail();
    // The writer's connection is given up.
    let refused = push(&metadata, &repository, "after").await;
    assert!(matches!(refused, Err(Error::ReadOnly(_))), "{refused:?}");
    let Pools::Lite(lite) = &metadata.pools else { panic!("an embedded database") };
    // SQLite lets the next connection have the file as the last one had opened it: so that one is not the writer.
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(lite.readers().acquire().await.unwrap());
    }
    drop(readers);
    for _ in 0..3 {
        let checked = metadata.check().await;
        assert!(matches!(checked, Err(Error::ReadOnly(_))), "{checked:?}");
    }
    assert!(is_there(&metadata, &repository, "before").await);
}
