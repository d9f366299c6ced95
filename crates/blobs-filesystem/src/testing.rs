//! Doubles of the file system, for tests.
