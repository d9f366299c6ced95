//! The whole door over real adapters, asked as clients ask.
