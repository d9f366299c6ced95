//! `/c/login` and `/c/log_out`: sessions of people in browsers.

mod log_in;
mod log_out;

pub(crate) use log_in::log_in;
pub(crate) use log_out::log_out;
