//! What must hold for a tag to change (`If-Match`, `If-None-Match`).

use berth_metadata::Expected;

/// A condition on one tag, decided in the transaction that changes it.
pub type Condition = Expected;
