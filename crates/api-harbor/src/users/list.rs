//! `GET /users`.

use axum::response::Response;
use berth_http::rest::Refusal;
use berth_management::{UserFilter, UserOrder};

use super::view::UserView;
use crate::call::Call;
use crate::error::Error;

const ORDERS: &[(&str, UserOrder)] =
    &[("username", UserOrder::Username), ("creation_time", UserOrder::CreatedAt), ("user_id", UserOrder::Id)];

/// One page of the accounts.
pub(crate) async fn list(call: &Call<'_>) -> Result<Response, Error> {
    let page = call.page()?;
    let window = call.window(page, ORDERS)?;
    let listed = call.management.users(&filter(call)?, window).await?;
    let views: Vec<_> = listed.items.iter().map(UserView::from).collect();
    Ok(call.listed(page, &views, listed.total))
}

/// What `q` asks, and the two parameters that Harbor takes beside it.
fn filter(call: &Call<'_>) -> Result<UserFilter, Refusal> {
    let mut keywords = call.keywords()?;
    let (username, username_like) = keywords.take_exact_or_fuzzy("username")?;
    let (email, email_like) = keywords.take_exact_or_fuzzy("email")?;
    keywords.nothing_else()?;
    let also = |name| call.parameter(name).map(|value| value.map(Into::into));
    Ok(UserFilter {
        username,
        username_like: also("username")?.or(username_like),
        email,
        email_like: also("email")?.or(email_like),
        after: None,
    })
}
