//! The whole door over real adapters, asked as clients ask: every status and header of the distribution-spec's endpoints, and
//! every kind of bad input.

mod access;
mod asked;
mod bad_tokens;
mod base;
mod blobs;
mod house;
mod lists;
mod made_projects;
mod manifests;
mod paths;
mod refused_manifests;
mod refused_uploads;
mod tags;
mod uploads;
mod without_database;
