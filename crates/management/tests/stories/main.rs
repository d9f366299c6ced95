//! Stories of those who run the house, each over a database of its own.

mod groups;
mod house;
mod members;
mod projects;
mod robots;
mod system;
mod told;
mod users;
