//! What every database must prove: call [`run`] from the adapter's tests.
