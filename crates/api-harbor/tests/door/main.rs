//! The whole door over a real database, asked as Harbor's clients ask; every good answer is held against Harbor's description.

mod clients;
mod conventions;
mod every_operation;
mod groups;
mod house;
mod members;
mod metadata;
mod projects;
mod robots;
mod sessions;
mod swagger;
mod system;

mod tokens;
mod users;
mod without_database;
