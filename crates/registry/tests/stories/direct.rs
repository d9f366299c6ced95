//! Long bodies pass by the page cache, whether their length is said or not, and short ones do not.

use std::sync::Arc;

use berth_blobs::BLOCK;
use berth_blobs_filesystem::testing::{AroundWrites, WatchedWrites, Write};
use berth_oci::Digest;

use crate::house::{House, MIB, body, caller, content, name, pull, streamed};

/// After how many bytes the page cache is bypassed: a checkpoint is begun there, so that a write begins there too.
const AFTER: usize = 2 * MIB;

#[tokio::test]
async fn a_long_body_passes_by_the_page_cache_whether_its_length_is_said_or_not() {
    // The directory of temporary files is often in memory.
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let can = WatchedWrites::can_pass_by_the_page_cache(directory.path());
    let files = AroundWrites(WatchedWrites::default());
    let mut house = House::below(directory).await.on(Arc::new(files.clone()));
    house.options.direct_after = Some(AFTER as u64);
    house.settings.checkpoint_every = AFTER as u64;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/direct"));
    for (size, is_said) in [(5 * MIB + 7, true), (5 * MIB + 8, false), (MIB + 1, true), (MIB + 2, false)] {
        let (content, before) = (content(size), files.0.writes().len());
        let digest = Digest::sha256(&content);
        let incoming = if is_said { body(&content) } else { streamed(&content) };
        registry.as_caller(&caller).upload_blob(&repository, digest, incoming).await.unwrap();
        let writes = files.0.writes().split_off(before);
        // What does not fill a block comes last and goes the other way.
        let expected =
            |write: &Write| can && write.offset >= AFTER as u64 && write.length.is_multiple_of(BLOCK as u64);
        for write in &writes {
            assert_eq!(write.direct, expected(write), "{size}, said: {is_said}, can: {can}: {writes:?}");
        }
        let is_direct = writes.iter().any(|write| write.direct);
        assert_eq!(is_direct, can && size > AFTER, "{size}, said: {is_said}, can: {can}: {writes:?}");
        assert!(pull(&registry, &repository, &digest).await.unwrap() == content);
    }
}
