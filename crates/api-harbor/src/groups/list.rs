//! `GET /usergroups`.

use axum::response::Response;
use berth_management::{GroupFilter, GroupOrder};

use super::view::GroupView;
use crate::call::Call;
use crate::error::Error;

pub(super) const ORDERS: &[(&str, GroupOrder)] = &[("group_name", GroupOrder::Name), ("id", GroupOrder::Id)];

/// One page of the groups.
pub(crate) async fn list(call: &Call<'_>) -> Result<Response, Error> {
    let page = call.page()?;
    let filter = GroupFilter {
        name_like: call.parameter("group_name")?.map(Into::into),
        ldap_group_dn: call.parameter("ldap_group_dn")?.map(Into::into),
        ..GroupFilter::default()
    };
    let listed = call.management.groups(&filter, call.window(page, ORDERS)?).await?;
    let views: Vec<_> = listed.items.iter().map(GroupView::from).collect();
    Ok(call.listed(page, &views, listed.total))
}
