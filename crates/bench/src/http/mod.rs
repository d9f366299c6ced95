//! A blocking HTTP/1.1 client that costs little: the load generator shares its cores with the server.

pub(crate) mod connection;
pub(crate) mod endpoint;
pub(crate) mod head;
pub(crate) mod wire;

pub(crate) use connection::Connection;
pub(crate) use endpoint::Endpoint;
pub(crate) use head::Head;
