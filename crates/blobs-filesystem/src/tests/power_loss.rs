//! Losses of power at every step of a push: what was acknowledged is there, and nothing published is wrong.

use std::sync::Arc;

use tempfile::TempDir;

use super::blobs_at;
use super::story::Story;
use crate::Options;
use crate::testing::{FaultyFileSystem, Loss};

/// Cuts the power at every step, one push after the other, until one gets through.
async fn at_every_step(options: Options, loss: Loss) {
    for step in 0.. {
        let root = TempDir::new().unwrap();
        let files = FaultyFileSystem::new();
        let mut story = Story::new();
        let blobs = blobs_at(root.path(), Arc::new(files.clone()), options);
        files.cut_power(step);
        let outcome = story.run(&blobs).await;
        drop(blobs);
        files.crash(loss);
        let cut = files.struck();
        files.heal();
        assert_eq!(outcome.is_err(), cut, "step {step}: only what was done is acknowledged");
        let blobs = blobs_at(root.path(), Arc::new(files), options);
        story.verify(&blobs).await;
        if !cut {
            assert!(step > 20, "a push has more steps than {step}");
            return;
        }
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_with_the_power() {
    for loss in Loss::ALL {
        at_every_step(Options::default(), loss).await;
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_past_the_page_cache() {
    for loss in Loss::ALL {
        at_every_step(Options { direct_after: Some(0), map: false }, loss).await;
    }
}

/// The first start makes the directories; a loss of power in the middle of that must not keep the second from it.
#[tokio::test]
async fn the_first_start_can_lose_power() {
    for loss in Loss::ALL {
        for step in 0.. {
            let parent = TempDir::new().unwrap();
            let root = parent.path().join("data/blobs");
            let files = FaultyFileSystem::new();
            files.cut_power(step);
            let cut = super::try_blobs_at(&root, Arc::new(files.clone()), Options::default()).is_err();
            files.crash(loss);
            assert_eq!(files.struck(), cut);
            files.heal();
            let mut story = Story::new();
            let blobs = blobs_at(&root, Arc::new(files.clone()), Options::default());
            story.run(&blobs).await.unwrap();
            drop(blobs);
            files.crash(Loss::Everything);
            story.verify(&blobs_at(&root, Arc::new(files), Options::default())).await;
            if !cut {
                break;
            }
        }
    }
}
