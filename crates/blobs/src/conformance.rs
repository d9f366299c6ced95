//! What every storage adapter must prove: call [`run`] from the adapter's tests.
