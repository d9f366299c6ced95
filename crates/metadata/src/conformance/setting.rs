//! Settings.

use futures::future::join_all;

use super::scene::{begin, lost};
use crate::Metadata;

pub(super) async fn a_setting_is_made_once(metadata: &dyn Metadata) {
    let ensure = async |fresh: Vec<u8>| {
        let mut tx = begin(metadata).await;
        let value = lost(tx.ensure_setting("conformance key", &fresh).await)?;
        lost(tx.commit().await).map(|()| value)
    };
    assert_eq!(metadata.setting("conformance key").await.expect("an answer"), None);
    let answers: Vec<_> = join_all((0..8_u8).map(|n| ensure(vec![n, 0, 255]))).await;
    let answers: Vec<_> = answers.into_iter().flatten().collect();
    assert!(!answers.is_empty());
    assert!(answers.iter().all(|value| *value == answers[0]), "{answers:?}");
    assert_eq!(ensure(vec![9]).await.as_ref(), answers.first());
    assert_eq!(metadata.setting("conformance key").await.expect("an answer").as_ref(), answers.first());
}
