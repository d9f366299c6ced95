//! Stories of people, machines and their credentials, over a real database.

mod house;

mod accounts;
mod changes;
mod guessing;
mod keys;
mod revocation;
mod tokens;
mod told;
