//! Stories of people, machines and their credentials, over a real database.

mod house;

mod accounts;
mod guessing;
mod keys;
mod revocation;
mod tokens;
