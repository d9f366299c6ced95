//! Stories: what people and their programs do with a registry, told with the programs themselves.

mod access;
mod buildah;
mod buildkit;
mod containerd;
mod cosign;
mod crane;
mod docker;
mod faults;
mod helm;
mod house;
mod logins;
mod operations;
mod oras;
mod podman;
mod referrers;
mod regctl;
mod robots;
mod shared;
mod skopeo;
mod survival;
mod tokens;
mod umoci;
mod uploads;
mod virtual_machine;
mod wire;
