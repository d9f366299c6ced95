//! What every database must prove: call [`run`] from the adapter's tests.
//!
//! The cases share one database and stand beside each other there: each one works in repositories of its own name. Concurrent work
//! is polled by one task, so the adapter's own waiting is what is tested, and no case can wait for another.

mod access;
mod blob;
mod deletion;
mod group;
mod manifest;
mod member;
mod project;
mod project_page;
mod pull;
mod race;
mod reference;
mod referrer;
mod repository;
mod review;
mod robot;
mod role;
mod scene;
mod secret;
mod setting;
mod sum;
mod tag;
mod transaction;
mod upload;
mod user;

use futures::future::BoxFuture;

use crate::Metadata;

/// One promise of the port, by name.
pub type Case = (&'static str, for<'a> fn(&'a dyn Metadata) -> BoxFuture<'a, ()>);

macro_rules! cases {
    ($($noun:ident :: $case:ident),+ $(,)?) => {
        &[$((concat!(stringify!($noun), "::", stringify!($case)), |metadata| Box::pin($noun::$case(metadata)))),+]
    };
}

/// Every promise.
pub const CASES: &[Case] = cases![
    user::numbers_begin_as_harbors,
    project::library_is_there,
    project::a_project_is_made_once,
    project::usage_counts_each_digest_once,
    repository::a_repository_is_made_once,
    repository::lists_only_those_with_a_live_manifest,
    repository::lists_by_project,
    repository::public_projects_are_listed_with_ones_own,
    repository::nothing_is_counted_in_a_deleted_one,
    repository::a_search_finds_what_may_be_seen,
    repository::deletion_hides_everything_and_restore_brings_it_back,
    blob::an_added_blob_keeps_its_place,
    blob::an_added_blob_can_be_linked_at_once,
    blob::inline_content_comes_back,
    blob::a_bad_blob_is_healed,
    blob::damaged_inline_content_is_put_right,
    blob::links_come_and_go,
    blob::holders_are_live_and_good,
    blob::all_blobs_are_listed_by_digest,
    blob::all_links_are_listed_with_what_they_need,
    blob::what_was_lost_is_told_from_what_never_was,
    blob::users_of_a_blob_are_found,
    manifest::a_manifest_comes_back_bit_for_bit,
    manifest::bytes_come_along_only_if_they_are_wanted,
    manifest::damaged_bytes_are_put_right,
    manifest::all_are_listed_by_repository_and_digest,
    manifest::deletion_takes_the_tags,
    manifest::lock_gives_sizes_in_order,
    manifest::every_kind_of_reference_is_kept,
    referrer::lists_by_subject_type_and_position,
    tag::moves_are_told_apart,
    tag::expectations_are_kept,
    tag::deletion_keeps_the_manifest,
    tag::lists_are_in_byte_order,
    tag::all_are_listed_with_what_they_name,
    tag::history_tells_every_real_move,
    tag::old_history_is_forgotten,
    tag::long_history_is_cut,
    upload::a_session_comes_back_as_it_was_saved,
    upload::sessions_expire_and_are_listed,
    upload::two_new_rows_of_one_id_conflict,
    deletion::a_batch_comes_back_together,
    deletion::who_deleted_and_who_took_it_back_is_remembered,
    deletion::a_live_successor_stays,
    deletion::an_earlier_deletion_can_still_come_back,
    deletion::a_tag_needs_its_manifest_to_return,
    deletion::a_deletion_comes_back_only_where_it_was,
    deletion::a_manifest_brings_its_links,
    review::every_change_of_a_reference_is_queued,
    review::a_later_change_puts_the_review_off,
    reference::rows_are_what_the_bytes_say,
    reference::wrong_rows_are_derived_again,
    sum::a_repository_has_its_sums,
    sum::all_repositories_are_listed_by_number,
    sum::links_and_sizes_are_those_of_the_rows,
    sum::what_deleted_repositories_hold_is_not_counted,
    sum::wrong_links_and_sizes_are_derived_again,
    pull::pulls_of_gone_manifests_are_passed_over,
    setting::a_setting_is_made_once,
    transaction::nothing_is_seen_before_the_commit,
    transaction::a_dropped_transaction_leaves_nothing,
    transaction::a_dropped_one_between_others_takes_nothing_with_it,
    race::many_writers_are_all_heard,
    race::one_of_many_makes_the_tag,
    race::one_of_many_moves_the_tag,
    race::one_of_two_moves_or_deletes_the_tag,
    race::one_of_many_makes_the_project,
    race::a_blob_is_not_lost_to_a_manifest,
    race::a_manifest_is_not_lost_to_an_index,
    race::the_list_agrees_with_the_last_manifest,
    race::one_of_many_heals_a_blob,
    race::one_of_many_heals_a_manifest,
    race::a_list_that_is_followed_misses_no_referrer,
    user::a_name_and_an_address_are_taken_once,
    user::a_login_is_a_name_or_else_an_address,
    user::a_name_is_nobody_elses_address,
    user::what_is_closest_comes_first,
    user::one_of_many_takes_the_name,
    user::one_of_many_takes_the_login,
    user::secrets_move_what_is_valid,
    user::an_earlier_clock_ends_what_was_before,
    user::deletion_takes_everything_but_the_number,
    user::one_sysadmin_stays,
    user::the_first_sysadmin_is_the_oldest,
    user::lists_are_filtered_and_sorted,
    group::names_are_unique_within_a_type,
    group::lists_are_filtered_and_sorted,
    group::roles_come_and_go_with_the_group,
    member::members_come_and_go,
    member::only_the_living_become_members,
    member::one_of_many_makes_the_member,
    member::a_leaver_is_nobodys_member,
    member::a_standing_tells_all_at_once,
    role::roles_say_what_they_were_told,
    robot::a_robot_comes_back_as_it_was_made,
    robot::names_are_unique_on_a_level,
    robot::changes_move_what_is_valid,
    robot::an_earlier_clock_ends_what_was_before,
    robot::lists_are_of_one_level,
    secret::sessions_begin_and_end,
    secret::refresh_tokens_are_kept_while_used,
    secret::one_of_many_makes_the_first_key,
    secret::a_sealed_secret_is_made_once,
    project_page::a_page_tells_all,
    project_page::lists_show_what_is_visible,
    project::names_and_numbers_are_looked_up_together,
    project::only_an_empty_project_goes,
    project::repositories_without_a_manifest_go_with_their_project,
    project::a_push_or_the_deletion_wins,
    project::a_restoration_or_the_deletion_wins,
];

/// How many lines of a tag's history the database must be opened for: more than other cases need.
pub const HISTORY_LINES: u32 = 20;

/// Runs every promise of the port against `metadata`, whose schema is new and which keeps [`HISTORY_LINES`].
///
/// # Panics
/// If a promise is broken.
pub async fn run(metadata: &dyn Metadata) {
    for (_, case) in CASES {
        case(metadata).await;
    }
}
