//! The manners of Harbor's REST API, which every door of that kind shares: pages, `q`, `sort`, bodies, refusals, times.
//!
//! A request is read with [`form`] (the query), [`Page`], [`Keywords`], [`order`] and [`Fields`] (the body); what is wrong with it is a
//! [`Refusal`]. An answer is written with [`Page::describe`], [`time()`] and [`created()`].

mod created;
mod fields;
pub mod form;
mod keywords;
mod page;
mod refusal;
mod sort;
mod time;

pub use created::{created, location};
pub use fields::Fields;
pub use keywords::{Keywords, Match, TextMatch, Value};
pub use page::{LARGEST_PAGE, Page, TOTAL_COUNT};
pub use refusal::{Code, Refusal};
pub use sort::order;
pub use time::time;
